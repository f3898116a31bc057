"""Numbers of prometheus_client that are added to where they lie: in the file that is mapped.

Its own `inc` takes a lock, asks for the process id and packs two numbers, seven times a request.
This is one addition in memory, and what its MultiProcessCollector reads is the same file.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

_KINDS = ("counter", "gauge_livesum", "histogram")
"""What prometheus_client names its files by, as far as the gateway has such figures."""
_FIRST_ROOM = 1 << 16
"""The size that it makes them of."""


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
    _stay_ahead(file)
    place = file._positions[value._key]  # noqa: SLF001 - nothing public tells where it lies
    with memoryview(file._m) as mapped:  # noqa: SLF001
        return mapped[place:place + 8].cast("d")


def reserve(directory: Path) -> None:
    """Get the room on the disk for this process's figures before they are mapped.

    The kernel ends a process that writes where a mapped file has a hole and the disk no room.
    Raises OSError.
    """
    for kind in _KINDS:
        with (directory / f"{kind}_{os.getpid()}.db").open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, _FIRST_ROOM)


def _stay_ahead(file: Any) -> None:
    """Get the room that the file will be doubled to, as soon as half of it is used."""
    if file._used > file._capacity // 2:  # noqa: SLF001
        # Where there is none now, there is time left for it.
        with suppress(OSError):
            os.posix_fallocate(file._f.fileno(), 0, 2 * file._capacity)  # noqa: SLF001
