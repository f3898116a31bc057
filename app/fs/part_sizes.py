"""The sizes of an object's parts where there are too many different ones for its record.

10,000 parts of different sizes have up to 50 KiB even compressed, an xattr holds 16: they go into
several. They count for an object that was made of so many parts and has their bytes together.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.core.objects import ObjectMeta

NAME = "user.httpfs-proxy.parts-"
_XATTR_OCTETS = 15_000
_MAX_TEXT = 1024 * 1024


def to_xattrs(sizes: Sequence[int]) -> dict[str, bytes]:
    """Return the xattrs that hold the sizes (bytes)."""
    raw = zlib.compress(json.dumps(list(sizes), separators=(",", ":")).encode(), 9)
    return {f"{NAME}{i}": raw[start:start + _XATTR_OCTETS]
            for i, start in enumerate(range(0, len(raw), _XATTR_OCTETS))}


def from_xattrs(xattrs: Mapping[str, bytes], meta: ObjectMeta, length: int) -> tuple[int, ...]:
    """Return the sizes of the parts of an object of `length` bytes, () where they are not kept."""
    _, _, count = meta.etag.partition("-")
    if meta.part_sizes or not count:
        return meta.part_sizes
    sizes = _read(b"".join(xattrs.get(f"{NAME}{i}", b"") for i in range(len(xattrs))))
    fits = len(sizes) == int(count) and sum(sizes) == length
    return sizes if fits else ()


def _read(raw: bytes) -> tuple[int, ...]:
    try:
        reader = zlib.decompressobj()
        data = json.loads(reader.decompress(raw, _MAX_TEXT))
    except (zlib.error, ValueError, RecursionError):
        return ()
    if not isinstance(data, list) or not all(type(size) is int and size >= 0 for size in data):
        return ()
    return tuple(data)
