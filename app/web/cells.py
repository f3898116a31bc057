"""Numbers of prometheus_client that are added to where they lie: in the file that is mapped.

Its own `inc` takes a lock, asks for the process id and packs two numbers, seven times a request.
This is one addition in memory, and what its MultiProcessCollector reads is the same file.
"""

from __future__ import annotations

from typing import Any, Protocol


class Cell(Protocol):
    """Something whose item 0 is a number."""

    def __getitem__(self, index: int, /) -> float:
        """Return the number."""

    def __setitem__(self, index: int, value: float, /) -> None:
        """Set the number."""


class _Asked:
    """A number that is not mapped: prometheus_client was imported before it was told of files."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __getitem__(self, _index: int) -> float:
        return float(self._value.get())

    def __setitem__(self, _index: int, value: float) -> None:
        self._value.set(value)


def cell(value: Any) -> Cell:
    """Return the cell of one of prometheus_client's values, whose own `inc` is called no more.

    Who adds to it from several threads needs a lock; a process that was forked off must let go of
    its parent's cells, whose files prometheus_client closes there, and ask for its own.
    """
    value.get()  # which makes it this process's own
    file = getattr(value, "_file", None)
    if file is None:
        return _Asked(value)
    place = file._positions[value._key]  # noqa: SLF001 - nothing public tells where it lies
    with memoryview(file._m) as mapped:  # noqa: SLF001
        return mapped[place:place + 8].cast("d")
