"""Room for a number of callers at once; who finds none waits, and gets in by the order of coming.

A semaphore lets a caller who has just left in again before those who wait: where many work without
a pause, some would wait until they give up.
"""

from __future__ import annotations

import threading
from collections import deque


class Room:
    """Room for `places` threads or greenlets."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()

    def enter(self, *, patience: float) -> bool:
        """Take a place within so many seconds; tell whether there was one."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            called = threading.Event()
            self._waiting.append(called)
        try:
            return called.wait(patience) or not self._gives_up(called)
        except BaseException:
            # A timeout or kill of this greenlet: a place that came just now is the next one's.
            if not self._gives_up(called):
                self.leave()
            raise

    def leave(self) -> None:
        """Give the place to who has waited longest, if anybody waits."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1

    def _gives_up(self, called: threading.Event) -> bool:
        """Wait no longer; tell False if a place came in this very moment."""
        with self._lock:
            if called not in self._waiting:
                return False
            self._waiting.remove(called)
        return True
