"""The backend whose reads go through the cache; all else passes by it.

A read asks HDFS first, as the user who reads: for the status, which tells the version, and for
the right to read. So what was taken from a user, or changed, is so at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from app.cache.key import CacheKey, key_of
from app.core.errors import GatewayError, PathError
from app.core.mounts import INODES, split_id
from app.core.paths import HIDDEN_MARK, HdfsPath

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.cache.read_cache import ReadCache
    from app.fs.port import Backend, ByteSource, FileSystem


class _Found(NamedTuple):
    """A file that may be cached: the path to ask by, the number to open by, its version."""

    asked: HdfsPath
    file_id: int
    key: CacheKey


class CachedFileSystem:
    """A FileSystem whose `open` goes through the cache."""

    def __init__(self, fs: FileSystem, cache: ReadCache) -> None:
        self._fs = fs
        self._cache = cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fs, name)

    def open(self, path: HdfsPath, offset: int, length: int, file_id: int = 0) -> ByteSource:
        """Open `length` > 0 bytes from `offset`, of the inode `file_id` if that is given."""
        found = self._found(path, file_id)
        if found is None or offset + length > found.key.length:
            return self._fs.open(path, offset, length, file_id)
        return self._cache.open(
            found.key, offset, length, self._fetch(path, found), self._is_same(found))

    def datanode_url(self, path: HdfsPath, offset: int, length: int, file_id: int = 0) -> str:
        """Return the URL at which a DataNode gives these bytes; "" for what is cached, or will."""
        if self._found(path, file_id):
            return ""
        return self._fs.datanode_url(path, offset, length, file_id)

    def prefetch(
        self, path: HdfsPath, file_id: int, on_bytes: Callable[[int], None],
    ) -> bool:
        """Bring a whole file into the cache; tell whether it is of a kind that is cached.

        `on_bytes` is told of each part that is there, its bytes; what it raises ends the work.
        """
        found = self._found(path, file_id)
        if found is None:
            return False
        self._cache.fill(
            found.key, self._fetch(path, found), on_bytes, self._is_same(found))
        return True

    def _found(self, path: HdfsPath, file_id: int) -> _Found | None:
        """Return how to ask for a file; None where it is not cached.

        What is staged is read once and gone. Raises AccessDenied, PathNotFound.
        """
        if HIDDEN_MARK in path or not self._fs.flavor_of(path).file_ids:
            return None
        if file_id and split_id(file_id)[1] != self._fs.mount_of(path):
            return None
        # An inode in a snapshot is the living file's, which may be another version by now.
        by_number = file_id and "/.snapshot/" not in path
        asked = HdfsPath(f"{INODES}{file_id}") if by_number else path
        try:
            status = self._fs.status(asked)
            key = key_of(status)
            if key:
                self._fs.check_access(asked, "r--")
        except PathError as error:
            if error.path == asked:
                error.path = path
            raise
        return _Found(asked, status.file_id, key) if key else None

    def _fetch(self, path: HdfsPath, found: _Found) -> Callable[[int, int], ByteSource]:
        return lambda offset, length: self._fs.open(path, offset, length, found.file_id)

    def _is_same(self, found: _Found) -> Callable[[], bool]:
        """Return what tells whether a file is still the version that it was.

        What was read of one that was changed in place meanwhile may be of either version.
        """
        def is_same() -> bool:
            try:
                return key_of(self._fs.status(found.asked)) == found.key
            except PathError:
                return True  # replaced, removed or forbidden, but not changed
            except GatewayError:
                return False

        return is_same


class CachedBackend:
    """A Backend whose file systems read through the cache."""

    def __init__(self, backend: Backend, cache: ReadCache) -> None:
        self._backend = backend
        self._cache = cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def as_user(self, hadoop_user: str) -> FileSystem:
        """Return the file system as `hadoop_user` sees it."""
        return cached(self._backend.as_user(hadoop_user), self._cache)


def cached(fs: FileSystem, cache: ReadCache) -> FileSystem:
    """Return `fs` with reads that go through the cache."""
    return cast("FileSystem", CachedFileSystem(fs, cache))
