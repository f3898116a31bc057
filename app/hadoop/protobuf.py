"""Protocol Buffers on the wire, as far as Hadoop's messages need them.

To write a message its fields are made one by one and joined; to read one, its values are looked
up by field number. Hadoop's `.proto` files say which numbers there are; a hundred lines here are
faster than a general library, whose generated classes would have to be built and kept besides.
Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from typing import Any

VARINT, FIXED64, OCTETS, FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
_64_BITS = (1 << 64) - 1
_63_BITS = 1 << 63
_SHORT = tuple(bytes((value,)) for value in range(128))


class BadMessage(ValueError):
    """These are no well-formed fields."""


def varint(value: int) -> bytes:
    """Return an integer of up to 64 bits; a negative one as its two's complement."""
    if 0 <= value < 128:  # noqa: PLR2004 - seven bits go into an octet
        return _SHORT[value]
    value &= _64_BITS
    octets = bytearray()
    while value > 127:  # noqa: PLR2004
        octets.append(value & 127 | 128)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def number(field: int, value: int) -> bytes:
    """Return a field of an integer, a boolean or an enum."""
    return varint(field << 3 | VARINT) + varint(value)


def octets(field: int, value: bytes) -> bytes:
    """Return a field of octets, or of a message."""
    return varint(field << 3 | OCTETS) + varint(len(value)) + value


def text(field: int, value: str) -> bytes:
    """Return a field of text. Raises UnicodeEncodeError for what is no Unicode."""
    return octets(field, value.encode())


def delimited(message: bytes) -> bytes:
    """Return a message with its length before it."""
    return varint(len(message)) + message


def signed(value: int) -> int:
    """Return what an int32 or int64 field says, where `decode` gave its octets as unsigned."""
    return value - (1 << 64) if value >= _63_BITS else value


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Return an integer and the position behind it. Raises BadMessage."""
    value = shift = 0
    try:
        while True:
            octet = data[position]
            position += 1
            value |= (octet & 127) << shift
            if octet < 128:  # noqa: PLR2004
                return value & _64_BITS, position
            shift += 7
            if shift >= 7 * _LONGEST_VARINT:
                raise BadMessage("a number of more than 10 octets")
    except IndexError:
        raise BadMessage("a number is cut short") from None


def read_delimited(data: bytes, position: int) -> tuple[int, int]:
    """Return where the message at `position` begins, behind its length, and where it ends."""
    length, start = read_varint(data, position)
    if start + length > len(data):
        raise BadMessage("a message is cut short")
    return start, start + length


def decode(data: bytes, start: int = 0, end: int | None = None) -> dict[int, Any]:
    """Return the last value of each field: int, or bytes. Raises BadMessage."""
    return dict(_fields(data, start, end))


def decode_all(data: bytes, start: int = 0, end: int | None = None) -> dict[int, list[Any]]:
    """Return all values of each field in their order, for messages with repeated ones."""
    found: dict[int, list[Any]] = {}
    for field, value in _fields(data, start, end):
        found.setdefault(field, []).append(value)
    return found


def _fields(data: bytes, position: int, end: int | None) -> list[tuple[int, Any]]:
    stop = len(data) if end is None else end
    found: list[tuple[int, Any]] = []
    try:
        while position < stop:
            # Nearly all keys and lengths are short, and a call costs as much as the rest.
            key = data[position]
            position += 1
            if key > 127:  # noqa: PLR2004
                key, position = read_varint(data, position - 1)
            value: int | bytes = data[position]
            position += 1
            kind = key & 7
            if kind in (VARINT, OCTETS):
                if value > 127:  # type: ignore[operator]  # noqa: PLR2004
                    value, position = read_varint(data, position - 1)
                if kind == OCTETS:
                    length: int = value  # type: ignore[assignment]
                    value = data[position:position + length]
                    position += length
            elif kind in (FIXED32, FIXED64):
                width = 8 if kind == FIXED64 else 4
                value = int.from_bytes(data[position - 1:position - 1 + width], "little")
                position += width - 1
            else:
                raise BadMessage(f"a field of kind {kind}")
            found.append((key >> 3, value))
    except IndexError:
        raise BadMessage("a field is cut short") from None
    if position != stop:
        raise BadMessage("a field is longer than its message")
    return found
