"""The state store's protocol: small JSON records in named spaces, shared by all workers.

Upload journals, worker leases and lockouts live here; file content and metadata never do. Keys
and spaces are text; values are what JSON holds. A record with a time to live is gone for every
reader once it is over. Methods raise StorageFault when the store cannot be used; what a write that
raised it was to do may have been done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Value = dict[str, Any]


class Store(Protocol):
    """A shared map of records."""

    def get(self, space: str, key: str) -> Value | None:
        """Return the record, or None."""

    def put(self, space: str, key: str, value: Value, *, ttl: float | None = None) -> None:
        """Write the record whatever was there; it lasts `ttl` seconds (None: for good)."""

    def add(self, space: str, key: str, value: Value, *, ttl: float | None = None) -> bool:
        """Write the record if there is none; tell whether it was written."""

    def update(
        self, space: str, key: str, change: Callable[[Value | None], Value | None],
        *, ttl: float | None = None,
    ) -> Value | None:
        """Replace the record by `change(record or None)` in one atomic step; None deletes it.

        `change` may be called again if another worker interferes. Returns what is stored.
        """

    def delete(self, space: str, key: str) -> bool:
        """Remove the record; tell whether it was there."""

    def scan(self, space: str) -> Iterator[tuple[str, Value]]:
        """Yield the live records of a space in the order of their keys (by code points).

        Keys of more than 1,000 octets may come after all others.
        """
