"""Checksums of objects as AIStore has them: made while a body passes, compared with what was sent.

Beside the MD5, which is the ETag that S3 shows, one checksum of the bucket's kind is made and kept
with the object. A PUT may name the one that its body must have, in the headers of 2020
(`ObjCksumType`, `ObjCksumVal`) or of 2021 (`Checksum.type`, `Checksum.value`).
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

import xxhash
from awscrt import checksums as crt

from app.core.errors import DigestMismatch, InvalidParameter
from app.web.overlap import Overlap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from werkzeug.datastructures import Headers

    from app.core.objects import ObjectInfo

NONE, DEFAULT, MD5 = "none", "xxhash", "md5"
_MD5_ETAG = re.compile(r"[0-9a-f]{32}")
_TYPE_HEADERS = ("ObjCksumType", "Checksum.type")
_VALUE_HEADERS = ("ObjCksumVal", "Checksum.value")


class Digest(Protocol):
    """A checksum in the making."""

    def update(self, piece: bytes, /) -> None:
        """Take more bytes."""

    def hexdigest(self) -> str:
        """Return the checksum of the bytes so far in lower-case hex, big-endian."""


class _Crc32c:
    """CRC-32C (RFC 3720, appendix B.4)."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, piece: bytes, /) -> None:
        self._value = crt.crc32c(piece, self._value)

    def hexdigest(self) -> str:
        return f"{self._value:08x}"


KINDS: dict[str, Callable[[], Digest]] = {
    DEFAULT: xxhash.xxh64,
    MD5: lambda: hashlib.md5(usedforsecurity=False),
    "crc32c": _Crc32c,
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
}
"""The kinds of checksums that AIStore knows, but `none`."""


class Promise(NamedTuple):
    """What a request says the checksum of its body is; `kind` is "" where it says nothing.

    `value` is lower-case hex.
    """

    kind: str = ""
    value: str = ""


def promised(headers: Headers, default: str) -> Promise:
    """Return what the headers promise; a value without a type is of the kind `default`.

    Raises InvalidParameter for a type that is unknown and for a value that none has.
    """
    value = _first(headers, _VALUE_HEADERS)
    kind = _first(headers, _TYPE_HEADERS) or default
    if not value or kind == NONE:
        return Promise()
    if kind not in KINDS:
        raise InvalidParameter(_TYPE_HEADERS[0], kind, ", ".join((*KINDS, NONE)))
    length = len(KINDS[kind]().hexdigest())
    if not re.fullmatch(f"[0-9a-f]{{{length}}}", value.lower()):
        raise InvalidParameter(_VALUE_HEADERS[0], value, f"{length} hexadecimal digits")
    return Promise(kind, value.lower())


def _first(headers: Headers, names: Iterable[str]) -> str:
    return next((value.strip() for name in names if (value := headers.get(name))), "")


class Digests:
    """The checksums of one body: MD5, the bucket's kind, and the one that was promised."""

    def __init__(self, kind: str, promise: Promise) -> None:
        self._kind = kind
        self._promise = promise
        kinds = {MD5, kind, promise.kind} & set(KINDS)
        self._sums = {one: KINDS[one]() for one in sorted(kinds)}
        self._hashing = Overlap(self._hash)

    def update(self, piece: bytes) -> None:
        """Take more bytes."""
        self._hashing.feed(piece)

    def _hash(self, piece: bytes) -> None:
        for one in self._sums.values():
            one.update(piece)

    def verify(self) -> None:
        """Raise DigestMismatch unless the body has the checksum that was promised."""
        self._hashing.settle()
        if not self._promise.kind:
            return
        kind, expected = self._promise
        actual = self._sums[kind].hexdigest()
        if actual != expected:
            raise DigestMismatch(_VALUE_HEADERS[0], kind, expected, actual)

    @property
    def etag(self) -> str:
        """The MD5 in hex."""
        self._hashing.settle()
        return self._sums[MD5].hexdigest()

    @property
    def kept(self) -> dict[str, str]:
        """What is to be kept with the object beside its ETag, which tells the MD5 already."""
        self._hashing.settle()
        return {kind: self._sums[kind].hexdigest()
                for kind in (self._kind,) if kind in self._sums and kind != MD5}


def known_digest(info: ObjectInfo) -> tuple[str, str]:
    """Return type and value of a checksum that an object has for certain; two "" for none.

    It is the one kept with it, else the MD5 where that is the ETag: parts that were joined, and
    what others wrote, have neither.
    """
    for kind, value in info.meta.digests.items():
        return kind, value
    if _MD5_ETAG.fullmatch(info.meta.etag):
        return MD5, info.meta.etag
    return "", ""
