"""What of a principal's file system is neither content nor names: ACLs, xattrs, snapshots, quotas.

These are the parts of WebHDFS that one call does; the base of UserFileSystem.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import AccessDenied, InvalidPath
from app.core.mounts import check_named
from app.core.paths import HIDDEN_MARK, HdfsPath, is_inside, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.core.identity import Principal
    from app.core.model import AclStatus, Snapshot
    from app.fs.port import AclChange, FileSystem


def refuse_reserved(*names: str) -> None:
    """Raise InvalidPath if one of `names` is that of a staged file."""
    for name in names:
        if name.startswith(HIDDEN_MARK):
            raise InvalidPath(name, f"names that begin with '{HIDDEN_MARK}' are reserved")


class Attributes:
    """Paths as the principal writes them, and the single-call operations."""

    def __init__(self, principal: Principal, fs: FileSystem) -> None:
        self._principal = principal
        self._fs = fs

    def real(self, path: str) -> HdfsPath:
        """Return the HDFS path that the user means. Raises InvalidPath, PathNotFound."""
        root = self._principal.root
        named = check_named(
            resolve(path, root=root, home=root if path.startswith("/") else self._home()))
        return self._principal.require_named(named)

    def _home(self) -> HdfsPath:
        """Return the real home directory; the root of a confined user whose home is outside."""
        home = self._fs.home()
        return home if is_inside(home, self._principal.root) else self._principal.root

    def _writable(self, path: str) -> HdfsPath:
        """Return the path of what may be made or changed; staged files are none of the user's."""
        real = self._removable(path)
        refuse_reserved(*real.split("/"))
        return real

    def _removable(self, path: str) -> HdfsPath:
        """Return the path of what may be removed: that may be a staged file left behind."""
        real = self.real(path)
        self._principal.require_write(real)
        return real

    def _keep_root(self, real: HdfsPath) -> None:
        if real == self._principal.root:
            raise AccessDenied(real, "the root stays where it is")

    def set_owner(self, path: str, owner: str | None, group: str | None) -> None:
        """Set owner, group or both, as far as HDFS lets the user."""
        self._fs.set_owner(self._writable(path), owner, group)

    def set_times(self, path: str, modification: int | None, access: int | None) -> None:
        """Set the times in epoch milliseconds; None leaves one as it is."""
        self._fs.set_times(self._writable(path), modification, access)

    def acl(self, path: str) -> AclStatus:
        """Return the ACL."""
        return self._fs.acl(self.real(path))

    def change_acl(self, path: str, change: AclChange, entries: str | None) -> None:
        """Change the ACL."""
        self._fs.change_acl(self._writable(path), change, entries)

    def xattrs(self, path: str, names: Sequence[str]) -> Mapping[str, bytes]:
        """Return xattrs by name, all where no name is given."""
        return self._fs.xattrs(self.real(path), names)

    def set_xattr(self, path: str, name: str, value: bytes, *, exists: bool | None) -> None:
        """Set one xattr; `exists` says whether it must or must not be there before."""
        self._fs.set_xattr(self._writable(path), name, value, exists=exists)

    def remove_xattr(self, path: str, name: str) -> None:
        """Remove one xattr."""
        self._fs.remove_xattr(self._writable(path), name)

    def snapshots(self, path: str) -> Sequence[Snapshot]:
        """Return the snapshots of a snapshottable directory."""
        return self._fs.snapshots(self.real(path))

    def allow_snapshots(self, path: str, *, allowed: bool) -> None:
        """Make a directory snapshottable or not; HDFS lets superusers only."""
        self._fs.allow_snapshots(self._writable(path), allowed=allowed)

    def create_snapshot(self, path: str, name: str | None) -> str:
        """Make a snapshot and return its path as the user sees it."""
        return self._principal.visible(self._fs.create_snapshot(self._writable(path), name))

    def rename_snapshot(self, path: str, old: str, new: str) -> None:
        """Rename a snapshot."""
        self._fs.rename_snapshot(self._writable(path), old, new)

    def delete_snapshot(self, path: str, name: str) -> None:
        """Delete a snapshot."""
        self._fs.delete_snapshot(self._writable(path), name)

    def set_quota(self, path: str, names: int | None, space: int | None) -> None:
        """Set the quotas of a directory; HDFS lets superusers only. -1 clears one."""
        self._fs.set_quota(self._writable(path), names, space)
