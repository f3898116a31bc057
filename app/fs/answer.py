"""An upstream's answer: as much of `requests.Response` as is used here, read straight."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from app.fs.http_faults import BadAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FIRST_ERROR = 400
PIECE = 256 * 1024
MAX_CONTENT = 256 * 1024 * 1024
"""Bytes of JSON that are taken into memory; a directory listing of a million entries fits."""


class Answer:
    """The status and fields of an answer, and its body, which `read` takes from the peer."""

    __slots__ = ("_content", "_fields", "_headers", "status_code")

    def __init__(self, status_code: int, fields: list[tuple[bytes, bytes]]) -> None:
        self.status_code = status_code
        self._fields = fields
        self._headers: dict[str, str] | None = None
        self._content: bytes | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """The header fields by their names in lower case; the last of several counts."""
        if self._headers is None:
            self._headers = {
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in self._fields
            }
        return self._headers

    def values(self, name: str) -> list[str]:
        """Return all values of the field with this name in lower case."""
        wanted = name.encode("ascii")
        return [value.decode("latin-1") for field, value in self._fields
                if field.lower() == wanted]

    def __bool__(self) -> bool:
        """Tell whether the status is no error, as `requests` does."""
        return self.status_code < FIRST_ERROR

    def read(self, size: int) -> bytes:
        """Return 1 to `size` bytes of the body, b"" at its end. Raises RequestException."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the peer; a connection whose body was not read to its end is closed."""
        raise NotImplementedError

    @property
    def content(self) -> bytes:
        """The whole body, 256 MiB at most."""
        if self._content is None:
            self._content = self.limited(MAX_CONTENT)
        return self._content

    def limited(self, limit: int) -> bytes:
        """Return the whole body. Raises BadAnswer if it has more than `limit` bytes."""
        pieces: list[bytes] = []
        total = 0
        while piece := self.read(PIECE):
            total += len(piece)
            if total > limit:
                self.close()
                raise BadAnswer(f"the answer is larger than {limit} bytes")
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def json(self) -> Any:
        """Return the body's JSON value. Raises ValueError."""
        return json.loads(self.content)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body in pieces."""
        while piece := self.read(PIECE):
            yield piece
