"""Checksums of S3: computed in one pass over a body, compared with what came along, and told.

A body may come with a Content-MD5, with the SHA-256 that was signed (x-amz-content-sha256), and
with one checksum of ten kinds in a header or in a trailer (Amazon S3 User Guide, "Checking object
integrity"). Its MD5 is always made: it is the ETag. Where the client names no kind, CRC64NVME is
made, as S3 does.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from typing import TYPE_CHECKING, NamedTuple, Protocol

import xxhash
from awscrt import checksums as crt

from app.core.errors import InvalidRequest, Unsupported
from app.s3.errors import S3Error, invalid_argument
from app.web.overlap import Overlap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

PREFIX = "x-amz-checksum-"
DEFAULT = "CRC64NVME"
FULL_OBJECT, COMPOSITE = "FULL_OBJECT", "COMPOSITE"
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
STREAMING = (SIGNED_CHUNKS, SIGNED_TRAILER, UNSIGNED_TRAILER)
_NOT_A_KIND = ("algorithm", "type", "mode")
_PART_COUNT = re.compile("-[0-9]{1,5}$")
_SHA256_HEX = re.compile("[0-9a-f]{64}")


class Sum(Protocol):
    """A checksum in the making."""

    def update(self, piece: bytes, /) -> None:
        """Take more bytes."""

    def digest(self) -> bytes:
        """Return the checksum of the bytes so far, big-endian."""


class _Crc:
    """A CRC of `size` bytes, made by a function of a piece and the CRC so far."""

    def __init__(self, function: Callable[[bytes, int], int], size: int) -> None:
        self._function = function
        self._size = size
        self._value = 0

    def update(self, piece: bytes, /) -> None:
        self._value = self._function(piece, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


class Kind(NamedTuple):
    """One kind of checksum: its bytes, and whether that of a whole is made of those of parts."""

    size: int
    start: Callable[[], Sum]
    full_object: bool
    composite: bool


KINDS = {
    "CRC32": Kind(4, lambda: _Crc(zlib.crc32, 4), full_object=True, composite=True),
    "CRC32C": Kind(4, lambda: _Crc(crt.crc32c, 4), full_object=True, composite=True),
    "CRC64NVME": Kind(8, lambda: _Crc(crt.crc64nvme, 8), full_object=True, composite=False),
    "MD5": Kind(16, lambda: hashlib.md5(usedforsecurity=False), full_object=False, composite=True),
    "SHA1": Kind(20, lambda: hashlib.sha1(usedforsecurity=False), full_object=False,
                 composite=True),
    "SHA256": Kind(32, hashlib.sha256, full_object=False, composite=True),
    "SHA512": Kind(64, hashlib.sha512, full_object=False, composite=True),
    "XXHASH128": Kind(16, xxhash.xxh3_128, full_object=False, composite=True),
    "XXHASH3": Kind(8, xxhash.xxh3_64, full_object=False, composite=True),
    "XXHASH64": Kind(8, xxhash.xxh64, full_object=False, composite=True),
}
NAMES = ", ".join(KINDS)


def header_of(kind: str) -> str:
    """Return the header that a checksum of this kind stands in."""
    return PREFIX + kind.lower()


def kind_named(text: str, header: str) -> str:
    """Return the kind called `text` in any case. Raises InvalidRequest naming the `header`."""
    if text.upper() not in KINDS:
        if header == "x-amz-checksum-algorithm":
            raise InvalidRequest("Checksum algorithm provided is unsupported. Please try again"
                                 f" with any of the valid types: [{NAMES}]")
        raise InvalidRequest(f"Value for {header} header is invalid.")
    return text.upper()


def base64_of(digest: bytes) -> str:
    """Return a digest as headers write it."""
    return base64.b64encode(digest).decode("ascii")


def raw_of(text: str, size: int) -> bytes | None:
    """Return the `size` bytes that Base64 text stands for; None where it does not."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == size else None


class Promise(NamedTuple):
    """What a request says its body will be. `md5` and `sha256` in hex, "" for not said.

    `kind` is the checksum's, "" for none; its `value` is Base64, "" where it comes in a trailer.
    """

    md5: str = ""
    sha256: str = ""
    kind: str = ""
    value: str = ""

    @property
    def trailing(self) -> bool:
        """Tell whether a trailer was announced."""
        return bool(self.kind) and not self.value

    @property
    def announced(self) -> set[str]:
        """The names of the trailers that must come."""
        return {header_of(self.kind)} if self.trailing else set()


def promised(headers: Mapping[str, str], payload_hash: str) -> Promise:
    """Return what the headers (lower-case names) promise of the body.

    Raises S3Error, InvalidRequest, Unsupported for what cannot be a promise.
    """
    announced = _announced(headers.get("x-amz-trailer", "")) if payload_hash.endswith(
        "-TRAILER") else []
    kind, value = checksum_given(headers, announced)
    _check_named(headers.get("x-amz-sdk-checksum-algorithm"), kind)
    return Promise(_content_md5(headers.get("content-md5")), _payload_sha256(payload_hash),
                   kind, value)


def _content_md5(given: str | None) -> str:
    if given is None:
        return ""
    raw = raw_of(given.strip(), 16)
    if raw is None:
        raise S3Error("InvalidDigest", **{"Content-MD5": given})
    return raw.hex()


def _payload_sha256(payload_hash: str) -> str:
    if payload_hash in ("", "UNSIGNED-PAYLOAD", *STREAMING):
        return ""
    if payload_hash.startswith("STREAMING-AWS4-ECDSA"):
        raise Unsupported("signatures of SigV4A (ECDSA) are not supported; use"
                          " AWS4-HMAC-SHA256")
    if not _SHA256_HEX.fullmatch(payload_hash):
        raise invalid_argument(
            "x-amz-content-sha256", payload_hash,
            f"x-amz-content-sha256 must be UNSIGNED-PAYLOAD, {', '.join(STREAMING)} or a valid"
            " sha256 value.")
    return payload_hash


def checksum_given(
    headers: Mapping[str, str], announced: Sequence[str] = (), *, composite: bool = False,
) -> tuple[str, str]:
    """Return the one kind of checksum that headers give, and its value; two "" for none.

    The value of an `announced` kind is "": it comes in a trailer. A `composite` one may end in the
    number of parts. Raises InvalidRequest for several and for what is none.
    """
    given = {name: value for name, value in headers.items()
             if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in _NOT_A_KIND}
    if len(given) + len(announced) > 1:
        raise InvalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types"
                             " are not allowed.")
    kind, value = announced[0] if announced else "", ""
    for name, text in given.items():
        kind, value = name.removeprefix(PREFIX).upper(), text.strip()
        if kind not in KINDS:
            raise InvalidRequest("The algorithm type you specified in x-amz-checksum- header is"
                                 " invalid.")
        encoded = _PART_COUNT.sub("", value) if composite else value
        if raw_of(encoded, KINDS[kind].size) is None:
            raise S3Error("BadDigest", f"Value for {name} header is invalid.")
    return kind, value


def _announced(header: str) -> list[str]:
    """Return the kinds that x-amz-trailer announces. Raises InvalidRequest for other names."""
    kinds = []
    for part in header.split(","):
        name = part.strip().lower()
        kind = name.removeprefix(PREFIX).upper()
        if not name:
            continue
        if not name.startswith(PREFIX) or kind not in KINDS:
            raise InvalidRequest("The value specified in the x-amz-trailer header is not"
                                 " supported")
        kinds.append(kind)
    return kinds


def _check_named(named: str | None, kind: str) -> None:
    """Refuse a name of a kind (x-amz-sdk-checksum-algorithm) that is not the one sent."""
    if named is None:
        return
    if kind_named(named.strip(), "x-amz-sdk-checksum-algorithm") == kind:
        return
    if kind:
        raise InvalidRequest("Value for x-amz-sdk-checksum-algorithm header is invalid.")
    raise InvalidRequest("x-amz-sdk-checksum-algorithm specified, but no corresponding"
                         " x-amz-checksum-* or x-amz-trailer headers were found.")


class Tally:
    """The checksums of one body: MD5 for the ETag, and those of `kinds`."""

    def __init__(self, kinds: Iterable[str], *, sha256: bool = False) -> None:
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sums: dict[str, Sum] = {
            kind: self._md5 if kind == "MD5" else KINDS[kind].start() for kind in kinds}
        self._sha256: Sum | None = None
        if sha256:
            self._sha256 = self._sums.get("SHA256") or hashlib.sha256()
        self._all = list({id(s): s for s in (self._md5, *self._sums.values(), self._sha256)
                          if s is not None}.values())
        self._hashing = Overlap(self._hash)
        self.size = 0

    def update(self, piece: bytes) -> None:
        """Take more bytes."""
        self.size += len(piece)
        self._hashing.feed(piece)

    def _hash(self, piece: bytes) -> None:
        for one in self._all:
            one.update(piece)

    @property
    def etag(self) -> str:
        """The MD5 in hex."""
        self._hashing.settle()
        return self._md5.hexdigest()

    @property
    def checksums(self) -> dict[str, str]:
        """The checksums by their kinds, in Base64."""
        self._hashing.settle()
        return {kind: base64_of(one.digest()) for kind, one in self._sums.items()}

    def keep(self, promise: Promise, trailers: Mapping[str, str]) -> None:
        """Raise S3Error unless the body is what was promised.

        `trailers` are those that came, by lower-case names, the signature's left out.
        """
        self._hashing.settle()
        if promise.sha256 and self._sha256 and self._sha256.digest().hex() != promise.sha256:
            raise S3Error("XAmzContentSHA256Mismatch",
                          ClientComputedContentSHA256=promise.sha256,
                          S3ComputedContentSHA256=self._sha256.digest().hex())
        if promise.md5 and promise.md5 != self.etag:
            raise S3Error("BadDigest", "The Content-MD5 you specified did not match what we"
                          " received.", ExpectedDigest=promise.md5, CalculatedDigest=self.etag)
        value = _trailing_value(promise, trailers)
        if promise.kind and value != self.checksums[promise.kind]:
            raise S3Error("BadDigest", f"The {promise.kind} you specified did not match the"
                                       " calculated checksum.")


def _trailing_value(promise: Promise, trailers: Mapping[str, str]) -> str:
    """Return the checksum that was promised, now that the trailers are known."""
    if trailers.keys() != promise.announced:
        raise S3Error("MalformedTrailerError")
    if not promise.trailing:
        return promise.value
    value = trailers[header_of(promise.kind)]
    if raw_of(value, KINDS[promise.kind].size) is None:
        raise InvalidRequest(f"Value for {header_of(promise.kind)} trailing header is invalid.")
    return value
