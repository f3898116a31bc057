"""The file system of one user: all of the port, over WebHDFS."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from app.core.errors import Unsupported
from app.fs import wire
from app.fs.content import Content
from app.fs.documents import Documents
from app.fs.port import AclChange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.core.model import AclStatus, Snapshot
    from app.core.paths import HdfsPath

_ACL_CALLS = {
    AclChange.SET: "set_acl",
    AclChange.MODIFY: "modify_acl_entries",
    AclChange.REMOVE_ENTRIES: "remove_acl_entries",
    AclChange.REMOVE_DEFAULT: "remove_default_acl",
    AclChange.REMOVE: "remove_acl",
}
_XATTR_FLAGS = {None: "CREATE,REPLACE", True: "REPLACE", False: "CREATE"}


class WebHdfsFileSystem(Content, Documents):
    """Names and bytes, and here what a few ask for: ACLs, xattrs, snapshots, quotas."""

    def acl(self, path: HdfsPath) -> AclStatus:
        """Return the ACL. Raises Unsupported where the cluster has ACLs off."""
        return wire.acl_status(self._fetch("get_acl_status", path))

    def change_acl(self, path: HdfsPath, change: AclChange, entries: str | None) -> None:
        """Change the ACL by `entries` ("user:alice:rw-,…"; None for the two that take none)."""
        self._fetch(_ACL_CALLS[change], path, aclspec=entries)

    def xattrs(self, path: HdfsPath, names: Sequence[str] = ()) -> Mapping[str, bytes]:
        """Return the xattrs of these names, or all. Raises AttributeNotFound."""
        wanted = {"xattr.name": tuple(names)}
        return wire.xattrs(self._fetch("get_x_attrs", path, encoding="base64", **wanted))

    def set_xattr(self, path: HdfsPath, name: str, value: bytes, *, exists: bool | None) -> None:
        """Set one xattr; `exists` says whether it must (True) or must not (False) be there."""
        xattr = {"xattr.name": name, "xattr.value": f"0s{base64.b64encode(value).decode()}"}
        self._fetch("set_x_attr", path, flag=_XATTR_FLAGS[exists], **xattr)

    def remove_xattr(self, path: HdfsPath, name: str) -> None:
        """Remove one xattr. Raises AttributeNotFound."""
        self._fetch("remove_x_attr", path, **{"xattr.name": name})

    def allow_snapshots(self, path: HdfsPath, *, allowed: bool) -> None:
        """Make a directory snapshottable or not (superuser only)."""
        self._fetch("allow_snapshot" if allowed else "disallow_snapshot", path)

    def snapshots(self, path: HdfsPath) -> Sequence[Snapshot]:
        """Return the snapshots of a snapshottable directory."""
        return wire.snapshots(self._fetch("get_snapshot_list", path))

    def create_snapshot(self, path: HdfsPath, name: str | None) -> HdfsPath:
        """Make a snapshot and return its path (`…/.snapshot/<name>`)."""
        return wire.path(self._fetch("create_snapshot", path, snapshotname=name))

    def rename_snapshot(self, path: HdfsPath, old: str, new: str) -> None:
        """Rename a snapshot. Raises SnapshotNotFound."""
        self._fetch("rename_snapshot", path, oldsnapshotname=old, snapshotname=new)

    def delete_snapshot(self, path: HdfsPath, name: str) -> None:
        """Delete a snapshot. Raises AttributeNotFound."""
        self._fetch("delete_snapshot", path, snapshotname=name)

    def set_quota(
        self, path: HdfsPath, names: int | None, space: int | None,
    ) -> None:
        """Set the quotas of a directory (superuser only); None leaves one, -1 clears it."""
        if not self.flavor.quotas:
            raise Unsupported(f"{self.flavor.name} cannot set quotas")
        self._fetch("set_quota", path, namespacequota=names, storagespacequota=space)
