"""A file's bytes by the DataNodes' own protocol, and the rest by WebHDFS where that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.fs.native_faults import LANE_FAULTS
from app.hadoop.file_reading import NotPlain, ReadFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.fs.port import ByteSource
    from app.hadoop.file_reading import FileReader

READ_FAULTS = (*LANE_FAULTS, NotPlain, ReadFailed)
"""What a FileReader raises when it has begun."""


class NativeSource:
    """`length` bytes from `offset`; `other` opens another source for what is missing of them.

    It gets the offset, the length, and why the reader does not go on. The file is one that does not
    change, whatever happens to its name.
    """

    def __init__(
        self, reader: FileReader, offset: int, length: int,
        other: Callable[[int, int, Exception], ByteSource],
    ) -> None:
        self._reader: FileReader | ByteSource = reader
        self._other: Callable[[int, int, Exception], ByteSource] | None = other
        self._offset = offset
        self._left = length

    def read(self, size: int) -> bytes:
        """Return 1 to `size` bytes, b"" at the end. Raises UpstreamError, also when cut short."""
        try:
            data = self._reader.read(size)
        except READ_FAULTS as error:
            if self._other is None:
                raise
            self._reader.close()
            other, self._other = self._other, None
            self._reader = other(self._offset, self._left, error)
            data = self._reader.read(size)
        self._offset += len(data)
        self._left -= len(data)
        if not self._left:
            self._reader.close()  # who counts reads no further
        return data

    def close(self) -> None:
        """Let go of the connection; the end need not have been reached."""
        self._reader.close()
