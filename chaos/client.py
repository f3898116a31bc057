"""What all clients have in common: they work, and they judge each answer by their ledger."""

from __future__ import annotations

import random
import threading
import time
from abc import ABC, abstractmethod
from base64 import b64encode
from typing import TYPE_CHECKING, NamedTuple

from chaos.content import Piece
from chaos.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.client import Address
    from bench.s3_client import S3Party
    from chaos.content import Content
    from chaos.tally import Tally
    from chaos.wire import Answer

MOST_FILES = 6
MOST_BYTES = 12 << 20
SHORT_REST = 0.08
LONG_REST = 0.4


class Door(NamedTuple):
    """Where the gateway is reached; `room` is the HDFS directory that all clients work in."""

    address: Address
    s3: S3Party
    user: str
    password: str
    room: str
    bucket: str

    def head(self, method: str, target: str, length: int | None = None) -> bytes:
        """Return the head of a request by password; `length` is that of its body."""
        secret = b64encode(f"{self.user}:{self.password}".encode()).decode()
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.address[0]}:{self.address[1]}",
                 f"Authorization: Basic {secret}", "Connection: close"]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        if length:
            lines.append("Content-Type: application/octet-stream")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Client(threading.Thread, ABC):
    """Works on names of its own until it is told to end."""

    kind = ""

    def __init__(self, number: int, door: Door, seed: str, tally: Tally) -> None:
        super().__init__(name=f"{self.kind}-{number}", daemon=True)
        self.number = number
        self.door = door
        self.tally = tally
        self.ledger = Ledger()
        self.chance = random.Random(f"{seed} client {number}")
        self.last_good = 0.0
        """When a call last succeeded (monotonic seconds)."""
        self._serial = 0
        self._ended = threading.Event()

    @abstractmethod
    def work(self) -> None:
        """Do one thing, chosen at random."""

    @abstractmethod
    def is_honest(self, answer: Answer) -> bool:
        """Tell whether an error says no more than that the cluster does not serve."""

    @abstractmethod
    def path(self, name: str) -> str:
        """Return the HDFS path of a name."""

    def run(self) -> None:
        """Work until `finish`."""
        while not self._ended.is_set():
            self.work()
            self._ended.wait(self.chance.uniform(0, SHORT_REST))

    def finish(self) -> None:
        """Begin nothing more; the thread ends after what it does."""
        self._ended.set()

    @property
    def is_ending(self) -> bool:
        """Whether nothing more is to be begun."""
        return self._ended.is_set()

    def rest(self) -> None:
        """Wait as a client does that was turned away."""
        self._ended.wait(self.chance.uniform(LONG_REST / 2, LONG_REST))

    # --- what is written

    def new_name(self) -> str:
        """Return a name that was never used."""
        self._serial += 1
        return f"c{self.number}-{self._serial}"

    def any_name(self) -> str | None:
        """Return a name that certainly is there, None where none is."""
        return self.chance.choice(sorted(self.ledger.settled()) or [None])

    def new_piece(self) -> Piece:
        """Return content that was never written: mostly little, sometimes megabytes."""
        self._serial += 1
        low, high = self.chance.choice(
            ((1, 16 << 10),) * 6 + ((100 << 10, 1 << 20),) * 3 + ((2 << 20, 6 << 20),))
        return Piece(f"{self.name} {self._serial}", self.chance.randint(low, high))

    # --- what was answered

    def change(
        self, kind: str, answer: Answer, good: int, after: Mapping[str, Content | None],
    ) -> bool:
        """Judge a call that makes names have what `after` says; tell whether it did.

        A name that was not there before counts as absent.
        """
        if not answer.sent:
            self.tally.turned_away()
            self.rest()
            return False
        if answer.status == good:
            for name, content in after.items():
                self.ledger.settle(name, content)
            self.tally.wrote()
            self._succeeded(kind)
            return True
        for name, content in after.items():
            self.ledger.loosen(name, [content])
        self.tally.doubted()
        self.failed(kind, "write", answer)
        return False

    def look(self, kind: str, name: str, answer: Answer) -> None:
        """Judge a download of a name."""
        if answer.cut:
            return
        if answer.status == 404 and answer.whole:
            self.expect(kind, answer, self.ledger.allows(name, None), f"{name} is not there")
        elif answer.status == 200 and answer.whole:
            self.expect(kind, answer, self.ledger.allows(name, answer.body),
                        f"{name} has {len(answer.body)} bytes that it must not have")
        else:
            self.failed(kind, "read", answer)

    def look_at_names(self, kind: str, answer: Answer, names: Callable[[bytes], set[str]]) -> None:
        """Judge a listing of all names."""
        if answer.status != 200 or not answer.whole:
            self.failed(kind, "read", answer)
            return
        found = names(answer.body)
        certain = set(self.ledger.settled())
        possible = {name for name, contents in self.ledger.names.items()
                    if any(content is not None for content in contents)}
        self.expect(kind, answer, certain <= found <= possible,
                    f"missing {sorted(certain - found)}, not due {sorted(found - possible)}")

    def expect(self, kind: str, answer: Answer, right: bool, otherwise: str) -> None:
        """Count an answer as right, or as wrong."""
        if right:
            self._succeeded(kind)
        else:
            self.tally.saw_wrong(f"{self.name} {kind}: {answer.status}, {otherwise}")

    def failed(self, kind: str, sort: str, answer: Answer) -> None:
        """Count a call that did not succeed, honestly or not; `sort` is read or write."""
        if not answer.sent:
            self.tally.turned_away()
            self.rest()
            return
        if answer.cut:
            return
        if answer.silent:
            self.tally.saw_wrong(f"{self.name} {kind}: no answer")
        elif answer.status >= 300 and not self.is_honest(answer):
            self.tally.saw_wrong(f"{self.name} {kind}: {answer.status} {answer.body[:300]!r}")
        self.tally.failed(f"{self.kind} {kind}", sort, f"{answer.status} {answer.body[-300:]!r}")
        self.rest()

    def _succeeded(self, kind: str) -> None:
        self.tally.did(f"{self.kind} {kind}")
        self.last_good = time.monotonic()

