"""What the cache of a node did, added up over its workers in the state store."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from app.core.errors import StorageFault

if TYPE_CHECKING:
    from app.state.store import Store

_SPACE = "cache-figures"
_EVERY_SECONDS = 1.0


class CacheFigures(NamedTuple):
    """What the node's cache did since it was started: chunks, and bytes."""

    hits: int = 0
    misses: int = 0
    bytes_served: int = 0
    bytes_fetched: int = 0
    evicted: int = 0
    corrupt: int = 0
    errors: int = 0


class Counted:
    """The counts of this worker that are not in the store yet, and of all that are."""

    def __init__(self, store: Store, node_id: str) -> None:
        self._store = store
        self._node_id = node_id
        self._lock = threading.Lock()
        self._own = CacheFigures()
        self._due = 0.0

    def count(
        self, *, hits: int = 0, misses: int = 0, bytes_served: int = 0, bytes_fetched: int = 0,
        evicted: int = 0, corrupt: int = 0, errors: int = 0,
    ) -> None:
        """Add to the figures."""
        more = (hits, misses, bytes_served, bytes_fetched, evicted, corrupt, errors)
        with self._lock:
            self._own = _sum(self._own, CacheFigures(*more))

    def save(self, *, at_once: bool = True) -> None:
        """Bring the counts to the store, unless that was a moment ago and need not be now."""
        now = time.monotonic()
        with self._lock:
            own, due = self._own, self._due
            if own == CacheFigures() or not (at_once or now >= due):
                return
            self._own, self._due = CacheFigures(), now + _EVERY_SECONDS
        server = _server()

        def added(record: dict[str, Any] | None) -> dict[str, Any]:
            known = record["figures"] if record and record["server"] == server else ()
            return {"server": server, "figures": [*_sum(CacheFigures(*known), own)]}

        try:
            self._store.update(_SPACE, self._node_id, added)
        except StorageFault:
            with self._lock:
                self._own = _sum(self._own, own)

    def total(self) -> CacheFigures:
        """Return the figures of the whole node. Raises StorageFault."""
        self.save()
        record = self._store.get(_SPACE, self._node_id)
        mine = record and record["server"] == _server()
        return CacheFigures(*record["figures"]) if record and mine else CacheFigures()


def _sum(one: CacheFigures, other: CacheFigures) -> CacheFigures:
    return CacheFigures(*(a + b for a, b in zip(one, other, strict=True)))


def _server() -> str:
    """Return what tells this server's main process, whose children the workers are, from others.

    It is the process id and the kernel's start time of the parent.
    """
    pid = os.getppid()
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return str(pid)
    return f"{pid}/{fields[19]}"
