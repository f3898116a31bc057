"""Hashing beside sending: one piece of a body is hashed while the next one is on its way.

MD5 is the slowest part of an upload, and runs without Python's lock. Where gevent serves, it gets a
native thread; the order of the pieces is kept, as no two of one body are hashed at once.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from app.offload import has_green_threads

if TYPE_CHECKING:
    from collections.abc import Callable

WORTHWHILE = 32 * 1024
"""Bytes from which a piece costs more to hash than to hand to another thread."""
_pools: dict[int, Any] = {}


class Overlap:
    """Calls `function` for each piece that is fed, big ones in another thread."""

    def __init__(self, function: Callable[[bytes], None]) -> None:
        self._function = function
        self._running: Any = None

    def feed(self, piece: bytes) -> None:
        """Begin with a piece once the one before is through; raise what that one raised."""
        self.settle()
        if len(piece) < WORTHWHILE or not has_green_threads():
            self._function(piece)
        else:
            self._running = _pool().spawn(self._function, piece)

    def settle(self) -> None:
        """Wait until all that was fed is through."""
        running, self._running = self._running, None
        if running is not None:
            running.get()


def _pool() -> Any:
    """Return this process's threads: one for each CPU, as hashing only computes."""
    pool = _pools.get(os.getpid())
    if pool is None:
        from gevent.threadpool import ThreadPool  # noqa: PLC0415 only where gevent rules already

        pool = _pools[os.getpid()] = ThreadPool(os.cpu_count() or 1)
    return pool
