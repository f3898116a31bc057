"""WebHDFS JSON to the model, believing nothing: what is missing or of a wrong type is a fault.

Each function takes the bytes of an answer and raises UpstreamFault for what is not understood.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, TypeVar

from app.core.errors import InvalidPath, UpstreamFault
from app.core.model import (
    AclStatus,
    BlockLocation,
    ContentSummary,
    FileChecksum,
    FileStatus,
    FileType,
    ListingPage,
    Snapshot,
    Storage,
)
from app.core.paths import HdfsPath, absolute

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_TYPES = {kind.value: kind for kind in FileType}
_SHAPE = (FileType, str, str, int, int, int, int, str, str, int, int, int, int)
_MODES = frozenset(f"{mode:0{digits}o}" for mode in range(0o10000) for digits in (1, 3, 4))
_RARE = frozenset({"aclBit", "encBit", "ecBit", "snapshotEnabled"})
_BASE64_MARK = "0s"
_NOT_UNDERSTOOD = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError,
                   InvalidPath)


def file_status(raw: bytes) -> FileStatus:
    """Return the status in an answer to GETFILESTATUS."""
    return _parsed(raw, lambda data: _status(data["FileStatus"]))


def listing(raw: bytes) -> ListingPage:
    """Return the entries in an answer to LISTSTATUS."""
    return _parsed(raw, lambda data: ListingPage(_entries(data), 0))


def listing_batch(raw: bytes) -> ListingPage:
    """Return the entries in an answer to LISTSTATUS_BATCH, and how many remain."""
    return _parsed(raw, _batch)


def content_summary(raw: bytes) -> ContentSummary:
    """Return the summary in an answer to GETCONTENTSUMMARY."""
    return _parsed(raw, _summary)


def checksum(raw: bytes) -> FileChecksum:
    """Return the checksum in an answer to GETFILECHECKSUM, without padding."""
    return _parsed(raw, _checksum)


def block_locations(raw: bytes) -> list[BlockLocation]:
    """Return the blocks in an answer to GETFILEBLOCKLOCATIONS."""
    return _parsed(raw, lambda data: [
        _block(item) for item in data["BlockLocations"]["BlockLocation"]])


def acl_status(raw: bytes) -> AclStatus:
    """Return the ACL in an answer to GETACLSTATUS."""
    return _parsed(raw, _acl)


def xattrs(raw: bytes) -> dict[str, bytes]:
    """Return the xattrs in an answer to GETXATTRS with `encoding=base64`."""
    return _parsed(raw, _xattrs)


def snapshots(raw: bytes) -> list[Snapshot]:
    """Return the snapshots in an answer to GETSNAPSHOTLIST."""
    return _parsed(raw, lambda data: [_snapshot(item) for item in data["SnapshotList"]])


def path(raw: bytes) -> HdfsPath:
    """Return the path in an answer to GETHOMEDIRECTORY, GETTRASHROOT or CREATESNAPSHOT."""
    return _parsed(raw, lambda data: absolute(_text(data["Path"])))


def boolean(raw: bytes) -> bool:
    """Return the boolean in an answer to DELETE, MKDIRS, RENAME, …."""
    return _parsed(raw, lambda data: _flag(data["boolean"]))


def storage(raw: bytes) -> Storage:
    """Return what an answer to GETSTATUS tells of the whole file system."""

    def parse(data: Any) -> Storage:
        status = data["FsStatus"]
        return Storage(*(_number(status[name]) for name in ("capacity", "used", "remaining")))

    return _parsed(raw, parse)


def data_nodes(raw: bytes) -> tuple[int, int] | None:
    """Return how many DataNodes live and are dead, from the NameNode's JMX; None: it is no such."""

    def parse(data: Any) -> tuple[int, int] | None:
        for bean in data["beans"]:
            return _number(bean["NumLiveDataNodes"]), _number(bean["NumDeadDataNodes"])
        return None

    return _parsed(raw, parse)


def trash_interval(raw: bytes) -> int:
    """Return the trash interval in an answer to GETSERVERDEFAULTS."""
    return _parsed(raw, lambda data: _number(data["FsServerDefaults"]["trashInterval"]))


def _parsed(raw: bytes, parse: Callable[[Any], T]) -> T:
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise UpstreamFault("HDFS answered what is no JSON") from error
    try:
        return parse(data)
    except _NOT_UNDERSTOOD as error:
        raise UpstreamFault("HDFS answered JSON that is not WebHDFS's") from error


def _status(data: dict[str, Any]) -> FileStatus:
    # A type of its own, checked as one tuple: this runs for each entry of a big listing.
    facts = (
        _TYPES[data["type"]], data["pathSuffix"], data["permission"], data["length"],
        data["blockSize"], data["accessTime"], data["modificationTime"], data["owner"],
        data["group"], data["replication"], data.get("fileId", 0), data.get("childrenNum", -1),
        data.get("storagePolicy", 0),
    )
    if (tuple(map(type, facts)) != _SHAPE or facts[3] < 0 or "/" in facts[1]
            or facts[2] not in _MODES):
        raise ValueError(f"not a file status: {data!r:.300}")
    status = FileStatus(*facts[:-2], children=facts[-2], storage_policy=facts[-1])
    if not _RARE.isdisjoint(data) or status.file_id < 0:
        status = status._replace(
            file_id=max(0, status.file_id),
            acl=_flag(data.get("aclBit", False)),
            encrypted=_flag(data.get("encBit", False)),
            erasure_coded=_flag(data.get("ecBit", False)),
            snapshottable=_flag(data.get("snapshotEnabled", False)),
            coding=_mapping(data.get("ecPolicyObj") or {}) or None)
    return status


def _entries(data: dict[str, Any]) -> list[FileStatus]:
    return [_status(item) for item in data["FileStatuses"]["FileStatus"]]


def _batch(data: dict[str, Any]) -> ListingPage:
    page = data["DirectoryListing"]
    remaining = _number(page["remainingEntries"])
    return ListingPage(_entries(page["partialListing"]), remaining)


def _summary(data: dict[str, Any]) -> ContentSummary:
    summary = data["ContentSummary"]
    told = ContentSummary._make((*(_number(summary[name]) for name in (
        "directoryCount", "fileCount", "length", "quota", "spaceConsumed", "spaceQuota")),
        0, 0, 0, 0, "", {}))
    directories, files, length, space = (_number(summary.get(f"snapshot{name}", 0)) for name in (
        "DirectoryCount", "FileCount", "Length", "SpaceConsumed"))
    return told._replace(
        snapshot_directory_count=directories, snapshot_file_count=files, snapshot_length=length,
        snapshot_space_consumed=space, coding=_text(summary.get("ecPolicy", "")),
        type_quotas=_mapping(summary.get("typeQuota", {})))


def _checksum(data: dict[str, Any]) -> FileChecksum:
    told = data["FileChecksum"]
    length = _number(told["length"])
    value = bytes.fromhex(_text(told["bytes"]))[:length].hex()
    if len(value) != 2 * length:
        raise ValueError("the checksum is shorter than its length says")
    return FileChecksum(_text(told["algorithm"]), value, length)


def _block(item: dict[str, Any]) -> BlockLocation:
    offset, length = _number(item["offset"]), _number(item["length"])
    if offset < 0 or length < 0:
        raise ValueError(f"not a block: {item!r:.300}")
    return BlockLocation(
        offset, length, _texts(item["hosts"]), _texts(item["names"]),
        _texts(item.get("cachedHosts", [])), _flag(item["corrupt"]))


def _acl(data: dict[str, Any]) -> AclStatus:
    told = data["AclStatus"]
    return AclStatus(
        _text(told["owner"]), _text(told["group"]), _text(told["permission"]),
        _flag(told["stickyBit"]), tuple(_text(entry) for entry in told["entries"]))


def _xattrs(data: dict[str, Any]) -> dict[str, bytes]:
    return {_text(item["name"]): _xattr_value(item.get("value")) for item in data["XAttrs"]}


def _xattr_value(told: Any) -> bytes:
    if told is None:
        return b""
    if not _text(told).startswith(_BASE64_MARK):
        raise ValueError(f"an xattr's value is not base64: {told!r:.100}")
    return base64.b64decode(told[len(_BASE64_MARK):], validate=True)


def _snapshot(item: dict[str, Any]) -> Snapshot:
    status = _status(item["dirStatus"])
    return Snapshot(
        status.path_suffix, _number(item["snapshotID"]),
        _text(item["deletionStatus"]) != "ACTIVE", status.modification_time)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not text: {value!r:.100}")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"not a list: {value!r:.100}")
    return tuple(_text(item) for item in value)


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"not an object: {value!r:.100}")
    return value


def _number(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"not a number: {value!r:.100}")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"not a boolean: {value!r:.100}")
    return value
