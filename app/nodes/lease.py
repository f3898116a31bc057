"""The lease of the primary gateway: one record with a time to live, by the state store's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.state.store import Store, Value

_SPACE = "node-primary"
_KEY = "primary"


class Lease:
    """Says who is primary; methods raise StorageFault.

    Whoever is primary renews it; once it ran out, the first who takes it is.
    """

    def __init__(self, store: Store, seconds: float) -> None:
        self._store = store
        self._seconds = seconds

    def holder(self) -> str:
        """Return the id of the primary gateway, "" while there is none."""
        record = self._store.get(_SPACE, _KEY)
        return record["node"] if record else ""

    def take(self, node_id: str) -> str:
        """Make this gateway primary if none is, renew its lease if it is; return who is."""
        mine: Value = {"node": node_id}
        if self._store.add(_SPACE, _KEY, mine, ttl=self._seconds):
            return node_id
        holder = self.holder()
        if holder != node_id:
            return holder
        # What another has become primary of meanwhile it keeps, some milliseconds longer.
        left = self._store.update(
            _SPACE, _KEY, lambda record: record or mine, ttl=self._seconds)
        return left["node"] if left else ""

    def give(self, node_id: str) -> None:
        """Make another gateway primary, whoever is."""
        self._store.put(_SPACE, _KEY, {"node": node_id}, ttl=self._seconds)
