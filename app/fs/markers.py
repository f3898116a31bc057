"""Directories below a bucket: those that keys imply, those that are keys themselves, the others.

A directory that came to be as the parent of an object is *implied*: an xattr says so, and when the
last object below it goes, so does it. A directory with an object's record is the key that ends in
`/` ("a directory marker"), and so is an empty one that somebody else made; both stay until that
key is deleted.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from app.core.errors import (
    AttributeNotFound,
    DirectoryNotEmpty,
    GatewayError,
    PathError,
    PathNotFound,
)
from app.core.object_errors import NameTaken, NoSuchBucket
from app.core.paths import HdfsPath, child_of, name_of, parent_of
from app.fs.content import inode
from app.fs.object_meta import IMPLIED, OBJECT
from app.fs.placing import status_or_none

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.model import FileStatus
    from app.fs.port import FileSystem

_log = logging.getLogger(__name__)


class Ground(NamedTuple):
    """Where a new object stands: an existing directory, and the names missing below it."""

    path: HdfsPath
    status: FileStatus
    missing: tuple[str, ...]

    @property
    def permission(self) -> str:
        """The mode of what is made here without one: this directory's, as HDFS has it."""
        return f"{int(self.status.permission, 8) & 0o777 | 0o300:o}"

    def below(self, name: str) -> tuple[str, ...]:
        """Return the names below a hidden one under which `name` is staged; none if it alone."""
        return (*self.missing[1:], name) if self.missing else ()


def by_id(path: HdfsPath, status: FileStatus) -> HdfsPath:
    """Return a path that names the very file or directory of `status`, whatever has its name."""
    if not status.file_id or "/.snapshot/" in path:
        return path
    return inode(status.file_id)


class Directories:
    """The directories of one user's buckets."""

    def __init__(self, fs: FileSystem) -> None:
        self._fs = fs

    def ground(self, bucket: HdfsPath, path: HdfsPath) -> Ground:
        """Return what exists of the directories above `path`. Raises NoSuchBucket, NameTaken."""
        missing: list[str] = []
        directory = parent_of(path)
        while (status := status_or_none(self._fs, directory)) is None:
            if directory == bucket:
                raise NoSuchBucket(bucket)
            missing.insert(0, name_of(directory))
            directory = parent_of(directory)
        if not status.is_directory:
            raise NoSuchBucket(bucket) if directory == bucket else NameTaken(directory)
        return Ground(directory, status, tuple(missing))

    def set_implied(self, directory: HdfsPath) -> None:
        """Note that a directory goes with the last object below it."""
        self._fs.set_xattr(directory, IMPLIED, b"1", exists=None)

    def remove_xattr(self, directory: HdfsPath, name: str) -> bool:
        """Remove an xattr that may be there; tell whether it was."""
        try:
            self._fs.remove_xattr(directory, name)
        except AttributeNotFound:
            return False
        return True

    def unmark(self, directory: HdfsPath) -> None:
        """Make a directory that is a key an implied one: it has an object in it."""
        if self.remove_xattr(directory, OBJECT):
            self.set_implied(directory)

    def is_marker(self, path: HdfsPath, status: FileStatus) -> bool:
        """Tell whether a directory is itself a key."""
        try:
            return self.is_key(path, status, self._fs.xattrs(by_id(path, status)))
        except PathNotFound:
            return False
        except PathError as error:
            error.path = path
            raise

    def is_key(
        self, path: HdfsPath, status: FileStatus, xattrs: Mapping[str, bytes],
    ) -> bool:
        """Tell the same of a directory whose xattrs are known."""
        return OBJECT in xattrs or (IMPLIED not in xattrs and self._is_empty(path, status))

    def _is_empty(self, path: HdfsPath, status: FileStatus) -> bool:
        if status.children >= 0:
            return not status.children
        return not self._fs.list_page(path).entries

    def vanish(self, bucket: HdfsPath, directory: HdfsPath) -> None:
        """Remove `directory` and those above it as far as they are implied and empty.

        What it cannot do it leaves: the object is gone already.
        """
        try:
            while directory != bucket and self.drop(directory):
                directory = parent_of(directory)
        except GatewayError as problem:
            _log.info("the implied directory %s stays: %r", directory, problem)

    def drop(self, directory: HdfsPath) -> bool:
        """Remove a directory if it is implied and empty; tell whether it was removed."""
        status = status_or_none(self._fs, directory)
        if status is None or not status.is_directory or status.children > 0:
            return False
        this = by_id(directory, status)
        try:
            xattrs = self._fs.xattrs(this)
            return IMPLIED in xattrs and OBJECT not in xattrs and self._fs.delete(this)
        except (DirectoryNotEmpty, PathNotFound):
            return False

    def drop_all(self, directory: HdfsPath, spared: str = "/") -> bool:
        """Remove the implied directories in `directory` that hold nothing but such directories.

        Tells whether nothing is left there but names that begin with `spared`.
        """
        start: str | None = None
        while True:
            page = self._fs.list_page(directory, start)
            for entry in page.entries:
                path = child_of(directory, entry.path_suffix)
                if not entry.path_suffix.startswith(spared) and not (
                        entry.is_directory and self.drop_all(path) and self.drop(path)):
                    return False
            if not page.remaining or not page.entries:
                return True
            start = page.entries[-1].path_suffix
