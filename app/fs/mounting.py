"""Mounting as one principal may: admins bind a directory of a cluster to a path.

A confined admin's mounts are inside the root and lead to directories inside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import (
    AccessDenied,
    AlreadyExists,
    Conflict,
    InvalidParameter,
    InvalidPath,
    NotADirectory,
)
from app.core.path_rules import PathForbidden
from app.core.paths import HIDDEN_MARK, ROOT, HdfsPath, absolute, is_inside, parent_of, resolve
from app.fs.mounts import OWN
from app.fs.placing import status_or_none
from app.sections.clusters import NO_PLACES

if TYPE_CHECKING:
    from app.core.identity import Principal
    from app.core.mounts import Mount
    from app.fs.mounts import Mounts
    from app.fs.port import Backend, FileSystem

_ALLOWED = ("an absolute path of this gateway, or webhdfs://<cluster>/<directory> with the name or"
            " the address of a configured cluster")


class Mounting:
    """The mounting of one principal; `backend` shows what they see, mounts included."""

    def __init__(self, principal: Principal, mounts: Mounts, backend: Backend) -> None:
        self._principal = principal
        self._mounts = mounts
        self._backend = backend

    def mount(self, path: str, source: str, *, read_only: bool) -> Mount:
        """Show the directory `source` at `path`; it is seen everywhere when this returns.

        Raises AccessDenied, InvalidPath, InvalidParameter (a source that names no cluster),
        AlreadyExists, PathNotFound (no parent, no source), NotADirectory, Conflict (a directory
        inside itself).
        """
        point = self._point(path)
        fs = self._backend.as_user(self._principal.hadoop_user)
        self._check_point(fs, point)
        cluster, real = self._source(source)
        self._check_room(cluster, real)
        place = self._place(point)
        if place[0] == cluster and is_inside(place[1], real):
            raise Conflict(point, "a directory cannot be mounted inside itself")
        self._check_source(cluster, real, source)
        return self._mounts.add(point, cluster, real, read_only=read_only)

    def unmount(self, path: str) -> None:
        """Take away the mount at `path`. Raises AccessDenied, PathNotFound, HoldsMount."""
        self._mounts.remove(self._kept_root(self._point(path)))

    def unmount_below(self, path: str) -> int:
        """Take away the mounts at and below `path`; return how many there were."""
        point = self._kept_root(self._point(path))
        for mount in self._mounts.table().inside(point):
            self._principal.require_write(mount.path)
        return self._mounts.remove_inside(point)

    def _kept_root(self, point: HdfsPath) -> HdfsPath:
        """Return `point`, unless it is the mount that a confined admin's room is."""
        if point == self._principal.root != ROOT:
            raise AccessDenied(point, "the root stays where it is")
        return point

    def _point(self, path: str) -> HdfsPath:
        root = self._principal.root
        real = resolve(path, root=root, home=root)
        if "admin" not in self._principal.roles:
            raise AccessDenied(real, "only admins may mount and unmount")
        self._principal.require_write(real)
        return real

    def _check_point(self, fs: FileSystem, point: HdfsPath) -> None:
        names = point.split("/")
        if NO_PLACES.intersection(names) or any(name.startswith(HIDDEN_MARK) for name in names):
            raise InvalidPath(point, "nothing can be mounted there")
        if point in self._mounts.configured:
            raise AlreadyExists(point, "it is mounted by the configuration")
        if point in (ROOT, self._principal.root) or status_or_none(fs, point):
            raise AlreadyExists(point)
        parent = parent_of(point)
        if not fs.status(parent).is_directory:
            raise NotADirectory(parent)

    def _source(self, source: str) -> tuple[str, HdfsPath]:
        """Return the cluster and the directory there that `source` means."""
        scheme, mark, rest = source.partition("://")
        if not mark:
            if not source.startswith("/"):
                raise InvalidParameter("src", source, _ALLOWED)
            root = self._principal.root
            return self._place(resolve(source, root=root, home=root))
        authority, slash, path = rest.partition("/")
        address = f"{scheme.lower()}://{authority}"
        cluster = self._mounts.addresses.get(address.lower())
        if scheme.lower() in {"webhdfs", "swebhdfs"} and authority in self._mounts.names:
            cluster = authority
        if cluster is None:
            raise InvalidParameter("src", source, _ALLOWED)
        return cluster, absolute(slash + path or "/")

    def _check_room(self, cluster: str, real: HdfsPath) -> None:
        if self._principal.rules:
            self._check_rules(cluster, real)
        root = self._principal.root
        if root != ROOT and (cluster != OWN or not is_inside(real, root)):
            raise AccessDenied(root, "the source lies outside this user's root")

    def _check_rules(self, cluster: str, real: HdfsPath) -> None:
        """Raise PathForbidden unless rules allow all of the source by each path that it has here.

        It gets another one, of which other rules may be true.
        """
        mounts = [one for one in self._mounts.table() if one.cluster == cluster]
        paths = [path for one in mounts if (path := one.here(real)) is not None]
        if cluster == OWN:
            paths.append(real)
        if not paths:
            raise PathForbidden(self._principal.root, "the source has no path here to judge it by")
        paths += [one.path for one in mounts if is_inside(one.source, real)]
        for path in paths:
            self._principal.require_whole(path)

    def _place(self, path: HdfsPath) -> tuple[str, HdfsPath]:
        """Return the cluster that `path` lies in, and how it is called there."""
        mount = self._mounts.table().of(path)
        return (mount.cluster, mount.there(path)) if mount else (OWN, path)

    def _check_source(self, cluster: str, real: HdfsPath, source: str) -> None:
        """Raise what keeps the principal from listing the source, told as they wrote it."""
        if NO_PLACES.intersection(real.split("/")):
            raise InvalidParameter("src", source, _ALLOWED)
        fs = self._mounts.cluster(cluster).as_user(self._principal.hadoop_user)
        if not fs.status(real).is_directory:
            raise NotADirectory(real)
        fs.list_page(real)
