"""What stores on servers have in common: records as text, updated by compare-and-swap."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from app.state.values import decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from app.state.store import Value


class SwappingStore(ABC):
    """A `Store` over a few atomic steps on text, each one call of the server."""

    def get(self, space: str, key: str) -> Value | None:
        """Return the record, or None."""
        text = self._read(space, key)
        return None if text is None else decode(text)

    def put(self, space: str, key: str, value: Value, *, ttl: float | None = None) -> None:
        """Write the record whatever was there."""
        self._put(space, key, encode(value), ttl)

    def add(self, space: str, key: str, value: Value, *, ttl: float | None = None) -> bool:
        """Write the record if there is none; tell whether it was written."""
        return self._add(space, key, encode(value), ttl)

    def update(
        self, space: str, key: str, change: Callable[[Value | None], Value | None],
        *, ttl: float | None = None,
    ) -> Value | None:
        """Replace the record by `change(record or None)`; again where another was faster."""
        while True:
            before = self._read(space, key)
            after = change(None if before is None else decode(before))
            if self._change(space, key, before, after, ttl):
                return after

    def delete(self, space: str, key: str) -> bool:
        """Remove the record; tell whether it was there."""
        return self._remove(space, key, None)

    def scan(self, space: str) -> Iterator[tuple[str, Value]]:
        """Yield the live records a page at a time, each record once."""
        after: bytes | None = b""
        while after is not None:
            page, after = self._page(space, after)
            for key, text in page:
                yield key, decode(text)

    def _change(
        self, space: str, key: str, before: str | None, after: Value | None, ttl: float | None,
    ) -> bool:
        if before is None:
            return after is None or self.add(space, key, after, ttl=ttl)
        if after is None:
            return self._remove(space, key, before)
        return self._swap(space, key, before, encode(after), ttl)

    @abstractmethod
    def _read(self, space: str, key: str) -> str | None:
        """Return a live record's text."""

    @abstractmethod
    def _put(self, space: str, key: str, text: str, ttl: float | None) -> None:
        """Write a record."""

    @abstractmethod
    def _add(self, space: str, key: str, text: str, ttl: float | None) -> bool:
        """Write a record unless a live one is there; tell whether it was written."""

    @abstractmethod
    def _swap(self, space: str, key: str, before: str, after: str, ttl: float | None) -> bool:
        """Write a record if a live one with the text `before` is there; tell whether it was."""

    @abstractmethod
    def _remove(self, space: str, key: str, before: str | None) -> bool:
        """Remove a live record, of this text if not None; tell whether it was there."""

    @abstractmethod
    def _page(
        self, space: str, after: bytes,
    ) -> tuple[Sequence[tuple[str, str]], bytes | None]:
        """Return some keys and texts behind the mark `after` (b"": from the start), and the next.

        The next mark is None where there is no more.
        """


def key_bytes(text: str) -> bytes:
    """Return a space or key as the octets it is kept as: any text has some, and no two the same."""
    return text.encode("utf-8", "surrogatepass")


def key_text(raw: bytes) -> str:
    """Return the space or key that `key_bytes` made octets of."""
    return raw.decode("utf-8", "surrogatepass")
