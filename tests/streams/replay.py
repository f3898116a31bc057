"""Stories: requests to the Alluxio dialect in order, each with the answer it is to have.

A story is a list of `Case`. `Player` sends them and compares each answer field by field; what
cannot be known before (ids, times, addresses) stands in the expectation as a `Kind`. Where Alluxio
2.9.4 answers otherwise, `differs` says how and why: that is the list of our deliberate differences.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import requests

    from tests.gateway import Gateway

JSON = "application/json"
OCTETS = "application/octet-stream"
LARGEST_ID = 2**31 - 1
CLOCK_MS = 120_000
INODE_BITS = 48
"""Of a file's id; those above tell the mount, and a block's id has no room for them."""


@dataclass(frozen=True)
class Kind:
    """Any value that `fits`; `name` is what an assertion shows."""

    name: str
    fits: Callable[[Any], bool]


class Text(NamedTuple):
    """A text in which {owner}, {group} and {port} stand for those of the run."""

    text: str


class Answer(NamedTuple):
    """What is to come back: a status, a media type, and a body as `body` says.

    `body` is JSON if the media type is, else bytes or a Kind of bytes. `opens` is a name for the
    stream whose id comes back.
    """

    status: int
    media: str | None
    body: Any
    opens: str = ""
    headers: Mapping[str, str] = {}


class Case(NamedTuple):
    """One request and its answer.

    `request` is a method and what follows /api/v1/, in which {name} is the id of a stream that an
    earlier case opened. `options` are its JSON body, `data` a body of another kind: bytes, or a
    tuple of pieces that are sent as chunks.
    """

    label: str
    request: str
    answer: Answer
    options: Any = None
    data: Any = None
    headers: Mapping[str, str] = {}
    differs: str = ""


NOTHING = Answer(200, None, b"")


def told(value: Any) -> Answer:
    """Return the answer that is this JSON value."""
    return Answer(200, JSON, value)


def opens(name: str) -> Answer:
    """Return the answer that is the id of a new stream, to be called `name`."""
    return Answer(200, JSON, Kind("a stream id", is_stream_id), name)


def content(data: bytes, *, status: int = 200, **headers: str) -> Answer:
    """Return the answer that is a file's bytes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, OCTETS, data, headers=named)


def refused(code: str, message: str | Kind, *, status: int = 500) -> Answer:
    """Return an error as both generations of clients read it."""
    body = {"message": message, "statusCode": code, "status": code}
    return Answer(status, JSON, body)


def unreadable(beginning: str) -> Answer:
    """Return the answer to options that cannot be read: a text that begins so."""
    return Answer(400, "text/plain", Kind(f"bytes from {beginning!r}", lambda body: isinstance(
        body, bytes) and body.decode().startswith(beginning)))


def saying(*parts: str) -> Kind:
    """Return any text with these parts in it."""
    return Kind(f"a text with {parts}", lambda value: isinstance(
        value, str) and all(part in value for part in parts))


def is_stream_id(value: Any) -> bool:
    return type(value) is int and 0 < value <= LARGEST_ID


def is_time(value: Any) -> bool:
    return type(value) is int and abs(value - time.time() * 1000) < CLOCK_MS


ID = Kind("a positive integer", lambda value: type(value) is int and value > 0)
TIME = Kind("about now, in milliseconds", is_time)


@dataclass
class Player:
    """Plays stories against a gateway as one user; `words` are what {words} in texts stand for."""

    gateway: Gateway
    user: str
    words: Mapping[str, str]
    streams: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def play(self, story: Sequence[Case]) -> list[str]:
        """Return what was otherwise than expected, case by case."""
        found: list[str] = []
        for case in story:
            found += [f"{case.label}: {one}" for one in self._differences(case)]
        return found

    def _differences(self, case: Case) -> list[str]:
        answer = self._send(case)
        expected = case.answer
        found: list[str] = []
        media = answer.headers.get("Content-Type")
        if (answer.status_code, media) != (expected.status, expected.media):
            wanted = f"{expected.status} {expected.media}"
            return [f"{answer.status_code} {media}, not {wanted}: {short(answer.content)}"]
        for name, value in expected.headers.items():
            compare(value, answer.headers.get(name), name, found)
        body = answer.json() if media == JSON and answer.content else answer.content
        compare(self._filled(expected.body), body, "", found)
        if expected.opens and not found:
            self.streams[expected.opens] = body
        for info in body if isinstance(body, list) else [body]:
            found += contradictions(info)
        return found

    def _send(self, case: Case) -> requests.Response:
        method, _, target = case.request.format_map(self.streams).partition(" ")
        headers = dict(case.headers)
        data = iter(case.data) if isinstance(case.data, tuple) else case.data
        if case.options is not None:
            headers.setdefault("Content-Type", JSON)
            data = json.dumps(self._filled(case.options)).encode()
        return self.gateway.request(
            method, f"/api/v1/{target}", user=self.user, headers=headers, data=data)

    def _filled(self, value: Any) -> Any:
        if isinstance(value, Text):
            return value.text.format(**self.words)
        if isinstance(value, dict):
            return {name: self._filled(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self._filled(one) for one in value]
        return value


def compare(expected: Any, got: Any, where: str, found: list[str]) -> None:
    """Add to `found` each place where `got` is not what is expected."""
    if isinstance(expected, Kind):
        if not expected.fits(got):
            found.append(f"{where} is {got!r}, not {expected.name}")
    elif isinstance(expected, dict) and isinstance(got, dict):
        for name in [*expected, *(name for name in got if name not in expected)]:
            if name not in got or name not in expected:
                found.append(f"{where}.{name} is {'missing' if name in expected else 'too many'}")
            else:
                compare(expected[name], got[name], f"{where}.{name}", found)
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for i, one in enumerate(expected):
            compare(one, got[i], f"{where}[{i}]", found)
    elif type(expected) is not type(got) or expected != got:
        found.append(f"{where} is {short(got)}, not {short(expected)}")


def contradictions(info: Any) -> list[str]:
    """Return where a FileInfo does not agree with itself; anything else does."""
    if not isinstance(info, dict) or "fileInfo" not in info:
        return []
    nested = info["fileInfo"]
    found = [f"{info['path']}: {name} is {short(info[name])} and nested {short(nested[name])}"
             for name in info if name in nested and info[name] != nested[name]]
    ids = [block["blockInfo"]["blockId"] for block in info["fileBlockInfos"]]
    inode = info["fileId"] % 2**INODE_BITS
    of_the_file = [(inode << 24) + i for i in range(len(ids))]
    if not info["blockIds"] == ids == of_the_file:
        found.append(f"{info['path']}: blocks {info['blockIds']}, {ids} of {info['fileId']}")
    return found


def short(value: Any) -> str:
    """Return a value as an assertion can show it."""
    return re.sub(r"(.{300}).+", r"\1…", repr(value))
