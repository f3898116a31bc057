"""Files and directories one at a time, for dialects that tell all about each of them.

Nothing is made that was not asked for, and a rename never moves into a directory.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from app.core.errors import (
    AccessDenied,
    AlreadyExists,
    DirectoryNotEmpty,
    IsADirectory,
    NotADirectory,
    NotFound,
    PathNotFound,
    Unsupported,
)
from app.core.mounts import HoldsMount
from app.core.path_rules import Right
from app.core.paths import ROOT, HdfsPath, child_of, parent_of
from app.fs.entry_changes import EntryChanges
from app.fs.listing import Listing
from app.fs.placing import Placing, status_or_none
from app.fs.translator import UserFileSystem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from app.core.model import AclStatus, BlockLocation, FileStatus
    from app.fs.entry_changes import EntryChange
    from app.fs.lifetimes import Lifetimes
    from app.fs.port import FileSystem

T = TypeVar("T")
AT_ONCE = 16
"""So many entries of a listing are asked for their details at the same time."""
_BATCH = 256


class Entry(NamedTuple):
    """All there is to know of one file or directory at `path` (real).

    `acl` is None where it has none beyond its mode. Details that the user may not read, or that the
    server does not have, are empty.
    """

    path: HdfsPath
    status: FileStatus
    xattrs: Mapping[str, bytes]
    blocks: Sequence[BlockLocation]
    acl: AclStatus | None


def missing_parent(fs: FileSystem, path: HdfsPath, root: HdfsPath) -> HdfsPath | None:
    """Return the highest name above `path` that is not there; None where the parent is.

    Nothing above `root` is looked at. Raises NotADirectory for a file in the way.
    """
    missing: HdfsPath | None = None
    above = path
    while above not in (root, ROOT):
        above = parent_of(above)
        status = status_or_none(fs, above)
        if status:
            if not status.is_directory:
                raise NotADirectory(above)
            break
        missing = above
    return missing


def below(
    fs: FileSystem, path: HdfsPath, *, recursive: bool,
) -> Iterator[tuple[HdfsPath, FileStatus]]:
    """Return paths and statuses of a directory's entries, or of the file `path` itself.

    With `recursive` each directory is followed by its own. The first page has been read when this
    returns; of directories on the way down one page each is kept.
    """
    return _below(fs, [_named(path, Listing(fs, path, None, None))], recursive=recursive)


def _below(
    fs: FileSystem, levels: list[Iterator[tuple[HdfsPath, FileStatus]]], *, recursive: bool,
) -> Iterator[tuple[HdfsPath, FileStatus]]:
    while levels:
        found = next(levels[-1], None)
        if found is None:
            levels.pop()
            continue
        yield found
        path, status = found
        if recursive and status.is_directory and status.children:
            # Gone since it was listed: then nothing is below it.
            with suppress(PathNotFound):
                levels.append(_named(path, Listing(fs, path, None, None)))


def _named(path: HdfsPath, listing: Listing) -> Iterator[tuple[HdfsPath, FileStatus]]:
    return ((child_of(path, status.path_suffix), status) for page in listing for status in page)


class Entries(UserFileSystem):
    """The files and directories of one principal."""

    # --- what there is

    def entry(self, path: str) -> Entry:
        """Return what is at `path`. Raises PathNotFound."""
        real = self.real(path)
        return self._detailed(real, self._fs.status(real))

    def check_access(self, path: str, action: str) -> None:
        """Return if the user may `action` ("r--", "-w-", "--x", mixed), else AccessDenied."""
        real = self.real(path)
        if "w" in action:
            self._principal.require_rule(real, Right.WRITE)
        self._fs.check_access(real, action)

    def entries(self, path: str, *, recursive: bool, details: bool) -> Iterator[Entry]:
        """Return the entries of a directory in HDFS's order, or the file itself.

        With `recursive` each directory is followed by its own entries. The first page has been read
        when this returns. Without `details` there are the statuses alone. What vanishes meanwhile
        is told as it was seen. Raises AccessDenied for a directory that may not be listed.
        """
        found = below(self._fs, self.real(path), recursive=recursive)
        return self._with_details(found) if details else (
            Entry(one, status, {}, (), None) for one, status in found)

    def is_missing(self, path: HdfsPath) -> bool:
        """Tell whether HDFS has nothing at the real path."""
        return status_or_none(self._fs, path) is None

    def is_empty(self, path: str, status: FileStatus) -> bool:
        """Tell whether the directory `status` was asked of has no entries."""
        if status.children >= 0:
            return not status.children
        return not self._fs.list_page(self.real(path)).entries

    def _with_details(self, found: Iterator[tuple[HdfsPath, FileStatus]]) -> Iterator[Entry]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while batch := list(islice(found, _BATCH)):
                if len(batch) == 1:
                    yield self._detailed(*batch[0])
                else:
                    yield from pool.map(lambda one: self._detailed(*one), batch)

    def _detailed(self, path: HdfsPath, status: FileStatus) -> Entry:
        xattrs = _or_none(lambda: self._fs.xattrs(path)) or {}
        blocks = acl = None
        if not status.is_directory and status.length:
            blocks = _or_none(lambda: self._fs.block_locations(path, status.length))
        if status.acl:
            acl = _or_none(lambda: self._fs.acl(path))
        return Entry(path, status, xattrs, blocks or (), acl)

    # --- names

    def make_directory(
        self, path: str, permission: str, *, recursive: bool, allow_exists: bool,
        parents_permission: str,
    ) -> bool:
        """Make a directory; `recursive`: and its parents. False: it was there already.

        Raises AlreadyExists (not for a directory with `allow_exists`), PathNotFound for the first
        name that is missing, NotADirectory.
        """
        real = self._writable(path)
        there = status_or_none(self._fs, real)
        if there:
            if there.is_directory and allow_exists:
                return False
            raise AlreadyExists(real)
        missing = missing_parent(self._fs, real, self._principal.root)
        if missing:
            if not recursive:
                raise PathNotFound(missing)
            self.mkdirs(path.rpartition("/")[0] or "/", parents_permission)
        self.mkdirs(path, permission)
        return True

    def remove(self, path: str, *, recursive: bool) -> None:
        """Remove a file or directory for good. Raises DirectoryNotEmpty, HoldsMount (the root)."""
        real = self._removable(path)
        if real == self._principal.root:
            raise HoldsMount(real)
        if not self._fs.delete(real, recursive=recursive):
            raise PathNotFound(real)

    def move(self, source: str, destination: str) -> None:
        """Rename to a name that nothing has, atomically where the server can.

        The same path is left as it is. Raises AlreadyExists, PathNotFound for the source or for the
        first missing parent of the destination.
        """
        old, new = self._writable(source), self._writable(destination)
        if old == new:
            self._fs.status(old)
            return
        try:
            Placing(self._fs).move_new(old, new)
        except IsADirectory as error:
            raise AlreadyExists(new) from error
        except (PathNotFound, NotADirectory) as error:
            self._fs.status(old)
            raise PathNotFound(missing_parent(self._fs, new, self._principal.root)
                               or error.path) from error

    def change(self, path: str, change: EntryChange, lifetimes: Lifetimes, *,
               recursive: bool) -> None:
        """Change what is kept with an entry; `recursive`: and with all below it.

        What fails ends it, and the error says how many were changed before. Raises AccessDenied
        where a ttl would remove the root.
        """
        real = self._writable(path)
        if change.removes:
            self._keep_root(real)
        changes = EntryChanges(self._fs, lifetimes, self._principal.name)
        changes.make(real, change, recursive=recursive)

    def check_freeable(self, path: str, *, recursive: bool) -> Entry:
        """Return what is at `path`. Raises DirectoryNotEmpty unless `recursive`."""
        entry = self.entry(path)
        if entry.status.is_directory and not recursive and not self.is_empty(path, entry.status):
            raise DirectoryNotEmpty(entry.path)
        return entry


def _or_none(ask: Callable[[], T]) -> T | None:
    """Return what `ask` does; None where there is no such thing, or not for this user."""
    try:
        return ask()
    except (AccessDenied, NotFound, Unsupported):
        return None
