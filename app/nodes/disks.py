"""How busy the disks are that the cache's directories lie on, by Linux's /proc/diskstats."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_SECTOR = 512
LEAST_SECONDS = 1.0
"""A rate over less than this is an accident."""


class DiskRates(NamedTuple):
    """Bytes read and written a second, and per cent of the time in which anything was."""

    read: int
    written: int
    busy: int


class Disks:
    """Tells rates since it was asked last, for disks seen then too."""

    def __init__(self) -> None:
        self._at = float("-inf")
        self._counts: dict[str, tuple[int, int, int]] = {}
        self._rates: dict[str, DiskRates] = {}

    def rates(self, paths: Iterable[str]) -> dict[str, DiskRates]:
        """Return the rates of the disks of these directories, by the kernel's names.

        What lies on no disk (a network's or memory's file system) has none.
        """
        now = time.monotonic()
        seconds = now - self._at
        if seconds < LEAST_SECONDS:
            return self._rates
        names = {name for path in paths if (name := _disk_of(path))}
        counts = {name: each for name, each in _counts().items() if name in names}
        self._rates = {
            name: DiskRates(*_per_second(before, counts[name], seconds))
            for name, before in self._counts.items() if name in counts}
        self._at, self._counts = now, counts
        return self._rates


def _per_second(
    before: tuple[int, int, int], after: tuple[int, int, int], seconds: float,
) -> tuple[int, int, int]:
    read, written, busy = ((new - old) / seconds for new, old in zip(after, before, strict=True))
    return int(read * _SECTOR), int(written * _SECTOR), min(int(busy / 10), 100)


def _disk_of(path: str) -> str:
    """Return the name of the block device that a directory lies on, "" where that is none."""
    try:
        device = Path(path).stat().st_dev
        link = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}")
        return link.resolve(strict=True).name
    except OSError:
        return ""


def _counts() -> dict[str, tuple[int, int, int]]:
    """Return sectors read, sectors written and milliseconds busy so far, by device."""
    try:
        lines = Path("/proc/diskstats").read_text().splitlines()
    except OSError:
        return {}
    fields = [line.split() for line in lines]
    return {each[2]: (int(each[5]), int(each[9]), int(each[12])) for each in fields}
