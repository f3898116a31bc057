"""Hashing beside sending: pieces of a body are hashed while the next ones are on their way.

MD5 is the slowest part of an upload, and runs without Python's lock. Where gevent serves, it gets a
native thread; the order of the pieces is kept, as no two of one body are hashed at once. What comes
meanwhile waits, and goes to the thread together: handing over costs as much as hashing 16 KiB.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from app.offload import has_green_threads

if TYPE_CHECKING:
    from collections.abc import Callable

WORTHWHILE = 32 * 1024
"""Bytes from which a piece costs more to hash than to hand to another thread."""
MOST_WAITING = 1024 * 1024
"""Bytes that wait for the thread before who feeds has to."""
_pools: dict[int, Any] = {}


class Overlap:
    """Calls `function` for each piece that is fed, big ones in another thread."""

    def __init__(self, function: Callable[[bytes], None]) -> None:
        self._function = function
        self._running: Any = None
        self._waiting: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> None:
        """See to a piece after those before it; raise what one of these raised."""
        if self._running is None and (len(piece) < WORTHWHILE or not has_green_threads()):
            self._function(piece)
            return
        self._waiting.append(piece)
        self._size += len(piece)
        if self._running is None or self._running.ready() or self._size >= MOST_WAITING:
            self._hand_over()

    def settle(self) -> None:
        """Wait until all that was fed is through."""
        while self._running is not None:
            self._hand_over()

    def _hand_over(self) -> None:
        """Wait for the thread, and give it what waits for it, if anything does."""
        running, self._running = self._running, None
        pieces, self._waiting, self._size = self._waiting, [], 0
        if running is not None:
            running.get()
        if pieces:
            self._running = _pool().spawn(self._work, pieces)

    def _work(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            self._function(piece)


def _pool() -> Any:
    """Return this process's threads: one for each CPU, as hashing only computes."""
    pool = _pools.get(os.getpid())
    if pool is None:
        from gevent.threadpool import ThreadPool  # noqa: PLC0415 only where gevent rules already

        pool = _pools[os.getpid()] = ThreadPool(os.cpu_count() or 1)
    return pool
