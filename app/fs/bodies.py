"""The bodies of answers: already here, of a known length, chunked, or until the connection ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.fs.answer import Answer
from app.fs.http_faults import ShortBody

if TYPE_CHECKING:
    from app.fs.connection import Connection

class WholeAnswer(Answer):
    """An answer that had arrived whole with its head."""

    __slots__ = ("_rest",)

    def __init__(self, status: int, fields: list[tuple[bytes, bytes]], body: bytes) -> None:
        super().__init__(status, fields)
        self._content = self._rest = body

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes of what is left."""
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def close(self) -> None:
        """Forget the body."""
        self._rest = b""


class RawAnswer(Answer):
    """A body of known length, or (`left` is None) one that ends with the connection."""

    __slots__ = ("_connection", "_first", "_left")

    def __init__(
        self, status: int, fields: list[tuple[bytes, bytes]], connection: Connection,
        first: bytes, left: int | None,
    ) -> None:
        super().__init__(status, fields)
        self._connection: Connection | None = connection
        self._first = first
        self._left = left

    def read(self, size: int) -> bytes:
        """Return what one receive yields."""
        if self._first:
            data, self._first = self._first[:size], self._first[size:]
            return data
        connection = self._connection
        if connection is None:
            return b""
        if self._left is None:
            data = connection.take(size)
            if not data:
                self.close()
            return data
        data = connection.take(min(size, self._left))
        if not data:
            self.close()
            raise ShortBody(f"the body ended {self._left} bytes before its declared end")
        self._left -= len(data)
        if not self._left:
            self._connection = None
            connection.free(parsed=False)
        return data

    def close(self) -> None:
        """Close the connection unless the body was read to its end."""
        self._first = b""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class ChunkedAnswer(Answer):
    """A body in chunks."""

    __slots__ = ("_connection", "_rest")

    def __init__(
        self, status: int, fields: list[tuple[bytes, bytes]], connection: Connection,
    ) -> None:
        super().__init__(status, fields)
        self._connection: Connection | None = connection
        self._rest = connection.pieces()

    def read(self, size: int) -> bytes:
        """Return the content of the chunks that one receive yields."""
        if not self._rest:
            self._rest = self._more(size)
        if len(self._rest) <= size:
            data, self._rest = self._rest, b""
        else:
            data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def close(self) -> None:
        """Close the connection unless the body was read to its end."""
        self._rest = b""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _more(self, size: int) -> bytes:
        connection = self._connection
        if connection is None:
            return b""
        try:
            data = connection.content(size)
        except BaseException:
            self.close()
            raise
        if connection.complete:
            self._connection = None
            connection.free(parsed=True)
        return data
