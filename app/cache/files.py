"""What can be asked of the cache about a user's files: is it there, let go of it, bring it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.cache.backend import CachedFileSystem
from app.cache.key import key_of
from app.core.cache_errors import CacheDisabled
from app.fs.ruled_file_system import readable

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.cache.read_cache import ReadCache
    from app.core.model import FileStatus
    from app.core.paths import HdfsPath
    from app.fs.port import FileSystem


class CachedFiles:
    """The cache as the user of `fs` may use it; without a cache nothing is in it."""

    def __init__(self, fs: FileSystem, cache: ReadCache | None) -> None:
        self._fs = fs
        self._cache = cache

    def is_cached(self, status: FileStatus) -> bool:
        """Tell whether all bytes of this version of a file are on this node's disks."""
        key = key_of(status)
        return bool(self._cache and key and self._cache.held(key) == status.length)

    def evict(self, status: FileStatus) -> int:
        """Let go of this version of a file; return how many bytes of it were here."""
        key = key_of(status)
        return self._cache.evict(key) if self._cache and key else 0

    def prefetch(
        self, path: HdfsPath, status: FileStatus, on_bytes: Callable[[int], None],
    ) -> None:
        """Bring the file at the real `path` into the cache, as the user.

        `on_bytes` is told the length of each part that is there now, and ends the work by raising.
        What is of no kind that is cached is passed over. Raises CacheDisabled, StorageFault where
        the cache takes nothing, PathNotFound, AccessDenied, UpstreamError.
        """
        if self._cache is None:
            raise CacheDisabled
        # One that reads through the cache already would wait for what it is itself to bring.
        below = readable(self._fs, path)
        fs = below if isinstance(below, CachedFileSystem) else CachedFileSystem(
            below, self._cache)
        fs.prefetch(path, status.file_id, on_bytes)
