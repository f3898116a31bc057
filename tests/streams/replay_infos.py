"""FileInfo as get-status and list-status are to tell it, flat and nested as 2.9.4 does.

What Alluxio tells of its own memory and under storage is here what HDFS has of it:
- no tiers: inAlluxioPercentage is 0, inMemoryPercentage what the DataNodes' caches hold, and a
  block's hosts stand where Alluxio names those of an uncached file, in ufsLocations;
- replicationMin and replicationMax are HDFS's factor, which Alluxio tells as 0 and -1;
- blockSizeBytes is HDFS's default where Alluxio has 64 MiB;
- no xattr `s3_etag`, which Alluxio made for itself, and HDFS in the fingerprint;
- HDFS keeps no time of creation, and none of access for directories: the last change stands there.
"""

from __future__ import annotations

import re
from typing import Any

from tests.streams.replay import ID, TIME, Kind, Text

BLOCK = 128 << 20
NESTED_ONLY = {"mediumTypes": []}
FLAT_ONLY = {"pinnedMediumTypes": [], "cacheContext": None}
HOSTS = Kind("host names", lambda value: isinstance(value, list) and bool(value) and all(
    isinstance(one, str) and one for one in value))


def ufs_path(path: str) -> Kind:
    """Return any URI that leads to this path."""
    pattern = re.compile(rf"[a-z]+://[^/]*{re.escape(path)}")
    return Kind(f"a URI of {path}", lambda value: bool(
        isinstance(value, str) and pattern.fullmatch(value)))


def fingerprint(length: int, mode: int) -> Kind:
    """Return any text that tells this length and mode, as Alluxio tells them."""
    pattern = re.compile(r"TYPE\|FILE UFS\|hdfs OWNER\|\S+ GROUP\|\S+ "
                         rf"MODE\|{mode} CONTENT_HASH\|\(len:{length},_modtime:[0-9]+\) ")
    return Kind(f"a fingerprint like {pattern.pattern}", lambda value: bool(
        isinstance(value, str) and pattern.fullmatch(value)))


def entries(mode: int) -> list[str]:
    """Return the three entries that a mode says in an ACL's words."""
    bits = ["".join(letter if mode >> shift & bit else "-" for letter, bit in zip(
        "rwx", (4, 2, 1), strict=True)) for shift in (6, 3, 0)]
    return [f"{who}::{what}" for who, what in zip(("user", "group", "other"), bits, strict=True)]


def access(mode: int) -> dict[str, Any]:
    """Return the ACL of something without an extended one."""
    return {"owner": Text("{owner}"), "owningGroup": Text("{group}"),
            "stringEntries": entries(mode)}


def blocks(length: int, size: int) -> list[dict[str, Any]]:
    """Return the blocks of a file of this length."""
    return [{"offset": start, "ufsLocations": HOSTS,
             "blockInfo": {"length": min(size, length - start), "blockId": ID, "locations": []}}
            for start in range(0, length, size)]


def _whole(common: dict[str, Any]) -> dict[str, Any]:
    return {**common, "fileInfo": {**common, **NESTED_ONLY}, **FLAT_ONLY}


def file(path: str, length: int, *, block_size: int = BLOCK, mode: int = 0o644, **more: Any) -> (
        dict[str, Any]):
    """Return the FileInfo of a complete file; `more` are fields that are not as usual."""
    found = blocks(length, block_size)
    return _whole({
        **_common(path, mode), "length": length, "blockSizeBytes": block_size, "folder": False,
        "cacheable": True, "blockIds": [ID] * len(found), "fileBlockInfos": found,
        "defaultAcl": {"owner": "", "owningGroup": "", "stringEntries": []},
        "replicationMax": ID, "replicationMin": ID, "ufsFingerprint": fingerprint(length, mode),
        **more})


def unfinished(path: str, **more: Any) -> dict[str, Any]:
    """Return the FileInfo of a file that is being written."""
    return file(path, 0, completed=False, fileId=0, ufsFingerprint="", **more)


def directory(path: str, children: int, *, mode: int = 0o755, **more: Any) -> dict[str, Any]:
    """Return the FileInfo of a directory with so many children."""
    return _whole({
        **_common(path, mode), "length": children, "blockSizeBytes": 0, "folder": True,
        "cacheable": False, "blockIds": [], "fileBlockInfos": [],
        "defaultAcl": {"owner": Text("{owner}"), "owningGroup": Text("{group}"),
                       "stringEntries": []},
        "replicationMax": 0, "replicationMin": 0, "ufsFingerprint": "", **more})


def _common(path: str, mode: int) -> dict[str, Any]:
    return {
        "name": path.rpartition("/")[2], "path": path, "owner": Text("{owner}"),
        "group": Text("{group}"), "mode": mode, "acl": access(mode), "completed": True,
        "persisted": True, "persistenceState": "PERSISTED", "fileId": ID, "mountId": 1,
        "mountPoint": False, "pinned": False, "ttl": -1, "ttlAction": "FREE", "xattr": {},
        "inAlluxioPercentage": 0, "inMemoryPercentage": 0,
        "ufsPath": ufs_path(path), "creationTimeMs": TIME, "lastModificationTimeMs": TIME,
        "lastAccessTimeMs": TIME}
