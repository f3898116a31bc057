"""The data files on disk: what a DataNode keeps of its blocks.

A file of HDFS is a list of blocks; each is a stretch of a data file, and one upload makes one
data file. What is committed of a data file never changes; an append writes beyond it.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

READ_SIZE: Final = 256 * 1024
_EAGER_DESCRIPTORS: Final = 64


@dataclass(frozen=True, slots=True)
class Stretch:
    """`length` bytes of the data file `data` from `start`."""

    data: int
    start: int
    length: int


class DataFiles:
    """The folder of data files, 256 sub-folders wide."""

    def __init__(self, directory: Path) -> None:
        self._directory = os.fspath(directory)

    def install(self) -> None:
        """Make the sub-folders."""
        for number in range(256):
            Path(self._directory, f"{number:02x}").mkdir(parents=True, exist_ok=True)

    def path(self, data: int) -> str:
        """Say where a data file lies."""
        return f"{self._directory}/{data & 0xFF:02x}/{data}"

    def create(self, data: int) -> int:
        """Make a new data file; returns a descriptor to write it."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        return os.open(self.path(data), flags, 0o600)

    def extend(self, data: int, length: int) -> int:
        """Open a data file to write behind its first `length` bytes, cutting what lies there."""
        descriptor = os.open(self.path(data), os.O_WRONLY | os.O_CLOEXEC)
        os.ftruncate(descriptor, length)
        os.lseek(descriptor, length, os.SEEK_SET)
        return descriptor

    def open(self, data: int) -> int:
        """Open a data file for reading."""
        return os.open(self.path(data), os.O_RDONLY | os.O_CLOEXEC)

    def cut(self, data: int, length: int) -> None:
        """Take off what lies behind the first `length` bytes."""
        with suppress(FileNotFoundError):
            os.truncate(self.path(data), length)

    def remove(self, data: int) -> None:
        """Remove a data file; readers that have it open keep it."""
        with suppress(FileNotFoundError):
            os.remove(self.path(data))  # noqa: PTH107 - a Path costs more than the call


def merged(stretches: list[Stretch]) -> list[Stretch]:
    """Join stretches that follow each other in one data file."""
    result: list[Stretch] = []
    for stretch in stretches:
        last = result[-1] if result else None
        if last and last.data == stretch.data and last.start + last.length == stretch.start:
            result[-1] = Stretch(last.data, last.start, last.length + stretch.length)
        elif stretch.length:
            result.append(stretch)
    return result


class Reader:
    """The bytes of some stretches as an iterable of pieces, read from descriptors of its own.

    Descriptors are opened at once, so that the bytes stay readable when the file is replaced;
    a file of very many data files opens the later ones when it gets there.
    """

    def __init__(self, files: DataFiles, stretches: list[Stretch]) -> None:
        self._files = files
        self._stretches = merged(stretches)
        self._open: dict[int, int] = {}
        try:
            for stretch in self._stretches[:_EAGER_DESCRIPTORS]:
                self._descriptor(stretch.data)
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        """Yield pieces; raises OSError where a data file is shorter than committed or gone."""
        last_use = {stretch.data: index for index, stretch in enumerate(self._stretches)}
        try:
            for index, stretch in enumerate(self._stretches):
                yield from self._pieces(stretch)
                if last_use[stretch.data] == index:
                    os.close(self._open.pop(stretch.data))
        finally:
            self.close()

    def close(self) -> None:
        """Close what is open."""
        while self._open:
            os.close(self._open.popitem()[1])

    def _pieces(self, stretch: Stretch) -> Iterator[bytes]:
        descriptor = self._descriptor(stretch.data)
        position, end = stretch.start, stretch.start + stretch.length
        while position < end:
            piece = os.pread(descriptor, min(READ_SIZE, end - position), position)
            if not piece:
                raise OSError(f"data file {stretch.data} ends at {position} of {end} bytes")
            position += len(piece)
            yield piece

    def _descriptor(self, data: int) -> int:
        if data not in self._open:
            self._open[data] = self._files.open(data)
        return self._open[data]
