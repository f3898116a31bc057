"""What names one version of one file in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from app.core.model import FileType
from app.core.mounts import split_id

if TYPE_CHECKING:
    from app.core.model import FileStatus


class CacheKey(NamedTuple):
    """One version of a file: `length` bytes, `modified` in epoch ms; mount 0 is the own cluster."""

    mount: int
    file_id: int
    length: int
    modified: int


def key_of(status: FileStatus) -> CacheKey | None:
    """Return the key of what has this status, None for what is not cached.

    That is what is no file or has no bytes, what has no inode number to tell versions by, and
    what is encrypted: HDFS has the key server decide for each reader anew.
    """
    inode, mount = split_id(status.file_id)
    if status.type is not FileType.FILE or status.encrypted or status.length <= 0 or inode <= 0:
        return None
    return CacheKey(mount, inode, status.length, status.modification_time)
