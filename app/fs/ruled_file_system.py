"""RuledFileSystem: each method of the port, with what the rules have to say of its paths first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core.errors import PathNotFound
from app.core.model import ListingPage
from app.core.path_rules import PathForbidden, Right, Verdict
from app.core.paths import HIDDEN_MARK, HdfsPath, child_of
from app.fs.port import Rename
from app.fs.ruled import Judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.core.identity import Principal
    from app.core.model import (
        AclStatus,
        BlockLocation,
        ContentSummary,
        FileChecksum,
        FileStatus,
        Snapshot,
        Storage,
    )
    from app.core.path_rules import PathRules
    from app.fs.documents import Administration, Document
    from app.fs.port import AclChange, ByteSource, FileSystem, Flavor

_OWN = "user.httpfs-proxy."
"""What the gateway keeps with directories: it belongs to the objects below them."""

_OF_CLUSTER = frozenset({"STORAGE_POLICIES", "CODING_POLICIES", "CODECS", "DEFAULTS", "STATUS"})
"""Documents that tell of no path; others that do not take one tell of all."""


class RuledFileSystem:
    """A FileSystem of one principal, by their rules. For one request, or one run of a job."""

    def __init__(self, fs: FileSystem, rules: PathRules) -> None:
        self._fs = fs
        self._rules = rules
        self._judge = Judge(fs, rules)
        self.user = fs.user

    # --- what is of no path, or tells nothing of it

    def flavor_of(self, path: HdfsPath) -> Flavor:
        """Return the differences of the server that has `path`."""
        return self._fs.flavor_of(path)

    def mount_of(self, path: HdfsPath) -> int:
        """Return the number of the mount that has `path`."""
        return self._fs.mount_of(path)

    def home(self) -> HdfsPath:
        """Return the user's home directory."""
        return self._fs.home()

    def trash_root(self, path: HdfsPath) -> HdfsPath:
        """Return the directory that holds the user's trash for `path`."""
        self._judge.seen(path)
        return self._fs.trash_root(path)

    def trash_interval(self) -> int:
        """Return the minutes that the cluster keeps trash."""
        return self._fs.trash_interval()

    def storage(self) -> Storage:
        """Return what the cluster stores and could."""
        return self._fs.storage()

    # --- looking

    def status(self, path: HdfsPath) -> FileStatus:
        """Return the status of `path`; what only leads somewhere is a directory, or not there."""
        named, verdict = self._judge.seen(path)
        status = self._fs.status(path)
        if verdict is Verdict.WAY and not status.is_directory:
            raise PathNotFound(path)
        self._judge.learn(named, status.file_id)
        return self._judge.told(named, status)

    def check_access(self, path: HdfsPath, action: str) -> None:
        """Return if rules and HDFS let the user `action`, or lead to where they do."""
        named, _ = self._judge.seen(path)
        if "r" in action:
            self._judge.require_way(named, Right.READ)
        if "w" in action:
            self._judge.require_way(named, Right.WRITE)
        self._fs.check_access(path, action)

    def list_page(self, path: HdfsPath, start_after: str | None = None) -> ListingPage:
        """Return entries that may be known; never none of them while more remain."""
        named, verdict = self._judge.seen(path)
        if (self._judge.verdict(named, Right.READ) is Verdict.DENIED
                and self._judge.verdict(named, Right.WRITE) is not Verdict.WAY):
            raise PathForbidden(named)
        sees = self._rules.within(named)
        while True:
            page = self._fs.list_page(path, start_after)
            if page.entries and not page.entries[0].path_suffix:
                if verdict is Verdict.WAY:
                    raise PathNotFound(path)
                self._judge.learn(named, page.entries[0].file_id)
                return page
            shown = [self._shown(named, entry) for entry in page.entries
                     if _is_shown(entry, sees(entry.path_suffix))]
            if shown or not page.remaining or not page.entries:
                # How many of the others will be shown is not known yet.
                return ListingPage(shown, min(page.remaining, 1))
            start_after = page.entries[-1].path_suffix

    def _shown(self, directory: HdfsPath, entry: FileStatus) -> FileStatus:
        path = child_of(directory, entry.path_suffix)
        self._judge.learn(path, entry.file_id)
        return self._judge.told(path, entry) if entry.is_directory else entry

    def content_summary(self, path: HdfsPath) -> ContentSummary:
        """Return what the subtree holds, where all of it may be read."""
        self._judge.require_tree(path, Right.READ)
        return self._fs.content_summary(path)

    def checksum(self, path: HdfsPath) -> FileChecksum:
        """Return HDFS's checksum of a file."""
        self._judge.require(path, Right.READ)
        return self._fs.checksum(path)

    def block_locations(self, path: HdfsPath, length: int) -> Sequence[BlockLocation]:
        """Return where the blocks of a file's first `length` bytes lie."""
        self._judge.require(path, Right.READ)
        return self._fs.block_locations(path, length)

    def acl(self, path: HdfsPath) -> AclStatus:
        """Return the ACL."""
        self._judge.way_to_directory(path, self._judge.seen(path)[1])
        return self._fs.acl(path)

    def xattrs(self, path: HdfsPath, names: Sequence[str] = ()) -> Mapping[str, bytes]:
        """Return the xattrs of these names, or all."""
        self._judge.way_to_directory(path, self._judge.seen(path)[1])
        return self._fs.xattrs(path, names)

    def snapshots(self, path: HdfsPath) -> Sequence[Snapshot]:
        """Return the snapshots of a snapshottable directory."""
        self._judge.require_way(path, Right.READ)
        return self._fs.snapshots(path)

    # --- content

    def open(self, path: HdfsPath, offset: int, length: int, file_id: int = 0) -> ByteSource:
        """Open `length` > 0 bytes from `offset`."""
        self._judge.require(path, Right.READ)
        return self._fs.open(path, offset, length, file_id)

    def datanode_url(self, path: HdfsPath, offset: int, length: int, file_id: int = 0) -> str:
        """Return the URL at which a DataNode gives these bytes."""
        self._judge.require(path, Right.READ)
        return self._fs.datanode_url(path, offset, length, file_id)

    def create(
        self, path: HdfsPath, body: Iterable[bytes], *, permission: str | None = None,
        replication: int | None = None, block_size: int | None = None, overwrite: bool = False,
        unmasked: str | None = None,
    ) -> None:
        """Write `body` to a new file; missing parents are made: they lead to what is allowed."""
        self._judge.require(path, Right.WRITE)
        self._fs.create(path, body, permission=permission, replication=replication,
                        block_size=block_size, overwrite=overwrite, unmasked=unmasked)

    def append(self, path: HdfsPath, body: Iterable[bytes]) -> None:
        """Append `body` in place."""
        self._judge.require(path, Right.WRITE)
        self._fs.append(path, body)

    def concat(self, target: HdfsPath, sources: Sequence[HdfsPath]) -> None:
        """Move the blocks of `sources`, which vanish, to the end of `target`."""
        self._judge.require(target, Right.WRITE)
        for source in sources:
            self._judge.require(source, Right.READ, Right.WRITE)
        self._fs.concat(target, sources)

    def truncate(self, path: HdfsPath, length: int) -> bool:
        """Cut the file."""
        self._judge.require(path, Right.WRITE)
        return self._fs.truncate(path, length)

    def take_lease(self, path: HdfsPath) -> None:
        """Have HDFS end the writing of whoever holds the lease."""
        self._judge.require(path, Right.WRITE)
        self._fs.take_lease(path)

    # --- names

    def mkdirs(
        self, path: HdfsPath, permission: str | None = None, unmasked: str | None = None,
    ) -> None:
        """Make a directory that may be written, or is on the way to what may."""
        self._judge.require_way(path, Right.WRITE)
        self._fs.mkdirs(path, permission, unmasked)

    def rename(
        self, source: HdfsPath, destination: HdfsPath, mode: Rename = Rename.MOVE,
    ) -> bool:
        """Rename what may be read and written, with all in it, to where that may be written."""
        self._judge.check_rename(source, destination, mode)
        return self._fs.rename(source, destination, mode)

    def delete(self, path: HdfsPath, *, recursive: bool = False) -> bool:
        """Delete; a tree only where all of it may be written."""
        self._judge.require(path, Right.WRITE)
        if recursive:
            try:
                self._judge.require_tree(path, Right.WRITE)
            except PathNotFound:
                return False
        return self._fs.delete(path, recursive=recursive)

    # --- attributes

    def set_permission(self, path: HdfsPath, permission: str) -> None:
        """Set the octal mode."""
        self._judge.require(path, Right.WRITE)
        self._fs.set_permission(path, permission)

    def set_owner(self, path: HdfsPath, owner: str | None, group: str | None) -> None:
        """Set owner or group or both."""
        self._judge.require(path, Right.WRITE)
        self._fs.set_owner(path, owner, group)

    def set_replication(self, path: HdfsPath, replication: int) -> bool:
        """Set the factor."""
        self._judge.require(path, Right.WRITE)
        return self._fs.set_replication(path, replication)

    def set_times(
        self, path: HdfsPath, modification_time: int | None, access_time: int | None,
    ) -> None:
        """Set times in epoch milliseconds."""
        self._judge.require(path, Right.WRITE)
        self._fs.set_times(path, modification_time, access_time)

    def change_acl(self, path: HdfsPath, change: AclChange, entries: str | None) -> None:
        """Change the ACL."""
        self._judge.require(path, Right.WRITE)
        self._fs.change_acl(path, change, entries)

    def set_xattr(self, path: HdfsPath, name: str, value: bytes, *, exists: bool | None) -> None:
        """Set one xattr."""
        self._check_xattr(path, name)
        self._fs.set_xattr(path, name, value, exists=exists)

    def remove_xattr(self, path: HdfsPath, name: str) -> None:
        """Remove one xattr."""
        self._check_xattr(path, name)
        self._fs.remove_xattr(path, name)

    def _check_xattr(self, path: HdfsPath, name: str) -> None:
        if name.startswith(_OWN):
            named = self._judge.require_way(path, Right.WRITE)
            self._judge.way_to_directory(path, self._judge.verdict(named, Right.WRITE))
        else:
            self._judge.require(path, Right.WRITE)

    def set_quota(self, path: HdfsPath, names: int | None, space: int | None) -> None:
        """Set the quotas of a directory."""
        self._judge.require(path, Right.WRITE)
        self._fs.set_quota(path, names, space)

    # --- snapshots: of a whole tree each

    def allow_snapshots(self, path: HdfsPath, *, allowed: bool) -> None:
        """Make a directory snapshottable or not."""
        self._judge.require_tree(path, Right.WRITE)
        self._fs.allow_snapshots(path, allowed=allowed)

    def create_snapshot(self, path: HdfsPath, name: str | None) -> HdfsPath:
        """Make a snapshot and return its path."""
        self._judge.require_tree(path, Right.WRITE)
        return self._fs.create_snapshot(path, name)

    def rename_snapshot(self, path: HdfsPath, old: str, new: str) -> None:
        """Rename a snapshot."""
        self._judge.require_tree(path, Right.WRITE)
        self._fs.rename_snapshot(path, old, new)

    def delete_snapshot(self, path: HdfsPath, name: str) -> None:
        """Delete a snapshot."""
        self._judge.require_tree(path, Right.WRITE)
        self._fs.delete_snapshot(path, name)

    # --- documents

    def document(self, path: HdfsPath, kind: Document, **parameters: str | int | None) -> Any:
        """Return a document: of the cluster, or of a tree all of which may be read."""
        if kind.name not in _OF_CLUSTER:
            self._judge.require_tree(path, Right.READ)
        return self._fs.document(path, kind, **parameters)

    def administer(
        self, path: HdfsPath, kind: Administration, **parameters: str | int | None,
    ) -> None:
        """Make a change to a tree all of which may be written."""
        self._judge.require_tree(path, Right.WRITE)
        self._fs.administer(path, kind, **parameters)

    # --- beside the port

    def learn(self, path: HdfsPath, file_id: int) -> None:
        """Take it that `file_id` is the inode of `path`, as an earlier request of the user saw."""
        self._judge.learn(path, file_id)

    def below(self, path: HdfsPath) -> FileSystem:
        """Return what is below the rules, if they let `path` be read. Raises PathForbidden."""
        self._judge.require(path, Right.READ)
        return self._fs


def file_system_of(principal: Principal, fs: FileSystem) -> FileSystem:
    """Return `fs` as the principal's rules have it: itself where there are none."""
    if not principal.rules:
        return fs
    return RuledFileSystem(fs, principal.rules)


def learn(fs: FileSystem, path: HdfsPath, file_id: int) -> None:
    """Tell a file system with rules that a path by this number is `path`."""
    if isinstance(fs, RuledFileSystem):
        fs.learn(path, file_id)


def readable(fs: FileSystem, path: HdfsPath) -> FileSystem:
    """Return what reads `path` without more questions. Raises PathForbidden."""
    return fs.below(path) if isinstance(fs, RuledFileSystem) else fs


def _is_shown(entry: FileStatus, verdict: Verdict) -> bool:
    if entry.path_suffix.startswith(HIDDEN_MARK):
        return True
    return verdict is Verdict.ALLOWED or (verdict is Verdict.WAY and entry.is_directory)
