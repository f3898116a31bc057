"""Which cluster has a path, how it is called there, and what is told of it here.

What is told of a mount, errors too, has the gateway's paths in it: those of another cluster would
tell where the mount leads, and a dialect would show them to users who see another root.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from app.core.errors import GatewayError, PathError, PathNotFound
from app.core.mounts import INODES, ReadOnlyMount, mounted_id, split_by_number, split_id
from app.core.paths import HdfsPath, parent_of
from app.fs.mounts import OWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.model import FileStatus
    from app.core.mounts import Mount, MountTable
    from app.fs.mounts import Mounts
    from app.fs.port import FileSystem


class Route(NamedTuple):
    """The way from `path` here to `real` in the cluster `fs`; `mount` is None for the own one."""

    path: HdfsPath
    fs: FileSystem
    real: HdfsPath
    mount: Mount | None

    @property
    def number(self) -> int:
        """The number of the mount, 0 for none."""
        return self.mount.mount_id if self.mount else 0

    @property
    def cluster(self) -> str:
        """The name of the cluster."""
        return self.mount.cluster if self.mount else OWN

    def back(self, real: str) -> HdfsPath:
        """Return how a path of the cluster is called here: the mount's for what is outside."""
        if real == self.real:
            return self.path
        if self.mount is None:
            return HdfsPath(real)
        by_number = split_by_number(real)
        if by_number:
            return HdfsPath(f"{INODES}{mounted_id(by_number[0], self.mount)}{by_number[1]}")
        return self.mount.here(HdfsPath(real)) or self.mount.path

    def known(self, status: FileStatus) -> FileStatus:
        """Return a status of the cluster with the number by which the file is known here."""
        number = mounted_id(status.file_id, self.mount)
        return status if number == status.file_id else status._replace(file_id=number)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Have errors about paths of the cluster name them as they are called here."""
        try:
            yield
        except GatewayError as error:
            self.tell(error)
            raise

    def tell(self, error: GatewayError) -> None:
        """Have an error name things as they are called here, and say nothing of a mount's own."""
        if isinstance(error, PathError):
            error.path = self.back(error.path)
        if self.mount:
            error.told = None


class Router:
    """The ways of one user, by the mounts that there were when the request came."""

    def __init__(self, mounts: Mounts, table: MountTable, user: str) -> None:
        self.user = user
        self._mounts = mounts
        self._table = table
        self._own: FileSystem = mounts.cluster(OWN).as_user(user)
        self._reached: set[int] = set()

    def mount_of(self, path: HdfsPath) -> int:
        """Return the number of the mount that has `path`, 0 for none."""
        by_number = split_by_number(path) if path.startswith(INODES) else None
        if by_number:
            return split_id(by_number[0])[1]
        mount = self._table.of(path)
        return mount.mount_id if mount else 0

    def _route(self, path: HdfsPath, *, changes: bool = False) -> Route:
        """Return the way to `path`, if the user may go it. Raises AccessDenied, ReadOnlyMount."""
        route = self._way(path)
        if route.mount:
            self._reach(route.mount)
            if changes and route.mount.read_only:
                raise ReadOnlyMount(path, route.mount.path)
        return route

    @contextmanager
    def _reading(self, path: HdfsPath) -> Iterator[Route]:
        """Give the way to what is read."""
        route = self._route(path)
        with route.telling():
            yield route

    @contextmanager
    def _changing(self, path: HdfsPath) -> Iterator[Route]:
        """Give the way to what is changed."""
        route = self._route(path, changes=True)
        with route.telling():
            yield route

    def _way(self, path: HdfsPath) -> Route:
        """Return the way to `path`, unchecked. Raises PathNotFound for a mount that is gone."""
        by_number = split_by_number(path) if path.startswith(INODES) else None
        if by_number is None:
            mount = self._table.of(path)
            if mount is None:
                return Route(path, self._own, path, None)
            return Route(path, self._mounted(mount), mount.there(path), mount)
        inode, number = split_id(by_number[0])
        if not number:
            return Route(path, self._own, path, None)
        mount = self._table.numbered(number)
        if mount is None:
            raise PathNotFound(path)
        return Route(path, self._mounted(mount), HdfsPath(f"{INODES}{inode}{by_number[1]}"), mount)

    def _mounted(self, mount: Mount) -> FileSystem:
        return self._mounts.cluster(mount.cluster).as_user(self.user)

    def _reach(self, mount: Mount) -> None:
        """Raise AccessDenied unless the user may go into the directory that has the mount point.

        HDFS checks the directories above a path, but knows nothing of mount points.
        """
        if mount.mount_id not in self._reached:
            with self._reading(parent_of(mount.path)) as parent:
                parent.fs.check_access(parent.real, "--x")
            self._reached.add(mount.mount_id)
