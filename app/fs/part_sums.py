"""What a completed multipart upload is called by its parts: checks, ETag and checksums; no I/O.

The ETag is the MD5 of the parts' MD5s and `-N`. A COMPOSITE checksum is that of the parts'
checksums, and `-N`; a FULL_OBJECT one is that of the whole content, which CRCs can be put together
to (Amazon S3 User Guide, "Checking object integrity in Amazon S3").
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING

import xxhash
from awscrt import checksums as crt

from app.core.errors import InvalidRequest
from app.core.object_errors import InvalidPart, InvalidPartOrder, MalformedDocument, PartTooSmall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from app.core.objects import Part, PartClaim
    from app.fs.upload_layout import StoredPart

FULL_OBJECT, COMPOSITE = "FULL_OBJECT", "COMPOSITE"
DEFAULT_KIND = "CRC64NVME"
"""The kind that an object gets where the client named none, and all parts have it."""
_COMBINE: dict[str, tuple[Callable[[int, int, int], int], int]] = {
    "CRC32": (crt.combine_crc32, 4),
    "CRC32C": (crt.combine_crc32c, 4),
    "CRC64NVME": (crt.combine_crc64nvme, 8),
}
_COMPOSE: dict[str, Callable[[bytes], bytes]] = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "CRC32C": lambda data: crt.crc32c(data).to_bytes(4, "big"),
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).digest(),
    "SHA1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
    "SHA512": lambda data: hashlib.sha512(data).digest(),
    "XXHASH128": xxhash.xxh3_128_digest,
    "XXHASH3": xxhash.xxh3_64_digest,
    "XXHASH64": xxhash.xxh64_digest,
}


def chosen(
    claims: Sequence[PartClaim], parts: Iterable[StoredPart], least: int,
) -> list[StoredPart]:
    """Return the part that each claim means: of several the one uploaded last.

    Raises MalformedDocument, InvalidPartOrder, InvalidPart, PartTooSmall.
    """
    check_order(claims)
    wanted = {claim.number: claim for claim in claims}
    found: dict[int, StoredPart] = {}
    for one in parts:
        claim = wanted.get(one.part.number)
        if claim and _is_meant(claim, one.part):
            other = found.get(claim.number, one)
            found[claim.number] = max(one, other, key=lambda part: part.serial)
    for claim in claims:
        if claim.number not in found:
            raise InvalidPart(f"part {claim.number} was not uploaded, or has another ETag or"
                              " checksum")
    ordered = [found[claim.number] for claim in claims]
    for one in ordered[:-1]:
        if one.part.size < least:
            raise PartTooSmall(one.part.number, one.part.etag, one.part.size, least)
    return ordered


def check_order(claims: Sequence[PartClaim]) -> None:
    """Raise unless there are claims, in ascending order."""
    if not claims:
        raise MalformedDocument("an upload is completed with at least one part")
    for before, claim in pairwise(claims):
        if claim.number <= before.number:
            raise InvalidPartOrder(f"part {claim.number} comes after part {before.number}")


def claimed_etag(claim: PartClaim) -> str:
    """Return the MD5 that a claim names."""
    return claim.etag.strip('"').lower()


def _is_meant(claim: PartClaim, part: Part) -> bool:
    return claimed_etag(claim) == part.etag and all(
        part.checksums.get(kind) == value for kind, value in claim.checksums.items())


def etag_of(parts: Sequence[Part]) -> str:
    """Return the ETag of the object made of these parts."""
    joined = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(parts)}"


def type_of(algorithm: str, given: str) -> str:
    """Return the type of checksum that an upload has where the client gave `given`."""
    return given or (FULL_OBJECT if algorithm in ("", DEFAULT_KIND) else COMPOSITE)


def check_type(algorithm: str, kind_of_sum: str) -> None:
    """Raise InvalidRequest where no checksum of this type can be made of those of parts."""
    allowed = _COMPOSE if kind_of_sum == COMPOSITE else _COMBINE
    if algorithm and algorithm not in allowed:
        raise InvalidRequest(f"the checksum type {kind_of_sum} does not go with {algorithm};"
                             f" it does with {', '.join(allowed)}")


def checksums_of(parts: Sequence[Part], algorithm: str, kind_of_sum: str) -> dict[str, str]:
    """Return the object's checksum by its algorithm; empty where a part has none of it."""
    algorithm = algorithm or DEFAULT_KIND
    values = [part.checksums.get(algorithm, "") for part in parts]
    if not all(values):
        return {}
    raw = [base64.b64decode(value) for value in values]
    if kind_of_sum == COMPOSITE:
        return {algorithm: f"{_base64(_COMPOSE[algorithm](b''.join(raw)))}-{len(parts)}"}
    combine, size = _COMBINE[algorithm]
    sums = zip(raw, (part.size for part in parts), strict=True)
    whole = reduce(
        lambda so_far, one: combine(so_far, int.from_bytes(one[0], "big"), one[1]), sums, 0)
    return {algorithm: _base64(whole.to_bytes(size, "big"))}


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
