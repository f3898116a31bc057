"""Tokens as Hadoop writes them: `Token#encodeToUrlString`, and the identifier inside.

A token is identifier, password, kind and service, each with its length before it (a VInt of
org.apache.hadoop.io.WritableUtils); as text it is base64 of URLs without padding. An identifier is
a version (0), owner, renewer and real user, when it was issued and when it ends for good in epoch
milliseconds, and two numbers (AbstractDelegationTokenIdentifier#write).
"""

from __future__ import annotations

import base64
from typing import NamedTuple

_ONE_BYTE = range(-112, 128)
_POSITIVE, _NEGATIVE = -112, -120
_MOST_BYTES = 16 * 1024


class HadoopToken(NamedTuple):
    """What a client holds; nobody but who issued it understands `password`."""

    identifier: bytes
    password: bytes
    kind: str
    service: str

    def to_url_string(self) -> str:
        """Return it as one word for a URL."""
        parts = (self.identifier, self.password, self.kind.encode(), self.service.encode())
        raw = b"".join(vlong(len(part)) + part for part in parts)
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def from_url_string(text: str) -> HadoopToken:
    """Return the token that a word means. Raises ValueError."""
    if len(text) > _MOST_BYTES or not text.isascii():
        raise ValueError("no token is so long")
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    parts = []
    for _ in range(4):
        size, raw = _read_vlong(raw)
        if not 0 <= size <= len(raw):
            raise ValueError("the token is cut short")
        parts.append(raw[:size])
        raw = raw[size:]
    if raw:
        raise ValueError("something follows the token")
    return HadoopToken(parts[0], parts[1], parts[2].decode(), parts[3].decode())


def identifier(owner: str, renewer: str, issued: int, ends: int, number: int) -> bytes:
    """Return the identifier of a delegation token; times in epoch milliseconds."""
    texts = b"".join(vlong(len(text.encode())) + text.encode() for text in (owner, renewer, ""))
    return b"\0" + texts + vlong(issued) + vlong(ends) + vlong(number) + vlong(1)


def vlong(number: int) -> bytes:
    """Return a whole number as WritableUtils#writeVLong does."""
    if number in _ONE_BYTE:
        return number.to_bytes(1, "big", signed=True)
    first, rest = (_NEGATIVE, ~number) if number < 0 else (_POSITIVE, number)
    size = (rest.bit_length() + 7) // 8
    return (first - size).to_bytes(1, "big", signed=True) + rest.to_bytes(size, "big")


def _read_vlong(raw: bytes) -> tuple[int, bytes]:
    if not raw:
        raise ValueError("the token is cut short")
    first = int.from_bytes(raw[:1], "big", signed=True)
    if first in _ONE_BYTE:
        return first, raw[1:]
    negative = first < _NEGATIVE
    size = (_NEGATIVE if negative else _POSITIVE) - first
    if len(raw) <= size:
        raise ValueError("the token is cut short")
    rest = int.from_bytes(raw[1:size + 1], "big")
    return (~rest if negative else rest), raw[size + 1:]
