"""Reading through mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core.errors import PathNotFound, TrashDisabled
from app.core.mounts import split_id
from app.fs.mounted_listing import Listings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.core.model import (
        AclStatus,
        BlockLocation,
        ContentSummary,
        FileChecksum,
        Snapshot,
        Storage,
    )
    from app.core.paths import HdfsPath
    from app.fs.documents import Document
    from app.fs.mounted_routes import Route
    from app.fs.port import ByteSource, Flavor


_PATHS = frozenset({"snapshotRoot", "fullPath"})
"""What paths are called in documents of a path: differences and lists of snapshots."""


class MountedSource:
    """A ByteSource whose errors name the path as it is called here."""

    def __init__(self, source: ByteSource, route: Route) -> None:
        self._source = source
        self._route = route

    def read(self, size: int) -> bytes:
        """Return 1 to `size` bytes, b"" at the end."""
        with self._route.telling():
            return self._source.read(size)

    def close(self) -> None:
        """Let go of the connection."""
        self._source.close()


class MountedReading(Listings):
    """The part of the port that changes nothing."""

    def flavor_of(self, path: HdfsPath) -> Flavor:
        """Return the differences of the server that has `path`."""
        route = self._way(path)
        return route.fs.flavor_of(route.real)

    def home(self) -> HdfsPath:
        """Return the user's home directory in the own cluster."""
        return self._own.home()

    def trash_interval(self) -> int:
        """Return the minutes that the own cluster keeps trash."""
        return self._own.trash_interval()

    def storage(self) -> Storage:
        """Return what the own cluster stores."""
        return self._own.storage()

    def trash_root(self, path: HdfsPath) -> HdfsPath:
        """Return the trash for `path`, which lies in the same mount. Raises TrashDisabled."""
        with self._reading(path) as route:
            if route.mount and route.fs.trash_interval() <= 0:
                raise TrashDisabled(route.real)
            real = route.fs.trash_root(route.real)
        root = route.mount.here(real) if route.mount else real
        if root is None or self.mount_of(root) != route.number:
            raise TrashDisabled(path, "the trash lies on the other side of a mount point")
        return root

    def check_access(self, path: HdfsPath, action: str) -> None:
        """Return if the user may `action` on `path`, else AccessDenied."""
        with (self._changing if "w" in action else self._reading)(path) as route:
            route.fs.check_access(route.real, action)

    def content_summary(self, path: HdfsPath) -> ContentSummary:
        """Return what the subtree holds, mounts included; the quotas are those of `path`."""
        with self._reading(path) as route:
            total = route.fs.content_summary(route.real)
        for mount in self._table.inside(path):
            if mount.path != path:
                with self._reading(mount.path) as inner:
                    total = _sum(total, inner.fs.content_summary(inner.real))
        return total

    def checksum(self, path: HdfsPath) -> FileChecksum:
        """Return HDFS's checksum of a file."""
        with self._reading(path) as route:
            return route.fs.checksum(route.real)

    def block_locations(self, path: HdfsPath, length: int) -> Sequence[BlockLocation]:
        """Return where the blocks of a file's first `length` bytes lie, in order."""
        with self._reading(path) as route:
            return route.fs.block_locations(route.real, length)

    def open(self, path: HdfsPath, offset: int, length: int, file_id: int = 0) -> ByteSource:
        """Open `length` > 0 bytes from `offset`, of the inode `file_id` if that is given."""
        with self._reading(path) as route:
            inode, number = split_id(file_id)
            if file_id and number != route.number:
                raise PathNotFound(route.real)
            source = route.fs.open(route.real, offset, length, inode)
        return MountedSource(source, route) if route.mount else source

    def datanode_url(self, path: HdfsPath, offset: int, length: int, file_id: int = 0) -> str:
        """Return the URL at which a DataNode of whichever cluster gives these bytes."""
        with self._reading(path) as route:
            inode, number = split_id(file_id)
            if file_id and number != route.number:
                raise PathNotFound(route.real)
            return route.fs.datanode_url(route.real, offset, length, inode)

    def acl(self, path: HdfsPath) -> AclStatus:
        """Return the ACL."""
        with self._reading(path) as route:
            return route.fs.acl(route.real)

    def xattrs(self, path: HdfsPath, names: Sequence[str] = ()) -> Mapping[str, bytes]:
        """Return the xattrs of these names, or all."""
        with self._reading(path) as route:
            return route.fs.xattrs(route.real, names)

    def document(self, path: HdfsPath, kind: Document, **parameters: str | int | None) -> Any:
        """Return a document of WebHDFS's for `path`, or of the own cluster."""
        with self._reading(path) as route:
            found = route.fs.document(route.real, kind, **parameters)
        return _called(found, route) if route.mount else found

    def snapshots(self, path: HdfsPath) -> Sequence[Snapshot]:
        """Return the snapshots of a snapshottable directory."""
        with self._reading(path) as route:
            return route.fs.snapshots(route.real)


def _called(document: Any, route: Route) -> Any:
    """Return a document with the paths that documents of a path have as they are called here."""
    if isinstance(document, list):
        return [_called(one, route) for one in document]
    if not isinstance(document, dict):
        return document
    return {name: route.back(value) if name in _PATHS else value
            for name, value in document.items()}


def _sum(outer: ContentSummary, inner: ContentSummary) -> ContentSummary:
    return outer._replace(
        directory_count=outer.directory_count + inner.directory_count,
        file_count=outer.file_count + inner.file_count,
        length=outer.length + inner.length,
        space_consumed=outer.space_consumed + inner.space_consumed)
