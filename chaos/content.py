"""What a file holds, known by how it was made: names of pieces instead of megabytes."""

from __future__ import annotations

import random
from typing import NamedTuple


class Piece(NamedTuple):
    """`size` bytes that only this label makes, so that no shift or mixture looks right."""

    label: str
    size: int

    def data(self) -> bytes:
        """Return the bytes."""
        return random.Random(self.label).randbytes(self.size)


Content = tuple[Piece, ...]
"""The content of a file, piece after piece."""


def data(content: Content) -> bytes:
    """Return the bytes of a content."""
    return b"".join(piece.data() for piece in content)


def is_content(found: bytes, content: Content) -> bool:
    """Tell whether these are exactly the bytes of a content."""
    return len(found) == length(content) and found == data(content)


def length(content: Content) -> int:
    """Return the number of bytes of a content."""
    return sum(piece.size for piece in content)
