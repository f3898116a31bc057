"""The pace of one download: so many bytes an hour, whatever its objects."""

from __future__ import annotations

import threading
import time

_HOUR = 3600.0


class Pace:
    """Tells how long to wait after each piece so that `bytes_per_hour` are kept; 0 is no limit."""

    def __init__(self, bytes_per_hour: int) -> None:
        self._rate = bytes_per_hour / _HOUR
        self._lock = threading.Lock()
        self._free_at = 0.0

    def wait_after(self, size: int) -> float:
        """Note `size` more bytes; return the seconds after which the next ones may come."""
        if not self._rate:
            return 0.0
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + size / self._rate
            return self._free_at - now
