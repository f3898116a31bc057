"""How a multipart upload lies in HDFS: names and records, read and written.

An upload is a hidden directory of its bucket, `.httpfs-proxy-upload-<id>`:

* `open/` has the upload's record (RECORD) in an xattr, so an upload that lives is never an empty
  directory. Once the object is ready it lies in `open/` as `object`, and `open/` becomes
  `sealed/`: that happens once, whoever asks how often for completion.
* A part is `<number>.<nonce>.<md5>[.<kind>-<checksum>]…`: what ListParts tells is in the listing.
  No two uploads of a part have the same name, even with the same content.
* The plan of the completion is in another xattr of `open/` (PLAN), or where it is too large in a
  file that the xattr names.

The id begins with the time, so that ids are in the order in which uploads began.
"""

from __future__ import annotations

import json
import re
import secrets
import time
import zlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from app.core.errors import UpstreamFault
from app.core.objects import ObjectMeta, Part, Upload
from app.core.paths import HIDDEN_MARK, child_of, name_of, parent_of
from app.fs.markers import by_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.core.model import FileStatus
    from app.core.paths import HdfsPath
    from app.fs.port import FileSystem

MARK = f"{HIDDEN_MARK}upload-"
OPEN, SEALED, OBJECT = "open", "sealed", "object"
RECORD = "user.httpfs-proxy.upload"
PLAN = "user.httpfs-proxy.plan"
LAST_PART = 10_000
_ID = re.compile("[0-9a-f]{44}")
_PART = re.compile(r"([0-9]{5})\.([0-9a-f]{8})\.([0-9a-f]{32})((?:\.[A-Z0-9]+-[A-Za-z0-9_-]+)*)")
_MAX_TEXT = 16 * 1024 * 1024
"""Characters of a record: 10,000 parts with names of 200 are two million."""
_LAST_OF_NUMBER = "~"
"""Comes after whatever follows a part's number and dot."""


class StoredPart(NamedTuple):
    """A part as it lies in HDFS: its file's `name`, `serial` to tell which came later."""

    part: Part
    name: str
    serial: tuple[int, int]


def new_id() -> str:
    """Return an id that nobody can guess."""
    return f"{time.time_ns() // 1_000:014x}{secrets.token_hex(15)}"


def is_id(text: str) -> bool:
    """Tell whether `text` can be an upload's id."""
    return _ID.fullmatch(text) is not None


def directory_of(bucket: HdfsPath, upload_id: str) -> HdfsPath:
    """Return the upload's directory."""
    return child_of(bucket, MARK + upload_id)


def id_of(directory: HdfsPath) -> str:
    """Return the upload's id."""
    return name_of(directory).removeprefix(MARK)


def record_path(directory: HdfsPath) -> HdfsPath:
    """Return the directory that has the record while parts may come."""
    return child_of(directory, OPEN)


def sealed_path(directory: HdfsPath) -> HdfsPath:
    """Return the directory that has the record once the object is ready."""
    return child_of(directory, SEALED)


def sealed_object(directory: HdfsPath) -> HdfsPath:
    """Return where the object waits to be put in place."""
    return child_of(sealed_path(directory), OBJECT)


def bucket_of(directory: HdfsPath) -> HdfsPath:
    """Return the bucket's directory."""
    return parent_of(directory)


def fixed(fs: FileSystem, path: HdfsPath) -> HdfsPath:
    """Return a path for a new file whose directory is not made again if it vanishes.

    Raises PathNotFound where it has vanished already.
    """
    directory = parent_of(path)
    return child_of(by_id(directory, fs.status(directory)), name_of(path))


def plan_name() -> str:
    """Return a new name for a file with a plan."""
    return f"plan-{secrets.token_hex(4)}"


# --- names of parts


def part_name(number: int, md5: str, checksums: Mapping[str, str]) -> str:
    """Return a new name for a part with this MD5 (hex) and these checksums (Base64)."""
    words = [f"{number:05d}", secrets.token_hex(4), md5]
    words += [f"{kind}-{_for_name(value)}" for kind, value in sorted(checksums.items())]
    return ".".join(words)


def number_and_md5(name: str) -> tuple[int, str]:
    """Return what a part's file name begins with."""
    number, _, md5, *_ = name.split(".")
    return int(number), md5


def checksums_in(name: str) -> dict[str, str]:
    """Return the checksums (Base64) by their kinds that a part's file name ends with."""
    return dict(_from_name(word) for word in name.split(".")[3:])


def _for_name(value: str) -> str:
    return value.rstrip("=").translate(_TO_NAME)


def _from_name(word: str) -> tuple[str, str]:
    kind, _, value = word.partition("-")
    return kind, value.translate(_FROM_NAME) + "=" * (-len(value) % 4)


_TO_NAME = str.maketrans("+/", "-_")
_FROM_NAME = str.maketrans("-_", "+/")


def stored_part(status: FileStatus, name: str = "") -> StoredPart | None:
    """Return the part that an entry of the directory is, None for anything else."""
    name = name or status.path_suffix
    match = _PART.fullmatch(name)
    if match is None or status.is_directory:
        return None
    number, _, md5, _ = match.groups()
    part = Part(
        int(number), md5, status.length, status.modification_time, checksums_in(name))
    return StoredPart(part, name, (status.modification_time, status.file_id))


def stored_parts(fs: FileSystem, directory: HdfsPath, after: int = 0) -> Iterator[StoredPart]:
    """Yield every upload of every part whose number is above `after`, by number."""
    start = f"{after:05d}.{_LAST_OF_NUMBER}" if after else None
    for status in entries(fs, directory, start):
        found = stored_part(status)
        if found:
            yield found


def newest_parts(parts: Iterator[StoredPart]) -> Iterator[StoredPart]:
    """Yield of each number what was uploaded last; `parts` come by number."""
    newest: StoredPart | None = None
    for one in parts:
        if newest is not None and newest.part.number != one.part.number:
            yield newest
            newest = None
        newest = one if newest is None else max(newest, one, key=lambda part: part.serial)
    if newest is not None:
        yield newest


# --- listings


def entries(
    fs: FileSystem, directory: HdfsPath, start_after: str | None = None,
) -> Iterator[FileStatus]:
    """Yield the entries of a directory after a name, in HDFS's order."""
    while True:
        page = fs.list_page(directory, start_after)
        yield from page.entries
        if not page.remaining or not page.entries:
            return
        start_after = page.entries[-1].path_suffix


def upload_entries(fs: FileSystem, bucket: HdfsPath) -> Iterator[FileStatus]:
    """Yield the entries that are the bucket's uploads, the one begun first first."""
    for status in entries(fs, bucket, MARK):
        if not status.path_suffix.startswith(MARK):
            return
        if status.is_directory and is_id(status.path_suffix.removeprefix(MARK)):
            yield status


def upload_directories(fs: FileSystem, bucket: HdfsPath) -> Iterator[HdfsPath]:
    """Yield the directories of the bucket's uploads in the same order."""
    for status in upload_entries(fs, bucket):
        yield child_of(bucket, status.path_suffix)


# --- records


def packed(data: dict[str, Any]) -> bytes:
    """Return a record as small as it gets."""
    return zlib.compress(json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode(), 9)


def unpacked(raw: bytes) -> dict[str, Any]:
    """Return the record in `raw`. Raises UpstreamFault where it is none."""
    try:
        reader = zlib.decompressobj()
        data = json.loads(reader.decompress(raw, _MAX_TEXT))
    except (zlib.error, ValueError, RecursionError) as error:
        raise UpstreamFault("the record of a multipart upload cannot be read") from error
    if not isinstance(data, dict):
        raise UpstreamFault("the record of a multipart upload is not understood")
    return data


def meta_to_data(meta: ObjectMeta) -> dict[str, Any]:
    """Return what JSON can hold; empty fields are left out."""
    return {name: value for name, value in asdict(meta).items() if value}


def meta_from_data(data: dict[str, Any]) -> ObjectMeta:
    """Return the meta that `meta_to_data` made this of. Raises UpstreamFault."""
    try:
        sizes = tuple(data.get("part_sizes", ()))
        return ObjectMeta(**{**data, "part_sizes": sizes})
    except TypeError as error:
        raise UpstreamFault("the record of a multipart upload is not understood") from error


def upload_to_raw(upload: Upload) -> bytes:
    """Return the record of an upload."""
    return packed({"key": upload.key, "meta": meta_to_data(upload.meta),
                   "initiated": upload.initiated, "algorithm": upload.checksum_algorithm,
                   "type": upload.checksum_type})


def upload_from_raw(upload_id: str, raw: bytes) -> Upload:
    """Return the upload whose record is `raw`. Raises UpstreamFault."""
    data = unpacked(raw)
    try:
        if not isinstance(data["key"], str) or not isinstance(data["initiated"], int):
            raise UpstreamFault("the record of a multipart upload is not understood")
        return Upload(upload_id, data["key"], meta_from_data(data["meta"]), data["initiated"],
                      data["algorithm"], data["type"])
    except KeyError as error:
        raise UpstreamFault("the record of a multipart upload is not understood") from error
