"""Stories: requests to AIStore's dialect in order, each with the answer it is to have.

The requests are those that the generated clients of 2020 and of 2021 make. The answers are those
that AIStore of the same year gives; where they are not, `differs` says why: that is the list of our
deliberate differences. `Player` compares field by field; what cannot be known before (ids, times,
addresses, figures) stands in an expectation as a `Kind`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from tests.streams.replay import Kind, compare, short

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import requests

    from tests.gateway import Gateway

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


class Words(NamedTuple):
    """A text in which {node}, {url}, {host} and {port} stand for those of the run."""

    text: str


class Answer(NamedTuple):
    """What is to come back: a status, a media type, a body and headers, others aside."""

    status: int
    media: str | None = None
    body: Any = b""
    headers: Mapping[str, Any] = {}


class Case(NamedTuple):
    """One request, `METHOD path` below /v1, with its answer.

    `message` goes as JSON, `data` as it is. `keeps` is a name for the text that comes back, which
    later requests and messages may have as {name}.
    """

    label: str
    request: str
    answer: Answer
    message: Any = None
    data: bytes | None = None
    headers: Mapping[str, str] = {}
    keeps: str = ""
    differs: str = ""


class Failure(NamedTuple):
    """The body of an error with this message."""

    message: str | Words | Kind


DONE = Answer(200)
ADDRESS = Kind("an address", lambda value: re.fullmatch(r"127\.0\.0\.1:\d+", str(value)))
TASK = Kind("the id of a task", lambda value: re.fullmatch(rb"[\w.:-]{5,64}", value))
TASK_TEXT = Kind("the id of a task", lambda value: re.fullmatch(r"[\w.:-]{5,64}", value))
DIGITS = Kind("digits", lambda value: isinstance(value, str) and value.isdecimal())
NUMBER = Kind("a number", lambda value: type(value) in (int, float))
ANY = Kind("anything", lambda _value: True)


def told(value: Any) -> Answer:
    """Return the answer that is this JSON value."""
    return Answer(200, JSON, value)


def refused(status: int, message: str | Words | Kind) -> Answer:
    """Return an error as AIStore writes it."""
    return Answer(status, JSON, Failure(message))


def saying(*parts: str) -> Kind:
    """Return any text with these parts in it."""
    return Kind(f"a text with {parts}", lambda value: isinstance(
        value, str) and all(part in value for part in parts))


class Having(NamedTuple):
    """An object with these members, and perhaps others."""

    members: dict[str, Any]


def having(**members: Any) -> Having:
    """Return an object with these members, and perhaps others."""
    return Having(members)


@dataclass
class Player:
    """Plays stories against a gateway as one user; `words` are what {words} in texts stand for."""

    gateway: Gateway
    user: str
    words: dict[str, str]

    def play(self, story: Sequence[Case]) -> list[str]:
        """Return what was otherwise than expected, case by case."""
        return [f"{case.label}: {one}" for case in story for one in self._differences(case)]

    def _differences(self, case: Case) -> list[str]:
        method, _, target = case.request.format_map(self.words).partition(" ")
        answer = self._send(case, method, target)
        expected = case.answer
        media = answer.headers.get("Content-Type")
        if (answer.status_code, media) != (expected.status, expected.media):
            wanted = f"{expected.status} {expected.media}"
            return [f"{answer.status_code} {media}, not {wanted}: {short(answer.content)}"]
        found: list[str] = []
        for name, value in expected.headers.items():
            compare(self._filled(value), answer.headers.get(name), name, found)
        body: Any = answer.content
        if media == JSON:
            body = json.loads(body or answer.headers.get("Header-Error", "null"))
        wanted = expected.body
        if isinstance(wanted, Failure):
            wanted = {
                "status": expected.status, "message": wanted.message, "method": method,
                "url_path": unquote(f"/v1/{target.partition('?')[0]}"), "remote_addr": ADDRESS,
                "trace": ""}
        compare(self._filled(wanted), body, "", found)
        if case.keeps:
            self.words[case.keeps] = answer.text
        return found

    def _send(self, case: Case, method: str, target: str) -> requests.Response:
        headers, data = dict(case.headers), case.data
        if case.message is not None:
            headers["Content-Type"] = JSON
            data = json.dumps(self._filled(case.message)).encode()
        return self.gateway.request(
            method, f"/v1/{target}", user=self.user, headers=headers, data=data)

    def _filled(self, value: Any) -> Any:
        if isinstance(value, Words):
            return value.text.format_map(self.words)
        if isinstance(value, Having):
            return _having(self._filled(value.members))
        if isinstance(value, dict):
            return {self._filled(name): self._filled(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self._filled(one) for one in value]
        return value


def _having(wanted: dict[str, Any]) -> Kind:
    def fits(value: Any) -> bool:
        found: list[str] = []
        if not isinstance(value, dict) or not set(wanted) <= set(value):
            return False
        compare(wanted, {name: value[name] for name in wanted}, "", found)
        return not found

    return Kind(f"an object with {sorted(wanted)}", fits)
