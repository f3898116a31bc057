"""A client that knows what its files may hold, whatever it was told or not told.

Nobody else touches the files of one client, so each answer can be judged: a world is one state
that they may be in, and a call that failed leaves both those where it happened and those where it
did not. An answer that fits none of the possible worlds is wrong.
"""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

import requests

from tests.gateway import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable

    World = tuple[bytes | None, ...]
    Outcome = tuple[int, bytes | None, World]

NAMES = ("first", "second")
HONEST = frozenset({502, 503, 504})
BROKEN = 0
"""Stands for the status where the connection broke."""
CONTENT = "/f/file/content"
CALLS = {
    "get": ("GET", CONTENT),
    "list": ("GET", "/f/listing"),
    "put": ("PUT", CONTENT),
    "append": ("POST", CONTENT),
    "rename": ("PUT", "/f/name"),
    "delete": ("DELETE", "/f/file"),
}
OCTETS = {"Content-Type": "application/octet-stream"}


class Seen(NamedTuple):
    """One call: when it began (monotonic seconds), what it was, and the status of its answer."""

    began: float
    kind: str
    status: int

    @property
    def failed(self) -> bool:
        """Whether it is unknown what has happened."""
        return self.status in HONEST or self.status == BROKEN


class Client(threading.Thread):
    """Works on two files in `directory` until it is told to stop, or gets a wrong answer."""

    def __init__(self, url: str, directory: str, seed: int) -> None:
        super().__init__(daemon=True)
        self.seen: list[Seen] = []
        self.wrong: str = ""
        self._url = url
        self._directory = directory
        self._random = random.Random(seed)
        self._worlds: set[World] = {(None,) * len(NAMES)}
        self._serial = 0
        self._ended = threading.Event()
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = ("someone", PASSWORD)

    def run(self) -> None:
        """Make calls of all kinds."""
        kinds: list[Callable[[], None]] = [
            self._put, self._put, self._append, self._append, self._rename, self._delete,
            self.get, self.get, self.list]
        while not self._ended.is_set() and not self.wrong:
            self._random.choice(kinds)()
            self._ended.wait(0.02)

    def finish(self) -> None:
        """Have the thread end after its present call."""
        self._ended.set()
        self.join(120)
        assert not self.is_alive(), f"{self._directory}: a call without an answer"

    def get(self) -> None:
        """Download a file."""
        i = self._any()
        self._call("get", {"path": self._at(i)}, lambda world: (
            (404, None, world) if world[i] is None else (200, world[i], world)))

    def list(self) -> None:
        """List the directory."""
        self._call("list", {"path": self._directory}, lambda world: (
            200, b" ".join(sorted(
                name.encode() for name, content in zip(NAMES, world, strict=True)
                if content is not None)), world))

    def _put(self) -> None:
        i, data = self._any(), self._data()
        query = {"path": self._at(i), "overwrite": "true"}
        self._call("put", query, lambda world: (201, None, _with(world, i, data)), data)

    def _append(self) -> None:
        i, data = self._any(), self._data()

        def outcome(world: World) -> Outcome:
            old = world[i]
            return (404, None, world) if old is None else (201, None, _with(world, i, old + data))

        self._call("append", {"path": self._at(i)}, outcome, data)

    def _rename(self) -> None:
        i = self._any()
        j = 1 - i

        def outcome(world: World) -> Outcome:
            if world[i] is None:
                return 404, None, world
            if world[j] is not None:
                return 409, None, world
            return 201, None, _with(_with(world, j, world[i]), i, None)

        query = {"path": self._at(i), "destination": self._at(j)}
        self._call("rename", query, outcome)

    def _delete(self) -> None:
        i = self._any()
        self._call("delete", {"path": self._at(i)}, lambda world: (
            (404, None, world) if world[i] is None else (204, None, _with(world, i, None))))

    def _call(
        self, kind: str, query: dict[str, str], outcome: Callable[[World], Outcome],
        body: bytes = b"",
    ) -> None:
        began = time.monotonic()
        status, told = self._ask(kind, query, body)
        self.seen.append(Seen(began, kind, status))
        outcomes = [outcome(world) for world in self._worlds]
        if self.seen[-1].failed:
            self._worlds |= {world for _, _, world in outcomes}
            return
        fitting = {world for due, content, world in outcomes
                   if due == status and (content is None or content == told)}
        if not fitting:
            dues = sorted({(due, _short(content)) for due, content, _ in outcomes})
            self.wrong = f"{kind} {query}: {status} {_short(told)} where one of {dues} was due"
        self._worlds = fitting

    def _ask(
        self, kind: str, query: dict[str, str], body: bytes,
    ) -> tuple[int, bytes]:
        method, path = CALLS[kind]
        try:
            answer = self._session.request(
                method, self._url + path, params=query, data=body or None, timeout=60,
                headers=OCTETS if body else {})
        except requests.Timeout as error:
            self.wrong = f"{kind} {query}: no answer ({error})"
            return BROKEN, b""
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            return BROKEN, b""
        if kind == "list" and answer.ok:
            entries = answer.json()["result"]["statuses"]
            return answer.status_code, b" ".join(
                sorted(entry["pathSuffix"].encode() for entry in entries))
        return answer.status_code, answer.content

    def _any(self) -> int:
        return self._random.randrange(len(NAMES))

    def _at(self, i: int) -> str:
        return f"{self._directory}/{NAMES[i]}"

    def _data(self) -> bytes:
        self._serial += 1
        return b"%s #%d;" % (self._directory.encode(), self._serial) * 40


def _with(world: World, i: int, content: bytes | None) -> World:
    return (*world[:i], content, *world[i + 1:])


def _short(content: bytes | None) -> str:
    return "" if content is None else f"{len(content)} bytes, the end {content[-60:]!r}"
