"""What was evicted at one node, told to the others through the state store.

Names are gathered for a moment, so that an eviction of a million files writes some thousand
records. They last as long as it takes the others' beats to see them.
"""

from __future__ import annotations

import secrets
import threading
import time
from typing import TYPE_CHECKING

from app.core.errors import StorageFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.state.store import Store

_SPACE = "cache-evictions"
_LIFE_SECONDS = 120.0
_AT_ONCE = 500


class Evictions:
    """Files by their 32 hex digits."""

    def __init__(self, store: Store, node_id: str) -> None:
        self._store = store
        self._node_id = node_id
        self._lock = threading.Lock()
        self._untold: list[str] = []
        self._seen: set[str] = set()

    def tell(self, name: str) -> None:
        """Have the other nodes let go of a file, soon."""
        with self._lock:
            self._untold.append(name)
            many = len(self._untold) >= _AT_ONCE
        if many:
            self.flush()

    def flush(self) -> None:
        """Tell the others now; while the store is away that is put off."""
        with self._lock:
            names, self._untold = self._untold, []
        if not names:
            return
        try:
            self._store.put(
                _SPACE, f"{time.time_ns():020}-{secrets.token_hex(4)}",
                {"node": self._node_id, "names": names, "at": time.time()}, ttl=_LIFE_SECONDS)
        except StorageFault:
            with self._lock:
                self._untold += names

    def heard(self) -> Iterator[tuple[str, float]]:
        """Yield what others let go of since the last look, and when (seconds since the epoch)."""
        there = set()
        for key, record in self._store.scan(_SPACE):
            there.add(key)
            if record["node"] != self._node_id and key not in self._seen:
                for name in record["names"]:
                    yield name, record["at"]
        self._seen = there
