"""Mounts: other clusters, or other directories of this one, under a path of the gateway's.

A mount is seen by all users, whatever dialect they speak. What is below its path is read and
written where it leads, as the Hadoop user who asks: HDFS there says what they may.

Files of a mount keep their inode numbers, with the mount's own number above them (`mounted_id`):
so a number names one file among all clusters, and `/.reserved/.inodes/<number>` leads to it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from app.core.errors import AccessDenied, Conflict, PathNotFound
from app.core.paths import ROOT, HdfsPath, child_of, is_inside, name_of, parent_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ID_BITS = 48
"""Bits of an inode number; those above tell the mount (HDFS counts from 16,386 and never skips)."""
LAST_ID = 2**15 - 1
CONFIGURED_IDS = 4096
LAST_RUN_TIME_ID = LAST_ID - CONFIGURED_IDS
"""The numbers above this are those of mounts that the configuration has."""
INODES = "/.reserved/.inodes/"
"""What paths by number begin with (org.apache.hadoop.hdfs.server.namenode.FSDirectory)."""
_BY_NUMBER = re.compile(rf"{re.escape(INODES)}([0-9]{{1,20}})(/.*)?", re.DOTALL)


class ReadOnlyMount(AccessDenied):
    """Something below the read-only mount at `mount` was to be changed."""

    text = "read-only mount: {path}"

    def __init__(self, path: str, mount: str) -> None:
        super().__init__(path)
        self.mount = mount


class HoldsMount(AccessDenied):
    """`path` is a mount point or holds one, and was to be removed, moved or replaced."""

    text = "it is or holds a mount point: {path}"


class MountedByConfiguration(AccessDenied):
    """The mount at `path` was to be taken away, but the configuration has it."""

    text = "it is mounted by the configuration: {path}"


class CrossMount(Conflict):
    """`path` was to be renamed to `destination`, in another cluster."""

    text = "a rename cannot leave its cluster: {path}"

    def __init__(self, path: str, destination: str) -> None:
        super().__init__(path)
        self.destination = destination


class Mount(NamedTuple):
    """What lies under `path`: `source`, a directory of the cluster of this name.

    `cluster` is empty for the gateway's own cluster. `mount_id` is from 1 to LAST_ID and is given
    to one mount at a time. `since` is when it was mounted.
    """

    path: HdfsPath
    cluster: str
    source: HdfsPath
    read_only: bool
    mount_id: int
    since: int = 0

    def there(self, path: HdfsPath) -> HdfsPath:
        """Return where `path`, the mount's or one below, lies in the mount's cluster."""
        return child_of(self.source, _rest(path, self.path))

    def here(self, path: HdfsPath) -> HdfsPath | None:
        """Return how `path` of the mount's cluster is called here; None outside the mount."""
        if not is_inside(path, self.source):
            return None
        return child_of(self.path, _rest(path, self.source))


class MountTable:
    """All mounts, for looking up."""

    def __init__(self, mounts: Iterable[Mount] = ()) -> None:
        self._by_path = {mount.path: mount for mount in sorted(mounts)}
        self._by_id = {mount.mount_id: mount for mount in self._by_path.values()}
        self._by_parent: dict[HdfsPath, list[Mount]] = {}
        self._counts: dict[HdfsPath, dict[str, int]] = {}
        for mount in self._by_path.values():
            self._by_parent.setdefault(parent_of(mount.path), []).append(mount)
        for parent, inside in self._by_parent.items():
            self._counts.setdefault(parent_of(parent), {})[name_of(parent)] = len(inside)

    def __bool__(self) -> bool:
        """Tell whether there is any mount."""
        return bool(self._by_path)

    def __iter__(self) -> Iterator[Mount]:
        """Yield the mounts in the order of their paths."""
        return iter(self._by_path.values())

    def at(self, path: HdfsPath) -> Mount | None:
        """Return the mount whose point is `path` itself."""
        return self._by_path.get(path)

    def of(self, path: HdfsPath) -> Mount | None:
        """Return the mount that `path` is in: that of the longest path at or above it."""
        while path not in self._by_path:
            if path == "/":
                return None
            path = parent_of(path)
        return self._by_path[path]

    def numbered(self, mount_id: int) -> Mount | None:
        """Return the mount of this number."""
        return self._by_id.get(mount_id)

    def inside(self, path: HdfsPath) -> list[Mount]:
        """Return the mounts whose points are `path` or lie below it."""
        return [mount for mount in self if is_inside(mount.path, path)]

    def in_directory(self, directory: HdfsPath) -> list[Mount]:
        """Return the mounts whose points are entries of `directory`."""
        return self._by_parent.get(directory, [])

    def counts_in(self, directory: HdfsPath) -> Mapping[str, int]:
        """Return how many mount points the directories in `directory` hold, by their names."""
        return self._counts.get(directory, {})


def mounted_id(file_id: int, mount: Mount | None) -> int:
    """Return the number by which a file is known here; 0 is "not told".

    A number that has more than ID_BITS, which HDFS never gives, would look like a mount's.
    """
    if file_id >> ID_BITS:
        return 0
    return file_id | mount.mount_id << ID_BITS if mount and file_id else file_id


def split_id(number: int) -> tuple[int, int]:
    """Return the inode number and the mount's number (0: no mount) that `number` is made of."""
    return number & ((1 << ID_BITS) - 1), number >> ID_BITS


def split_by_number(path: str) -> tuple[int, str] | None:
    """Return number and rest of a path by number ("/.reserved/.inodes/<number>/rest")."""
    match = _BY_NUMBER.fullmatch(path)
    return (int(match[1]), match[2] or "") if match else None


def check_named(path: HdfsPath) -> HdfsPath:
    """Return `path`, as somebody wrote it, unless it names a file of a mount by number.

    HDFS does not tell where such a file lies: it might be outside of what is mounted. Raises
    PathNotFound.
    """
    by_number = split_by_number(path) if path.startswith(INODES) else None
    if by_number and split_id(by_number[0])[1]:
        raise PathNotFound(path)
    return path


def _rest(path: HdfsPath, top: HdfsPath) -> str:
    """Return what follows `top` in `path`, which is inside it."""
    return path[1:] if top == ROOT else path[len(top) + 1:]
