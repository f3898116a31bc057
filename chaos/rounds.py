"""One fault after the other under load, and how long it takes until all is as before."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from chaos.faults import FAULTS
from chaos.wire import ask
from chaos.world import pause
from tests.gateway import wait_for

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from chaos.client import Client
    from chaos.tally import Tally
    from chaos.world import World

PATIENCE = 120.0
"""Seconds after which service that is not full again counts as gone."""
POLL = 0.02


class Round(NamedTuple):
    """One fault: seconds from when service could be full to the first write, and to all clients."""

    fault: str
    first_write: float
    all_clients: float


class Rounds:
    """The rounds of one run."""

    def __init__(
        self, world: World, clients: Sequence[Client], tally: Tally, chance: random.Random,
    ) -> None:
        self.done: list[Round] = []
        self._world = world
        self._clients = clients
        self._tally = tally
        self._chance = chance
        self._deck: list[str] = []
        self._probes = 0

    def run(self, kinds: Sequence[str], ends: float, most: int) -> None:
        """Make `most` faults of these kinds at most, and begin none after `ends` (monotonic)."""
        self._await_all(time.monotonic())
        while time.monotonic() < ends and len(self.done) < most:
            if not self._deck:
                self._deck = self._chance.sample(list(kinds), len(kinds))
            pause(self._chance.uniform(1.0, 3.0))
            self.done.append(self._round(self._deck.pop()))
            told = self.done[-1]
            print(f"round {len(self.done)}: {told.fault}, first write after {told.first_write:.1f}"
                  f" s, all clients served after {told.all_clients:.1f} s",
                  file=sys.stderr, flush=True)

    def _round(self, fault: str) -> Round:
        self._tally.during = fault
        outcome = FAULTS[fault](self._world, self._chance)
        first = self._await_write() - outcome.since
        everybody = self._await_all(outcome.since) - outcome.since
        if outcome.afterwards is not None:
            outcome.afterwards()
            self._await_all(time.monotonic())
        self._tally.during = "quiet"
        return Round(fault, max(0.0, first), max(0.0, everybody))

    def _await_write(self) -> float:
        wait_for("a write, a read and a delete", self._is_served, seconds=PATIENCE)
        return time.monotonic()

    def _is_served(self) -> bool:
        self._probes += 1
        path = f"{self._world.door.room}/probes/{self._probes}"
        content = b"probe %d" % self._probes
        wrote = self._call("PUT", "/f/file/content", content, path=path, overwrite="true")
        read = self._call("GET", "/f/file/content", path=path)
        gone = self._call("DELETE", "/f/file", path=path)
        return wrote[0] == 201 and read == (200, content) and gone[0] == 204

    def _call(
        self, method: str, where: str, body: bytes | None = None, **query: str,
    ) -> tuple[int, bytes]:
        head = self._world.door.head(
            method, f"{where}?{urlencode(query)}", None if body is None else len(body))
        answer = ask(self._world.door.address, head, body or b"")
        return answer.status, answer.body

    def _await_all(self, since: float) -> float:
        """Return when each client had a good answer after this moment."""
        wait_for("a good answer for each client", lambda: all(
            client.last_good > since for client in self._clients), seconds=PATIENCE)
        return time.monotonic()
