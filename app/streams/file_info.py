"""FileInfo: all that Alluxio tells of a file or directory, from HDFS's truth.

The answer has each field twice, flat as 1.8's clients read it and in `fileInfo` as 2.9 writes it.
HDFS keeps no creation time, so that of the last modification stands in its place.
"""

from __future__ import annotations

import base64
import json
import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from app.core.lifetimes import lifetime_of
from app.core.model import FileStatus, FileType
from app.core.mounts import split_id
from app.core.paths import ROOT, HdfsPath, name_of
from app.fs.entries import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.core.identity import Principal
    from app.core.lifetimes import Lifetime
    from app.core.model import AclStatus, BlockLocation
    from app.fs.mounts import Mounts
    from app.fs.stream_records import OpenedFile

OWN_PREFIX = "user.httpfs-proxy."
_USER_SPACE = "user."
_BITS = ("---", "--x", "-w-", "-wx", "r--", "r-x", "rw-", "rwx")
_ID_BITS = 24
"""A block's id is its file's with this much room for its place (alluxio.master.block.BlockId)."""
_NONE = {"owner": "", "owningGroup": "", "stringEntries": []}
_MAX_LONG = 2**63 - 1
_PORT = re.compile("[0-9]{1,5}")
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def file_info(entry: Entry, principal: Principal, mounts: Mounts) -> dict[str, Any]:
    """Return the fields of an entry's FileInfo."""
    status = entry.status
    return _common(entry.path, status, principal, mounts) | {
        "completed": True,
        "fileId": status.file_id,
        "blockIds": [_block_id(status.file_id, place) for place in range(len(entry.blocks))],
        "fileBlockInfos": [_block_info(status.file_id, place, block)
                           for place, block in enumerate(entry.blocks)],
        "inMemoryPercentage": _in_memory(entry.blocks),
        "ufsFingerprint": "" if status.is_directory else _fingerprint(status),
        "xattr": _shown_xattrs(entry.xattrs),
        "acl": _acl(status, entry.acl),
        "defaultAcl": _default_acl(status, entry.acl),
    } | _lifetime(lifetime_of(entry.xattrs))


def opened_info(opened: OpenedFile, principal: Principal, mounts: Mounts) -> dict[str, Any]:
    """Return the fields of a file that is being written, which has nothing yet for readers."""
    status = FileStatus(
        FileType.FILE, "", opened.permission, 0, opened.block_size, opened.created, opened.created,
        opened.owner, opened.group, opened.replication)
    fields = file_info(Entry(opened.path, status, {}, (), None), principal, mounts)
    return fields | {"completed": False, "ufsFingerprint": ""} | _lifetime(opened.lifetime)


def encoded(fields: Mapping[str, Any]) -> bytes:
    """Return the JSON of a FileInfo, its fields flat and once more in `fileInfo`."""
    inside = _encode(fields)[1:-1].encode()
    return (b'{%b,"pinnedMediumTypes":[],"cacheContext":null,"fileInfo":{%b,"mediumTypes":[]}}'
            % (inside, inside))


def _common(
    path: HdfsPath, status: FileStatus, principal: Principal, mounts: Mounts,
) -> dict[str, Any]:
    visible = principal.visible(path)
    mount = mounts.table().of(path)
    folder = status.is_directory
    factor = 0 if folder else status.replication
    return {
        "name": name_of(HdfsPath(visible)),
        "path": visible,
        "length": max(0, status.children) if folder else status.length,
        "folder": folder,
        "owner": status.owner,
        "group": status.group,
        "mode": int(status.permission, 8),
        "blockSizeBytes": 0 if folder else status.block_size,
        "replicationMin": factor,
        "replicationMax": factor,
        "creationTimeMs": status.modification_time,
        "lastModificationTimeMs": status.modification_time,
        "lastAccessTimeMs": status.access_time or status.modification_time,
        "cacheable": not folder,
        "persisted": True,
        "persistenceState": "PERSISTED",
        "inAlluxioPercentage": 0,
        "ufsPath": _location(path, visible, principal, mounts),
        "mountPoint": visible == "/" or bool(mount and mount.path == path),
        # 1 is the root's in Alluxio, so each mount has its number and one.
        "mountId": mount.mount_id + 1 if mount else 1,
    }


def _location(path: HdfsPath, visible: str, principal: Principal, mounts: Mounts) -> str:
    """Return where it really lies; confined users are told no more than the scheme of it."""
    location = mounts.location(path)
    if principal.root == ROOT:
        return location
    return f"{location.partition(':')[0]}://{visible}"


def _lifetime(lifetime: Lifetime) -> dict[str, Any]:
    return {"ttl": lifetime.ttl, "ttlAction": lifetime.action.value, "pinned": lifetime.pinned}


def _fingerprint(status: FileStatus) -> str:
    """Return what is another text whenever the file is another."""
    return (f"TYPE|FILE UFS|hdfs OWNER|{status.owner} GROUP|{status.group}"
            f" MODE|{int(status.permission, 8)}"
            f" CONTENT_HASH|(len:{status.length},_modtime:{status.modification_time}) ")


def _shown_xattrs(xattrs: Mapping[str, bytes]) -> dict[str, str]:
    return {name[len(_USER_SPACE):]: base64.b64encode(value).decode()
            for name, value in xattrs.items()
            if name.startswith(_USER_SPACE) and not name.startswith(OWN_PREFIX)}


# --- blocks


def _block_id(file_id: int, place: int) -> int:
    """Return a number that fits into a long: the mount's part of the file's id falls away."""
    return (split_id(file_id)[0] << _ID_BITS | place) & _MAX_LONG


def _block_info(file_id: int, place: int, block: BlockLocation) -> dict[str, Any]:
    return {
        "offset": block.offset,
        "ufsLocations": list(block.hosts),
        "blockInfo": {
            "blockId": _block_id(file_id, place), "length": block.length,
            "locations": [_in_memory_at(host, block) for host in block.cached_hosts]},
    }


def _in_memory_at(host: str, block: BlockLocation) -> dict[str, Any]:
    """Return a DataNode that has the block in memory as Alluxio tells of a worker."""
    name = next((one for one in block.names if one.rpartition(":")[0] == host), f"{host}:0")
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    number = int.from_bytes(digest) & _MAX_LONG
    told = name.rpartition(":")[2]
    port = int(told) if _PORT.fullmatch(told) else 0
    return {
        "workerId": number,
        "workerAddress": {
            "host": host, "containerHost": "", "rpcPort": port, "dataPort": port, "webPort": 0,
            "domainSocketPath": "",
            "tieredIdentity": {"tiers": [{"tierName": "node", "value": host},
                                         {"tierName": "rack", "value": None}]}},
        "tierAlias": "MEM",
        "mediumType": "MEM",
    }


def _in_memory(blocks: Sequence[BlockLocation]) -> int:
    """Return how many percent of the bytes HDFS's centralised cache holds."""
    total = sum(block.length for block in blocks)
    cached = sum(block.length for block in blocks if block.cached_hosts)
    return 100 * cached // total if total else 0


# --- ACLs


def _acl(status: FileStatus, acl: AclStatus | None) -> dict[str, Any]:
    """Return the entries in Alluxio's order: owner, users, group, groups, mask, others."""
    owner, group, other = (_BITS[int(digit)] for digit in status.permission.zfill(3)[-3:])
    named = [one for one in acl.entries if not one.startswith("default:")] if acl else []
    users = [one for one in named if one.startswith("user:")]
    owning = [one for one in named if one.startswith("group::")] or [f"group::{group}"]
    groups = [one for one in named if one.startswith("group:") and not one.startswith("group::")]
    # HDFS shows the mask as the mode's bits of the group.
    mask = [f"mask::{group}"] if named else []
    return {"owner": status.owner, "owningGroup": status.group, "stringEntries": [
        f"user::{owner}", *users, *owning, *groups, *mask, f"other::{other}"]}


def _default_acl(status: FileStatus, acl: AclStatus | None) -> dict[str, Any]:
    if not status.is_directory:
        return _NONE
    entries = [one for one in acl.entries if one.startswith("default:")] if acl else []
    return {"owner": status.owner, "owningGroup": status.group, "stringEntries": entries}
