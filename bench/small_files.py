"""Pairs of one upload and one download of 4 KiB, one after the other on each of some threads."""

from __future__ import annotations

import itertools
import os
import threading
import time
from typing import TYPE_CHECKING

from bench.client import BenchError, exchange, read_body
from bench.parties import CREATED, ROOM
from bench.report import percentile

if TYPE_CHECKING:
    import socket

    from bench.parties import Party
    from bench.report import Figures
    from bench.world import World

SIZE = 4096
CONCURRENCY = (1, 16)
DIRECTORY = f"{ROOM}/pairs"


class Pairs:
    """Threads that upload and download; `writes` and `reads` are the seconds of each."""

    def __init__(self, party: Party, threads: int, seconds: float) -> None:
        self.writes: list[float] = []
        self.reads: list[float] = []
        self._party = party
        self._end = time.monotonic() + seconds
        self._errors: list[Exception] = []
        self._names = itertools.count()
        self._run_id = os.urandom(4).hex()
        self._threads = [threading.Thread(target=self._loop) for _ in range(threads)]

    def run(self) -> float:
        """Run all threads to their end and return the seconds that took."""
        started = time.monotonic()
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]
        return time.monotonic() - started

    def _loop(self) -> None:
        try:
            with self._party.connect() as sock:
                while time.monotonic() < self._end and not self._errors:
                    self._pair(sock, f"{DIRECTORY}/{self._run_id}-{next(self._names)}")
        except (OSError, BenchError) as error:
            self._errors.append(error)

    def _pair(self, first: socket.socket, path: str) -> None:
        content = os.urandom(SIZE)
        started = time.monotonic()
        sock, head = self._party.begin_write(path, SIZE, first)
        exchange(sock, head + content, CREATED)
        if sock is not first:
            sock.close()
        written = time.monotonic()
        if self._read(first, path) != content:
            raise BenchError(f"{self._party.name} hands out other bytes than were written")
        self.writes.append(written - started)
        self.reads.append(time.monotonic() - written)

    def _read(self, first: socket.socket, path: str) -> bytes:
        if self._party.redirects:
            sock, answer = self._party.open(path, first)
            with sock:
                return read_body(sock, answer)
        return exchange(first, self._party.request("read", path))[1]


def prepare(world: World) -> None:
    """Let the JIT compilers see the calls."""
    for party in world.parties:
        Pairs(party, 4, world.sizes.pair_seconds).run()


def measure(world: World, party: Party) -> Figures:
    """Return pairs a second and how long the halves take, for each concurrency."""
    figures: Figures = {}
    for threads in CONCURRENCY:
        pairs = Pairs(party, threads, world.sizes.pair_seconds)
        seconds = pairs.run()
        label = f"{threads} at once"
        figures[f"{label}, pairs a second"] = len(pairs.reads) / seconds
        figures[f"{label}, upload median, ms"] = percentile(pairs.writes, 0.5) * 1000
        figures[f"{label}, download median, ms"] = percentile(pairs.reads, 0.5) * 1000
    world.delete(DIRECTORY)
    return figures
