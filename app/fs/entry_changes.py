"""Changes of what is kept with files and directories, one after another down a whole tree."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from app.core.errors import AccessDenied, OwnerRefused, PathError, PathNotFound
from app.core.lifetimes import Lifetime, TtlAction, lifetime_of
from app.core.paths import child_of
from app.fs.listing import Listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.model import FileStatus
    from app.core.paths import HdfsPath
    from app.fs.lifetimes import Lifetimes
    from app.fs.port import FileSystem

_READ_AND_ENTER = 0o500


class EntryChange(NamedTuple):
    """What shall be otherwise; None leaves it as it is.

    A file's replication factor becomes `least` where it is less and `most` where it is more. `ttl`
    is in milliseconds from now, negative for none.
    """

    owner: str | None = None
    group: str | None = None
    permission: str | None = None
    least: int | None = None
    most: int | None = None
    pinned: bool | None = None
    ttl: int | None = None
    action: TtlAction | None = None

    @property
    def removes(self) -> bool:
        """Tell whether what is changed would be removed by its ttl."""
        return self.action is TtlAction.DELETE and (self.ttl is None or self.ttl >= 0)

    def factor(self, current: int) -> int:
        """Return the replication factor of a file that has `current`."""
        least = max(current, self.least or 1)
        return least if self.most is None else min(least, max(self.most, 1))

    def lifetime(self, current: Lifetime, now: int) -> Lifetime:
        """Return the lifetime of what has `current`; `now` in epoch milliseconds."""
        pinned = current.pinned if self.pinned is None else self.pinned
        action = self.action or current.action
        if self.ttl is None:
            return Lifetime(current.ttl, action, current.since, pinned)
        if self.ttl < 0:
            return Lifetime(pinned=pinned)
        return Lifetime(self.ttl, action, now, pinned)


class EntryChanges:
    """Changes entries of one file system, that of the gateway's user `owner`."""

    def __init__(self, fs: FileSystem, lifetimes: Lifetimes, owner: str) -> None:
        self._fs = fs
        self._owner = owner
        self._lifetimes = lifetimes

    def make(self, path: HdfsPath, change: EntryChange, *, recursive: bool) -> None:
        """Change the entry at `path`; `recursive`: and all below it.

        What fails ends it, and the error says how many were changed before. Raises PathNotFound,
        AccessDenied.
        """
        status = self._fs.status(path)
        if change == EntryChange():
            return
        # Who takes their own right to look into directories away begins at the bottom.
        bits = int(change.permission or "700", 8)
        top_down = bits & _READ_AND_ENTER == _READ_AND_ENTER
        tree = self._tree(path, status, top_down=top_down) if recursive else [(path, status)]
        for done, (one, found) in enumerate(tree):
            try:
                self._change(one, found, change)
            except PathNotFound:
                if one == path:
                    raise
            except PathError as error:
                if done:
                    error.detail = f"{error.detail}; {done} were changed before".lstrip("; ")
                raise

    def _change(self, path: HdfsPath, status: FileStatus, change: EntryChange) -> None:
        """Change one entry; the mode last, since it may end the right to do the rest."""
        if change.owner is not None or change.group is not None:
            try:
                self._fs.set_owner(path, change.owner, change.group)
            except AccessDenied as error:
                raise OwnerRefused(path, error.detail) from error
        if (change.pinned, change.ttl, change.action) != (None, None, None):
            self._keep(path, status, change)
        factor = change.factor(status.replication)
        if not status.is_directory and factor != status.replication and (
                change.least is not None or change.most is not None) and (
                not self._fs.set_replication(path, factor)):
            raise PathNotFound(path)
        if change.permission is not None:
            self._fs.set_permission(path, change.permission)

    def _keep(self, path: HdfsPath, status: FileStatus, change: EntryChange) -> None:
        current = lifetime_of(self._fs.xattrs(path))
        wanted = change.lifetime(current, time.time_ns() // 1_000_000)
        if wanted != current:
            self._lifetimes.keep(self._fs, path, status, wanted, owner=self._owner)

    def _tree(
        self, path: HdfsPath, status: FileStatus, *, top_down: bool,
    ) -> Iterator[tuple[HdfsPath, FileStatus]]:
        """Yield the entry and all below; of each directory on the way down one page is kept."""
        levels = [(path, status, self._listed(path, status))]
        if top_down:
            yield path, status
        while levels:
            above, holder, entries = levels[-1]
            found = next(entries, None)
            if found is None:
                levels.pop()
                if not top_down:
                    yield above, holder
                continue
            one = child_of(above, found.path_suffix)
            if top_down or not found.is_directory:
                yield one, found
            if found.is_directory:
                levels.append((one, found, self._listed(one, found)))

    def _listed(self, path: HdfsPath, status: FileStatus) -> Iterator[FileStatus]:
        if not status.is_directory:
            return
        try:
            for page in Listing(self._fs, path, None, None):
                yield from page
        except PathNotFound:
            return
