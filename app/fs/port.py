"""The port: what the gateway asks of a file system, and nothing about how it is asked.

A `Backend` is one cluster; `Backend.as_user` gives its `FileSystem` as one Hadoop user sees it.
Every method raises `app.core.errors` only. Paths are real, absolute HDFS paths. Compound
operations (atomic upload, append, archive, …) are not here but in `app.fs.translator`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.core.model import (
        AclStatus,
        BlockLocation,
        ContentSummary,
        FileChecksum,
        FileStatus,
        ListingPage,
        Snapshot,
        Storage,
    )
    from app.core.paths import HdfsPath
    from app.fs.documents import Administration, Document


class Rename(Enum):
    """What a rename does where the destination exists (org.apache.hadoop.fs.Options.Rename)."""

    MOVE = "move"
    """Refuse an existing file; move into an existing directory."""
    NEW = "NONE"
    """Refuse whatever exists, atomically."""
    REPLACE = "OVERWRITE"
    """Replace an existing file atomically; refuse a non-empty directory."""


class AclChange(Enum):
    """The five ways to change an ACL; the value is WebHDFS's operation."""

    SET = "SETACL"
    MODIFY = "MODIFYACLENTRIES"
    REMOVE_ENTRIES = "REMOVEACLENTRIES"
    REMOVE_DEFAULT = "REMOVEDEFAULTACL"
    REMOVE = "REMOVEACL"


@dataclass(frozen=True, slots=True)
class Flavor:
    """How one kind of WebHDFS server differs from the NameNode; all differences are here."""

    name: str
    rename_options: bool
    """RENAME honours `renameoptions`: a file can be replaced in one atomic step."""
    file_ids: bool
    """GETFILESTATUS tells the inode number, and `/.reserved/.inodes/<id>` opens it."""
    list_batches: bool
    """LISTSTATUS_BATCH pages through a directory."""
    quotas: bool
    """SETQUOTA is served."""
    sticky_mkdirs: bool
    """MKDIRS sets the sticky bit that its `permission` asks for."""
    one_step_writes: bool
    """CREATE and APPEND take the body at once (`data=true`), without a redirect to a DataNode."""
    trims_parameters: bool
    """White space at the end of a parameter is cut off, also where a name ends in it."""


class ByteSource(Protocol):
    """A file's bytes on their way from HDFS."""

    def read(self, size: int) -> bytes:
        """Return 1 to `size` bytes, b"" at the end. Raises UpstreamError, also when cut short."""

    def close(self) -> None:
        """Let go of the connection; the end need not have been reached."""


class FileSystem(Protocol):
    """The cluster's file system as one Hadoop user."""

    user: str

    def flavor_of(self, path: HdfsPath) -> Flavor:
        """Return the differences of the server that has `path` (asked once, remembered)."""

    def mount_of(self, path: HdfsPath) -> int:
        """Return the number of the mount that has `path`, 0 for the own cluster."""

    def home(self) -> HdfsPath:
        """Return the user's home directory (GETHOMEDIRECTORY; remembered for a while)."""

    def trash_root(self, path: HdfsPath) -> HdfsPath:
        """Return the directory that holds the user's trash for `path` (GETTRASHROOT)."""

    def status(self, path: HdfsPath) -> FileStatus:
        """Return the status of `path`. Raises PathNotFound, AccessDenied."""

    def check_access(self, path: HdfsPath, action: str) -> None:
        """Return if the user may `action` ("r--", "-w-", "--x" or a mixture), else AccessDenied."""

    def list_page(self, path: HdfsPath, start_after: str | None = None) -> ListingPage:
        """Return entries after the name `start_after` in HDFS's order.

        A regular file is one entry with an empty `path_suffix`. Servers without batches answer
        everything in one page.
        """

    def content_summary(self, path: HdfsPath) -> ContentSummary:
        """Return what the subtree holds. Raises PathNotFound, AccessDenied."""

    def checksum(self, path: HdfsPath) -> FileChecksum:
        """Return HDFS's checksum of a file. Raises PathNotFound, NotAFile."""

    def block_locations(self, path: HdfsPath, length: int) -> Sequence[BlockLocation]:
        """Return where the blocks of a file's first `length` bytes lie, in order.

        Empty for an empty file. Raises PathNotFound, NotAFile.
        """

    def open(self, path: HdfsPath, offset: int, length: int, file_id: int = 0) -> ByteSource:
        """Open `length` > 0 bytes from `offset`; the upstream has answered when this returns.

        With a `file_id`, that very inode is read even if `path` names another by now, and
        PathNotFound says that it is gone.
        """

    def datanode_url(self, path: HdfsPath, offset: int, length: int, file_id: int = 0) -> str:
        """Return an URL at which a DataNode gives these bytes to whoever has it: it is a secret.

        "" where there is none: the bytes do not come from a DataNode, or lie nearer.
        """

    def create(
        self,
        path: HdfsPath,
        body: Iterable[bytes],
        *,
        permission: str | None = None,
        replication: int | None = None,
        block_size: int | None = None,
        overwrite: bool = False,
        unmasked: str | None = None,
    ) -> None:
        """Write `body` to a new file; missing parents are made.

        `unmasked` is the mode before the client's own umask: what counts below a default ACL.
        When `body` raises, the file is closed with what it has, so that a delete that follows
        finds it, and the exception goes on.
        """

    def append(self, path: HdfsPath, body: Iterable[bytes]) -> None:
        """Append `body` in place; not atomic. Raises PathNotFound, FileBusy."""

    def concat(self, target: HdfsPath, sources: Sequence[HdfsPath]) -> None:
        """Move the blocks of `sources` to the end of `target`, atomically; the sources vanish."""

    def truncate(self, path: HdfsPath, length: int) -> bool:
        """Cut the file; False means that HDFS recovers the last block in the background."""

    def take_lease(self, path: HdfsPath) -> None:
        """Have HDFS end the writing of whoever holds the lease, soon; FileBusy is over then.

        Only for a file that nobody but the gateway may write. Where there is no way to ask for it
        nothing happens.
        """

    def mkdirs(
        self, path: HdfsPath, permission: str | None = None, unmasked: str | None = None,
    ) -> None:
        """Make a directory and its parents; `unmasked` as in `create`.

        Raises NotADirectory, AlreadyExists for a file.
        """

    def rename(
        self, source: HdfsPath, destination: HdfsPath, mode: Rename = Rename.MOVE,
    ) -> bool:
        """Rename; False where HDFS refuses without a reason (MOVE only).

        NEW and REPLACE raise Unsupported where the flavor has no rename options.
        """

    def delete(self, path: HdfsPath, *, recursive: bool = False) -> bool:
        """Delete; False where nothing was there. Raises DirectoryNotEmpty."""

    def set_permission(self, path: HdfsPath, permission: str) -> None:
        """Set the octal mode. Raises PathNotFound, AccessDenied (owner only)."""

    def set_owner(self, path: HdfsPath, owner: str | None, group: str | None) -> None:
        """Set owner or group or both. Raises PathNotFound, AccessDenied."""

    def set_replication(self, path: HdfsPath, replication: int) -> bool:
        """Set the factor; False where HDFS refuses (a directory, or nothing there)."""

    def set_times(
        self, path: HdfsPath, modification_time: int | None, access_time: int | None,
    ) -> None:
        """Set times in epoch milliseconds; None leaves one as it is."""

    def acl(self, path: HdfsPath) -> AclStatus:
        """Return the ACL. Raises Unsupported where the cluster has ACLs off."""

    def change_acl(self, path: HdfsPath, change: AclChange, entries: str | None) -> None:
        """Change the ACL by `entries` ("user:alice:rw-,…"; None for the two that take none)."""

    def xattrs(self, path: HdfsPath, names: Sequence[str] = ()) -> Mapping[str, bytes]:
        """Return the xattrs of these names, or all. Raises AttributeNotFound."""

    def set_xattr(self, path: HdfsPath, name: str, value: bytes, *, exists: bool | None) -> None:
        """Set one xattr; `exists` says whether it must (True) or must not (False) be there."""

    def remove_xattr(self, path: HdfsPath, name: str) -> None:
        """Remove one xattr. Raises AttributeNotFound."""

    def allow_snapshots(self, path: HdfsPath, *, allowed: bool) -> None:
        """Make a directory snapshottable or not (superuser only)."""

    def snapshots(self, path: HdfsPath) -> Sequence[Snapshot]:
        """Return the snapshots of a snapshottable directory."""

    def create_snapshot(self, path: HdfsPath, name: str | None) -> HdfsPath:
        """Make a snapshot and return its path (`…/.snapshot/<name>`)."""

    def rename_snapshot(self, path: HdfsPath, old: str, new: str) -> None:
        """Rename a snapshot. Raises SnapshotNotFound."""

    def delete_snapshot(self, path: HdfsPath, name: str) -> None:
        """Delete a snapshot. Raises SnapshotNotFound."""

    def set_quota(
        self, path: HdfsPath, names: int | None, space: int | None,
    ) -> None:
        """Set the quotas of a directory (superuser only); None leaves one, -1 clears it."""

    def document(self, path: HdfsPath, kind: Document, **parameters: str | int | None) -> Any:
        """Return a document of WebHDFS's, as JSON, which no other dialect has a word for."""

    def administer(
        self, path: HdfsPath, kind: Administration, **parameters: str | int | None,
    ) -> None:
        """Make a change that no other dialect has a word for."""

    def trash_interval(self) -> int:
        """Return the minutes that the cluster keeps trash (GETSERVERDEFAULTS); 0 is off."""

    def storage(self) -> Storage:
        """Return what the cluster stores and how many DataNodes live (GETSTATUS, JMX).

        Raises Unsupported where the server has no GETSTATUS.
        """


class Backend(Protocol):
    """One cluster."""

    def as_user(self, hadoop_user: str) -> FileSystem:
        """Return the file system as `hadoop_user` sees it; cheap."""

    def probe(self, timeout: float) -> None:
        """Return if the cluster answers within `timeout` seconds, else raise UpstreamError."""

    def location(self, path: HdfsPath) -> str:
        """Return where `path` lies as a URI, like `webhdfs://namenode:9870/some/file`."""

    @property
    def description(self) -> str:
        """One line for the log: what is behind and where."""
