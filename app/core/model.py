"""The things that are passed between the rooms: statuses, summaries, ranges.

Times are milliseconds since the epoch, sizes are bytes, permissions are octal digits without
the type bits ("644", "1777"), as WebHDFS has them.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class FileType(StrEnum):
    """What an entry is (org.apache.hadoop.hdfs.protocol.HdfsConstants)."""

    FILE = "FILE"
    DIRECTORY = "DIRECTORY"
    SYMLINK = "SYMLINK"


class FileStatus(NamedTuple):
    """One entry of the file system (HdfsFileStatus).

    `path_suffix` is the name below the path that was listed, empty where the path itself was
    asked for. `file_id` is 0 where the server does not tell it. `children` are the entries of a
    directory, -1 where the server does not tell. `coding` is the policy of erasure coding as
    WebHDFS tells it.
    """

    type: FileType
    path_suffix: str
    permission: str
    length: int
    block_size: int
    access_time: int
    modification_time: int
    owner: str
    group: str
    replication: int
    file_id: int = 0
    acl: bool = False
    encrypted: bool = False
    erasure_coded: bool = False
    snapshottable: bool = False
    children: int = -1
    storage_policy: int = 0
    coding: Mapping[str, Any] | None = None

    @property
    def is_directory(self) -> bool:
        """Tell whether the entry is a directory."""
        return self.type is FileType.DIRECTORY


class ListingPage(NamedTuple):
    """One answer of LISTSTATUS_BATCH: `entries` in HDFS's order, `remaining` after them."""

    entries: list[FileStatus]
    remaining: int


class Storage(NamedTuple):
    """What a cluster stores and could (org.apache.hadoop.fs.FsStatus), in bytes.

    How many DataNodes live and are dead is -1 where nobody can say.
    """

    capacity: int
    used: int
    remaining: int
    live_nodes: int = -1
    dead_nodes: int = -1


class ContentSummary(NamedTuple):
    """What a subtree holds (org.apache.hadoop.fs.ContentSummary); quotas are -1 where unset.

    The `snapshot_` numbers are part of the others; HttpFS does not tell them. `coding` is the name
    of the policy of erasure coding, `type_quotas` are by the type of storage.
    """

    directory_count: int
    file_count: int
    length: int
    quota: int
    space_consumed: int
    space_quota: int
    snapshot_directory_count: int = 0
    snapshot_file_count: int = 0
    snapshot_length: int = 0
    snapshot_space_consumed: int = 0
    coding: str = ""
    type_quotas: Mapping[str, Any] = MappingProxyType({})


class FileChecksum(NamedTuple):
    """`value` is the checksum's `length` bytes as hex digits."""

    algorithm: str
    value: str
    length: int


class BlockLocation(NamedTuple):
    """One block of a file (org.apache.hadoop.fs.BlockLocation): `length` bytes from `offset`.

    `names` are the DataNodes that have it, as "host:port", `cached_hosts` the hosts that hold it in
    memory (HDFS's centralised cache).
    """

    offset: int
    length: int
    hosts: tuple[str, ...]
    names: tuple[str, ...]
    cached_hosts: tuple[str, ...]
    corrupt: bool


class AclStatus(NamedTuple):
    """An ACL as GETACLSTATUS tells it; `entries` like "user:alice:rw-", "default:group::r-x"."""

    owner: str
    group: str
    permission: str
    sticky: bool
    entries: tuple[str, ...]


class Snapshot(NamedTuple):
    """One snapshot of a snapshottable directory; `status` is the snapshot root's own."""

    name: str
    snapshot_id: int
    deleted: bool
    modification_time: int


class ByteRange(NamedTuple):
    """`length` bytes from `offset`; the whole of an empty file is (0, 0)."""

    offset: int
    length: int

    @property
    def last(self) -> int:
        """The position of the last byte, as Content-Range writes it."""
        return self.offset + self.length - 1
