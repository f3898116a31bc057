"""The file system of a principal who has path rules: the port, with every path judged before HDFS.

It lies below all dialects and translators, and above mounts and the read cache. What is denied is
refused without asking HDFS, so that the answer does not tell whether it exists; listings leave it
out. A directory on the way to something allowed can be looked at, and made where it is missing.
What is done to a whole tree is done where nothing in it is denied, else not at all.

Translators use inode numbers of what they have just looked at: such a path is judged by the one
under which it was seen, and refused where it was not.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from app.core.errors import PathNotFound
from app.core.mounts import INODES, split_by_number
from app.core.path_rules import PathForbidden, Right, Tree, Verdict
from app.core.paths import HIDDEN_MARK, HdfsPath, child_of, name_of
from app.fs.port import Rename

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.core.model import FileStatus
    from app.core.path_rules import PathRules
    from app.fs.port import FileSystem

_KNOWN = 4096
"""So many inode numbers are remembered with the paths that they were seen under."""
_MOST = 100_000
"""So many entries of a tree are looked at before something is done to the whole of it."""
_PARTLY = "something in it is not this user's"
_TOO_MANY = f"it has more than {_MOST} entries, any of which may be denied; take smaller parts"

Wanted = tuple[HdfsPath, Right]
"""A place, where a tree is or is to be, and what is wanted of all in it."""


class Judge:
    """What the rules say of the paths that a file system is asked about."""

    def __init__(self, fs: FileSystem, rules: PathRules) -> None:
        self._fs = fs
        self._rules = rules
        self._seen: dict[int, HdfsPath] = {}
        self._lock = threading.Lock()

    def learn(self, path: HdfsPath, file_id: int) -> None:
        """Remember what a number stands for."""
        if not file_id:
            return
        with self._lock:
            self._seen.pop(file_id, None)
            self._seen[file_id] = path
            if len(self._seen) > _KNOWN:
                del self._seen[next(iter(self._seen))]

    def named(self, path: HdfsPath) -> HdfsPath:
        """Return the path that a path by number was seen under. Raises PathForbidden."""
        by_number = split_by_number(path) if path.startswith(INODES) else None
        if by_number is None:
            return path
        number, rest = by_number
        seen = self._seen.get(number)
        if seen is not None:
            return child_of(seen, rest[1:])
        if HIDDEN_MARK in rest:
            return path  # the gateway's own, in a directory that another request knew
        raise PathForbidden(path)

    def verdict(self, path: HdfsPath, right: Right) -> Verdict:
        """Return the verdict on a path; hidden names in directories by number are free."""
        if path.startswith(INODES) and HIDDEN_MARK in path:
            return Verdict.ALLOWED
        return self._rules.verdict(path, right)

    def require(self, path: HdfsPath, *rights: Right) -> HdfsPath:
        """Return the path as it is named, if all these rights are allowed there."""
        named = self.named(path)
        if any(self.verdict(named, right) is not Verdict.ALLOWED for right in rights):
            raise PathForbidden(named)
        return named

    def require_way(self, path: HdfsPath, right: Right) -> HdfsPath:
        """Return the path as it is named, if it is allowed or leads to what is."""
        named = self.named(path)
        if self.verdict(named, right) is Verdict.DENIED:
            raise PathForbidden(named)
        return named

    def seen(self, path: HdfsPath) -> tuple[HdfsPath, Verdict]:
        """Return the path as it is named, and how much of it may be known."""
        named = self.named(path)
        found = max(self.verdict(named, right) for right in Right)
        if found is Verdict.DENIED:
            raise PathForbidden(named)
        return named, found

    def told(self, path: HdfsPath, status: FileStatus) -> FileStatus:
        """Return a status without the number of entries where some of them are not shown."""
        if status.children <= 0 or (
                self.verdict(path, Right.READ) is Verdict.ALLOWED
                and self._rules.tree(path, Right.READ) is Tree.WHOLE):
            return status
        return status._replace(children=-1)

    def require_tree(self, path: HdfsPath, *rights: Right, to: Sequence[HdfsPath] = ()) -> None:
        """Raise PathForbidden unless all that is at and below `path` may be treated so.

        `to` is where it may come to lie: all of it must be allowed to be written at each.
        """
        named = self.require(path, *rights)
        if HIDDEN_MARK in named:
            return
        wanted = [(named, right) for right in rights]
        wanted += [(self.require(place, Right.WRITE), Right.WRITE) for place in to]
        worst = min(self._rules.tree(base, right) for base, right in wanted)
        if worst is Tree.WHOLE or not self._fs.status(path).is_directory:
            return
        if worst is Tree.PARTLY:
            raise PathForbidden(named, _PARTLY)
        self._look_through(named, wanted)

    def _look_through(self, top: HdfsPath, wanted: Sequence[Wanted]) -> None:
        """Raise PathForbidden if there is anything in a tree that is denied."""
        left = _MOST
        directories = [HdfsPath("")]
        while directories:
            below = directories.pop()
            for entry in self._entries(_joined(top, below)):
                left -= 1
                if left < 0:
                    raise PathForbidden(top, _TOO_MANY)
                here = HdfsPath(f"{below}/{entry.path_suffix}")
                if any(self.verdict(_joined(base, here), right) is not Verdict.ALLOWED
                       for base, right in wanted):
                    raise PathForbidden(top, _PARTLY)
                if entry.is_directory and entry.children:
                    directories.append(here)

    def _entries(self, directory: HdfsPath) -> Iterable[FileStatus]:
        start: str | None = None
        while True:
            page = self._fs.list_page(directory, start)
            yield from page.entries
            if not page.remaining or not page.entries:
                return
            start = page.entries[-1].path_suffix

    def check_rename(self, source: HdfsPath, destination: HdfsPath, mode: Rename) -> None:
        """Raise PathForbidden unless this may go there.

        What is staged was judged by the path that it is for: a directory of it may be on the way.
        """
        new = self.named(destination)
        if HIDDEN_MARK in self.named(source):
            self.require_way(destination, Right.WRITE)
            if (self.verdict(new, Right.WRITE) is Verdict.WAY
                    and not self._fs.status(source).is_directory):
                raise PathForbidden(new)
        elif HIDDEN_MARK in new:
            self.require(source, Right.WRITE)  # moved aside, to be replaced
        else:
            inside = [child_of(new, name_of(source))] if mode is Rename.MOVE else []
            self.require_tree(source, Right.READ, Right.WRITE, to=[new, *inside])

    def way_to_directory(self, path: HdfsPath, verdict: Verdict) -> None:
        """Raise PathNotFound for a file in the way: what only leads somewhere is a directory."""
        if verdict is Verdict.WAY and not self._fs.status(path).is_directory:
            raise PathNotFound(path)


def _joined(base: HdfsPath, below: str) -> HdfsPath:
    return child_of(base, below[1:])
