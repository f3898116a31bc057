"""How a reader comes to a chunk: it is here, it comes, or it is to be fetched."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from app.cache.part import NotStored
from app.cache.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.cache.chunks import Chunk, Chunks
    from app.cache.runs import Runs
    from app.fs.port import ByteSource

    Fetch = Callable[[int, int], ByteSource]

STALL_SECONDS = 10.0
"""How long a reader waits for a chunk whose fetching makes no progress; then it asks HDFS."""
FETCHES = 3
"""How often a chunk is fetched for one reader, if it is let go of before it is read."""
LEAST_PAUSE, LONGEST_PAUSE = 0.002, 0.02
"""Seconds between looks for a chunk that another worker fetches."""


class Visit:
    """One reader's way through a file's chunks; `served` are bytes that are not counted yet."""

    def __init__(
        self, runs: Runs, chunks: Chunks, last: int, fetch: Fetch, is_same: Callable[[], bool],
    ) -> None:
        self.chunks = chunks
        self.fetch = fetch
        self.served = 0
        self._counted = runs.counted
        self._runs = runs
        self._last = last
        self._is_same = is_same
        self._run: Run | None = None
        self._mine: Run | None = None

    def arrive(self, number: int) -> Chunk | None:
        """Return a chunk, fetched if need be; None where the disks do not take it.

        What the cluster said to this reader's own fetching is raised.
        """
        patience = _Patience()
        missed = False
        while True:
            chunk = self.chunks.find(number)
            if chunk:
                if self._run:
                    self._run.want(number)
                self._count(hits=not missed, misses=missed)
                return chunk
            missed = True
            if self._mine and self._mine.over and self._mine.error:
                raise self._mine.error
            if (self._run and self._run.stale) or not self._come_nearer(number, patience):
                self._count(misses=1)
                return None

    def close(self) -> None:
        """Wait for nothing more."""
        if self._run:
            self._run.leave()
            self._run = None
        self._count()
        self._counted.save(at_once=False)

    def _count(self, *, hits: int = 0, misses: int = 0) -> None:
        """Count chunks, and what was served since the last of them."""
        served, self.served = self.served, 0
        self._counted.count(hits=hits, misses=misses, bytes_served=served)

    def _come_nearer(self, number: int, patience: _Patience) -> bool:
        """Wait for the chunk a while, or begin to fetch it; tell False where that is vain."""
        if not (self._run and self._run.reaches(number)):
            self._change(self._runs.joined(self.chunks, number))
        if self._run:
            self._run.want(number)
            return self._run.wait(number, patience.pause_long) or patience.lasts(
                self._run.received)
        try:
            part = self.chunks.claim(number)
        except NotStored:
            return False
        if part is None:
            if not patience.lasts(self.chunks.written(number)):
                return False
            time.sleep(patience.pause())
            return True
        if patience.tries_over():
            part.abandon()
            return False
        run = Run(self.chunks, number, self._last, part, fetch=self.fetch,
                  is_same=self._is_same, counted=self._counted)
        self._runs.start(run)
        self._change(run)
        self._mine = run
        return True

    def _change(self, run: Run | None) -> None:
        if self._run:
            self._run.leave()
        self._run = run


class _Patience:
    """How long what makes no progress is waited for."""

    pause_long = 1.0

    def __init__(self) -> None:
        self._seen = -2
        self._until = float("inf")
        self._pause = LEAST_PAUSE
        self._tries = 0

    def tries_over(self) -> bool:
        """Tell whether the chunk went again too often after it had been fetched."""
        self._tries += 1
        return self._tries > FETCHES

    def lasts(self, progress: int) -> bool:
        """Tell whether to go on waiting, where `progress` has been made so far."""
        now = time.monotonic()
        if progress != self._seen:
            self._seen, self._until = progress, now + STALL_SECONDS
        return now < self._until

    def pause(self) -> float:
        """Return how long to wait before the next look."""
        self._pause = min(self._pause * 1.5, LONGEST_PAUSE)
        return self._pause
