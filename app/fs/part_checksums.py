"""The checksums of an object's parts, as they are kept beside it: raw, one after the other.

Few of them lie in the object's record, more in further xattrs of its file, as one of those holds
16 KiB. A file has up to 32 xattrs, which all live in the NameNode's memory: MOST are used at most.
That is enough for 10,000 parts with any CRC or XXHASH of 64 bits, 7,500 with MD5 or XXHASH128,
6,000 with SHA1, 3,750 with SHA256 and 1,875 with SHA512. Of an object of more parts than these none
is kept, and so none is told; its own checksum is not touched by it.

They count for an object whose record (which knows its version) says that it was made of so many
parts, and has a checksum of one kind.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.core.objects import ObjectMeta

NAME = "user.httpfs-proxy.part-checksums-"
XATTR_OCTETS = 15_000
MOST = 8
RECORD_OCTETS = 2_048
"""Up to which they lie in the record, so that tags which come later find room there."""
_OCTETS = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "MD5": 16, "SHA1": 20, "SHA256": 32,
           "SHA512": 64, "XXHASH128": 16, "XXHASH3": 8, "XXHASH64": 8}


def keepable(kind: str, values: Sequence[str]) -> tuple[str, ...]:
    """Return the parts' checksums (Base64), () where a part has none or they are too many."""
    raw = _joined(kind, values)
    return tuple(values) if 0 < len(raw) <= MOST * XATTR_OCTETS else ()


def to_record(meta: ObjectMeta) -> str:
    """Return what the object's record holds of them (Base64), "" where they do not belong there."""
    raw = _raw_of(meta)
    return base64.b64encode(raw).decode("ascii") if len(raw) <= RECORD_OCTETS else ""


def from_record(text: str, meta: ObjectMeta) -> tuple[str, ...]:
    """Return those that `to_record` made this text of. Raises ValueError where it did not."""
    values = _split(base64.b64decode(text, validate=True), meta)
    if not values:
        raise ValueError(text)
    return values


def to_xattrs(meta: ObjectMeta) -> dict[str, bytes]:
    """Return the xattrs that hold those which do not go into the record."""
    raw = _raw_of(meta)
    if not RECORD_OCTETS < len(raw) <= MOST * XATTR_OCTETS:
        return {}
    return {f"{NAME}{i}": raw[start:start + XATTR_OCTETS]
            for i, start in enumerate(range(0, len(raw), XATTR_OCTETS))}


def from_xattrs(xattrs: Mapping[str, bytes], meta: ObjectMeta) -> tuple[str, ...]:
    """Return the checksums of the object's parts, whose sizes are known, () where none are kept."""
    values = meta.part_checksums
    if not values and f"{NAME}0" in xattrs:
        values = _split(b"".join(xattrs.get(f"{NAME}{i}", b"") for i in range(MOST)), meta)
    return values if len(values) == len(meta.part_sizes) else ()


def _raw_of(meta: ObjectMeta) -> bytes:
    kind, count = _kind_and_count(meta)
    return _joined(kind, meta.part_checksums) if len(meta.part_checksums) == count else b""


def _joined(kind: str, values: Sequence[str]) -> bytes:
    """Return the raw checksums in a row, b"" where one is none of this kind."""
    try:
        raw = [base64.b64decode(value, validate=True) for value in values]
    except ValueError:
        return b""
    octets = _OCTETS.get(kind)
    return b"".join(raw) if all(len(one) == octets for one in raw) else b""


def _split(raw: bytes, meta: ObjectMeta) -> tuple[str, ...]:
    """Return the checksums in `raw`, () unless they are as many as the parts."""
    kind, count = _kind_and_count(meta)
    octets = _OCTETS.get(kind, 0)
    if not octets or len(raw) != octets * count:
        return ()
    return tuple(base64.b64encode(raw[start:start + octets]).decode("ascii")
                 for start in range(0, len(raw), octets))


def _kind_and_count(meta: ObjectMeta) -> tuple[str, int]:
    """Return the kind of the object's one checksum and its number of parts, "" and 0 without."""
    _, _, count = meta.etag.partition("-")
    if len(meta.checksums) != 1 or not count or not meta.upload:
        return "", 0
    return next(iter(meta.checksums)), int(count)
