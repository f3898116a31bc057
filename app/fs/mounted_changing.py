"""Changing through mounts: not where they are read-only, and within one cluster at a time.

A mount point itself, and what holds one, stays: it is not removed, moved or replaced.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.core.errors import NotADirectory, PathError, PathNotFound, Unsupported
from app.core.mounts import INODES, CrossMount, HoldsMount
from app.core.paths import ROOT, HdfsPath, child_of, name_of, parent_of
from app.fs.mounted_reading import MountedReading
from app.fs.port import Rename

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from app.fs.documents import Administration
    from app.fs.mounted_routes import Route
    from app.fs.port import AclChange


class _Body:
    """A body that knows what it raised: that is none of the errors of where it goes."""

    def __init__(self, body: Iterable[bytes]) -> None:
        self._body = body
        self.raised: BaseException | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Begin anew, if the body can."""
        return _Pieces(iter(self._body), self)


class _Pieces:
    def __init__(self, pieces: Iterator[bytes], body: _Body) -> None:
        self._pieces = pieces
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except BaseException as error:
            self._body.raised = error
            raise


class MountedFileSystem(MountedReading):
    """The file system of one user with all that is mounted."""

    # --- content

    def create(
        self, path: HdfsPath, body: Iterable[bytes], *, permission: str | None = None,
        replication: int | None = None, block_size: int | None = None, overwrite: bool = False,
        unmasked: str | None = None,
    ) -> None:
        """Write `body` to a new file; missing parents are made."""
        with self._writing(path, body) as (route, watched):
            route.fs.create(
                route.real, watched, permission=permission, replication=replication,
                block_size=block_size, overwrite=overwrite, unmasked=unmasked)

    def append(self, path: HdfsPath, body: Iterable[bytes]) -> None:
        """Append `body` in place; not atomic."""
        with self._writing(path, body) as (route, watched):
            route.fs.append(route.real, watched)

    def concat(self, target: HdfsPath, sources: Sequence[HdfsPath]) -> None:
        """Move the blocks of `sources`, of the same cluster, to the end of `target`."""
        route = self._route(target, changes=True)
        routes = [self._route(source, changes=True) for source in sources]
        for one in routes:
            _check_same(one, route)
            if "," in one.real:
                raise Unsupported("HDFS cannot join files whose path has a comma")
        with route.telling():
            route.fs.concat(route.real, [one.real for one in routes])

    def truncate(self, path: HdfsPath, length: int) -> bool:
        """Cut the file; False means that HDFS recovers the last block in the background."""
        with self._changing(path) as route:
            return route.fs.truncate(route.real, length)

    def take_lease(self, path: HdfsPath) -> None:
        """Have HDFS end the writing of whoever holds the lease."""
        with self._changing(path) as route:
            route.fs.take_lease(route.real)

    # --- names

    def mkdirs(
        self, path: HdfsPath, permission: str | None = None, unmasked: str | None = None,
    ) -> None:
        """Make a directory and its parents."""
        with self._changing(path) as route:
            route.fs.mkdirs(route.real, permission, unmasked)

    def rename(
        self, source: HdfsPath, destination: HdfsPath, mode: Rename = Rename.MOVE,
    ) -> bool:
        """Rename within a cluster; False where HDFS refuses without a reason (MOVE only)."""
        old, new = self._route(source, changes=True), self._route(destination, changes=True)
        self._check_free(old)
        _check_same(old, new)
        if mode is Rename.REPLACE:
            self._check_free(new)
        if mode is Rename.MOVE and self._table.at(child_of(destination, name_of(source))):
            return False  # it would lie below the mount point, where nobody sees it
        try:
            return old.fs.rename(old.real, new.real, mode)
        except PathError as error:
            about_new = error.path in (new.real, parent_of(new.real))
            (new if about_new else old).tell(error)
            raise

    def delete(self, path: HdfsPath, *, recursive: bool = False) -> bool:
        """Delete; False where nothing was there."""
        route = self._route(path, changes=True)
        self._check_free(route)
        with route.telling():
            return route.fs.delete(route.real, recursive=recursive)

    # --- attributes

    def set_permission(self, path: HdfsPath, permission: str) -> None:
        """Set the octal mode."""
        with self._changing(path) as route:
            route.fs.set_permission(route.real, permission)

    def set_owner(self, path: HdfsPath, owner: str | None, group: str | None) -> None:
        """Set owner or group or both."""
        with self._changing(path) as route:
            route.fs.set_owner(route.real, owner, group)

    def set_replication(self, path: HdfsPath, replication: int) -> bool:
        """Set the factor; False where HDFS refuses."""
        with self._changing(path) as route:
            return route.fs.set_replication(route.real, replication)

    def set_times(
        self, path: HdfsPath, modification_time: int | None, access_time: int | None,
    ) -> None:
        """Set times in epoch milliseconds; None leaves one as it is."""
        with self._changing(path) as route:
            route.fs.set_times(route.real, modification_time, access_time)

    def change_acl(self, path: HdfsPath, change: AclChange, entries: str | None) -> None:
        """Change the ACL."""
        with self._changing(path) as route:
            route.fs.change_acl(route.real, change, entries)

    def set_xattr(self, path: HdfsPath, name: str, value: bytes, *, exists: bool | None) -> None:
        """Set one xattr."""
        with self._changing(path) as route:
            route.fs.set_xattr(route.real, name, value, exists=exists)

    def remove_xattr(self, path: HdfsPath, name: str) -> None:
        """Remove one xattr."""
        with self._changing(path) as route:
            route.fs.remove_xattr(route.real, name)

    def set_quota(self, path: HdfsPath, names: int | None, space: int | None) -> None:
        """Set the quotas of a directory."""
        with self._changing(path) as route:
            route.fs.set_quota(route.real, names, space)

    def administer(
        self, path: HdfsPath, kind: Administration, **parameters: str | int | None,
    ) -> None:
        """Make a change that no other dialect has a word for."""
        with self._changing(path) as route:
            route.fs.administer(route.real, kind, **parameters)

    # --- snapshots

    def allow_snapshots(self, path: HdfsPath, *, allowed: bool) -> None:
        """Make a directory snapshottable or not."""
        with self._changing(path) as route:
            route.fs.allow_snapshots(route.real, allowed=allowed)

    def create_snapshot(self, path: HdfsPath, name: str | None) -> HdfsPath:
        """Make a snapshot and return its path."""
        with self._changing(path) as route:
            return route.back(route.fs.create_snapshot(route.real, name))

    def rename_snapshot(self, path: HdfsPath, old: str, new: str) -> None:
        """Rename a snapshot."""
        with self._changing(path) as route:
            route.fs.rename_snapshot(route.real, old, new)

    def delete_snapshot(self, path: HdfsPath, name: str) -> None:
        """Delete a snapshot."""
        with self._changing(path) as route:
            route.fs.delete_snapshot(route.real, name)

    # --- inside

    @contextmanager
    def _writing(
        self, path: HdfsPath, body: Iterable[bytes],
    ) -> Iterator[tuple[Route, _Body]]:
        """Give the way to what is written; what `body` raises is not about that."""
        route, watched = self._route(path, changes=True), _Body(body)
        try:
            yield route, watched
        except PathError as error:
            if error is not watched.raised:
                route.tell(error)
            raise

    def _check_free(self, route: Route) -> None:
        """Raise HoldsMount if what is there is a mount point or holds one."""
        if not self._table.inside(route.path) and not self._is_holder(route):
            return
        raise HoldsMount(route.path)

    def _is_holder(self, route: Route) -> bool:
        """Tell the same of a directory that is named by number."""
        if not route.real.startswith(INODES):
            return False
        try:
            status = route.fs.status(route.real)
        except (PathNotFound, NotADirectory):
            return False
        return (status.is_directory and bool(status.file_id)
                and any(self._number_at(holder) == status.file_id
                        for holder in self._holders(route.number)))

    def _holders(self, number: int) -> list[Route]:
        """Return the ways to the mount points and what holds them, as far as this mount has it."""
        paths = set()
        for mount in self._table:
            path = mount.path
            while path != ROOT:
                paths.add(path)
                path = parent_of(path)
        return [self._way(path) for path in paths if self.mount_of(path) == number]

    def _number_at(self, route: Route) -> int:
        try:
            return route.fs.status(route.real).file_id
        except PathError:
            return 0


def _check_same(route: Route, other: Route) -> None:
    """Raise CrossMount where two paths are of different clusters."""
    if route.cluster != other.cluster:
        raise CrossMount(route.path, other.path)
