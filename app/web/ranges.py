"""Which bytes of a file a request asks for: Range (RFC 9110, section 14) or offset and length."""

from __future__ import annotations

import re

from app.core.errors import InvalidRequest, RangeNotSatisfiable
from app.core.model import ByteRange

_SPEC = re.compile(r"bytes=\s*(?:([0-9]+)\s*)?-\s*(?:([0-9]+)\s*)?", re.IGNORECASE)
_DIGITS = 19
"""What HDFS counts bytes with; a longer number is past the end of any file."""


def from_header(header: str, size: int) -> ByteRange | None:
    """Return the range of a Range header, None where it is to be ignored (RFC 9110, 14.2).

    Ignored are other units, malformed ones and more than one range: the whole file is a correct
    answer to those, and to who asks for the last bytes of an empty one (14.1.2). Raises
    RangeNotSatisfiable when the range lies past the end.
    """
    match = _SPEC.fullmatch(header.strip())
    if not match or match.group(1, 2) == (None, None):
        return None
    first, last = match.group(1, 2)
    if not first:
        if not _number(last):
            raise RangeNotSatisfiable(size, f"Range '{header}' holds no byte")
        length = min(_number(last), size)
        return ByteRange(size - length, length) if size else None
    start = _number(first)
    if last and _number(last) < start:
        return None
    if start >= size:
        raise RangeNotSatisfiable(size, f"Range '{header}' starts past the end")
    end = min(_number(last), size - 1) if last else size - 1
    return ByteRange(start, end - start + 1)


def _number(digits: str) -> int:
    """Return a position, or the largest there is."""
    return int(digits[-_DIGITS:]) if len(digits.lstrip("0")) <= _DIGITS else 10**_DIGITS


def from_parameters(offset: int, length: int | None, size: int) -> ByteRange:
    """Return the range of `offset` and `length`, cut to the file's `size`.

    An offset equal to the size is an empty range. Raises RangeNotSatisfiable for one past it.
    """
    if offset > size:
        raise RangeNotSatisfiable(size, f"offset {offset} lies past the end")
    rest = size - offset
    return ByteRange(offset, rest if length is None else min(length, rest))


def refuse_both(range_header: str | None, *, parameters: bool) -> None:
    """Raise InvalidRequest when a request has Range and offset or length."""
    if range_header and parameters:
        raise InvalidRequest("use either the Range header or the parameters offset and length")
