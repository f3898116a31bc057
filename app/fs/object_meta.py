"""What is kept beside an object's bytes, as one xattr of its file holds it.

The record says which version of the file it belongs to: its id, length and modification time (a
directory's changes with its content: there the id alone counts). A record of another version, or
one that somebody else made up, is as good as none. What has no record gets an ETag derived from
the version, with `-1` at its end so that nobody takes it for an MD5.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from dataclasses import replace
from itertools import chain, groupby, repeat
from typing import TYPE_CHECKING, Any

from app.core.errors import InvalidRequest
from app.core.mounts import split_id
from app.core.objects import META_NAME, SYSTEM_HEADERS, ObjectMeta
from app.fs import part_checksums

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.core.model import FileStatus

OBJECT = "user.httpfs-proxy.object"
IMPLIED = "user.httpfs-proxy.implied"
BUCKET = "user.httpfs-proxy.bucket"
MADE = "user.httpfs-proxy.made"
EMPTY_MD5 = "d41d8cd98f00b204e9800998ecf8427e"
MAX_RECORD = 14 * 1024
"""HDFS keeps 16 KiB for name and value (dfs.namenode.fs-limits.max-xattr-size)."""
_MAX_TEXT = 1024 * 1024
_COMPRESS_FROM = 512
_PLAIN = ord("{")
_MAX_PARTS = 10_000
_ETAG = re.compile(r"[0-9a-f]{32}(-[0-9]{1,5})?")
_DIGEST_KIND = re.compile(r"[a-z0-9]{1,16}")
_DIGEST = re.compile(r"[0-9a-f]{8,128}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_TYPES = ("FULL_OBJECT", "COMPOSITE")
_JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def derived_etag(status: FileStatus) -> str:
    """Return the ETag of a version that has no record."""
    if status.is_directory or not status.length:
        return EMPTY_MD5
    version = "-".join(map(str, _version(status)))
    return f"{hashlib.sha256(version.encode()).hexdigest()[:32]}-1"


def encode(meta: ObjectMeta, status: FileStatus) -> bytes:
    """Return the record of the version `status`. Raises InvalidRequest if it is too large.

    Checksums and sizes of parts are left out where they do not fit: there may be 10,000 of them.
    """
    data: dict[str, Any] = {
        "of": _version(status), "etag": meta.etag or derived_etag(status),
        "sums": dict(meta.checksums), "type": meta.checksum_type, "headers": dict(meta.headers),
        "user": dict(meta.user), "tags": list(meta.tags.items()), "parts": _runs(meta.part_sizes),
        "upload": meta.upload, "part-sums": part_checksums.to_record(meta),
        "digests": dict(meta.digests),
    }
    raw = packed(data)
    for name in ("part-sums", "parts"):
        if len(raw) > MAX_RECORD:
            del data[name]
            raw = packed(data)
    check_size(raw)
    return raw


def decode(raw: bytes | None, status: FileStatus) -> ObjectMeta:
    """Return what is kept beside the version `status`; `raw` is the xattr, None where none is."""
    data = unpacked(raw) if raw else None
    if data is not None and data.get("of") == _version(status):
        try:
            return _meta(data)
        except (AttributeError, KeyError, TypeError, ValueError):
            pass
    return ObjectMeta(etag=derived_etag(status))


def packed(data: dict[str, Any]) -> bytes:
    """Return a record without its empty fields, compressed where that helps."""
    kept = {name: value for name, value in data.items() if value}
    raw = _JSON.encode(kept).encode()
    return raw if len(raw) < _COMPRESS_FROM else zlib.compress(raw, 9)


def unpacked(raw: bytes) -> dict[str, Any] | None:
    """Return the record in `raw`, None where it is none."""
    try:
        if raw[0] != _PLAIN:
            reader = zlib.decompressobj()
            raw = reader.decompress(raw, _MAX_TEXT)
            if not reader.eof:
                return None
        data = json.loads(raw)
    except (zlib.error, ValueError, IndexError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def check_size(raw: bytes) -> None:
    """Raise InvalidRequest if a record is larger than HDFS keeps."""
    if len(raw) > MAX_RECORD:
        raise InvalidRequest(f"what is to be kept beside the content has {len(raw)} bytes;"
                             f" at most {MAX_RECORD} are possible")


def _version(status: FileStatus) -> list[int]:
    # The inode alone: the record stays with the file, whichever mount leads to it.
    inode, _ = split_id(status.file_id)
    return [inode] if status.is_directory else [inode, status.length, status.modification_time]


def _meta(data: dict[str, Any]) -> ObjectMeta:
    """Read a record that anybody may have written. Raises ValueError and its like."""
    etag, kind = data["etag"], data.get("type", _TYPES[0])
    if not _ETAG.fullmatch(etag) or kind not in _TYPES:
        raise ValueError(etag)
    texts = [_texts(data.get(name, {}).items()) for name in ("sums", "headers", "user")]
    if not set(texts[1]) <= set(SYSTEM_HEADERS) or not all(map(META_NAME.fullmatch, texts[2])):
        raise ValueError(texts)
    tags = _texts(data.get("tags", []))
    upload = data.get("upload", "")
    _check_text(upload)
    meta = ObjectMeta(etag, texts[0], kind, texts[1], texts[2], tags,
                      _sizes(data.get("parts", [])), upload,
                      digests=_digests(data.get("digests", {})))
    of_parts = data.get("part-sums")
    if not of_parts:
        return meta
    return replace(meta, part_checksums=part_checksums.from_record(of_parts, meta))


def _texts(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        _check_text(name)
        _check_text(value)
        found[name] = value
    return found


def _digests(given: dict[str, str]) -> dict[str, str]:
    for kind, value in given.items():
        if not _DIGEST_KIND.fullmatch(kind) or not _DIGEST.fullmatch(value):
            raise ValueError(given)
    return given


def _check_text(text: str) -> None:
    """Raise for what would break a header's line, and for what is no text."""
    if _CONTROL.search(text):
        raise ValueError(text)
    text.encode()


def _runs(sizes: tuple[int, ...]) -> list[list[int]]:
    return [[size, len(list(run))] for size, run in groupby(sizes)]


def _sizes(runs: list[list[int]]) -> tuple[int, ...]:
    if not all(isinstance(number, int) for run in runs for number in run):
        raise ValueError(runs)
    if any(size < 0 or count < 1 for size, count in runs):
        raise ValueError(runs)
    if sum(count for _, count in runs) > _MAX_PARTS:
        raise ValueError(runs)
    return tuple(chain.from_iterable(repeat(size, count) for size, count in runs))
