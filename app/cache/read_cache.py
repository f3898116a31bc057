"""The read cache of one node: chunks of files on its disks, shared by all its workers."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from app.cache.chunk_file import BLOCK
from app.cache.chunks import Chunks
from app.cache.directory import Directory
from app.cache.disk import Disk, Usage
from app.cache.evictions import Evictions
from app.cache.figures import CacheFigures, Counted
from app.cache.key import CacheKey, key_of
from app.cache.mountpaths import Mountpaths, MountpathTable, normal
from app.cache.runs import Runs
from app.cache.source import CachedSource
from app.cache.visit import Visit
from app.core.cache_errors import MountpathExists, MountpathUnusable, NotCached
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.fs.port import ByteSource
    from app.sections import CacheSettings
    from app.state.store import Store

    Fetch = Callable[[int, int], ByteSource]

__all__ = ["CacheFigures", "CacheKey", "Mountpaths", "ReadCache", "Usage", "key_of"]


class ReadCache:
    """Parts of files on this host's disks.

    `origin_of` names what is behind a mount's number (0: the own cluster), so that a file of
    another cluster, mounted under the same number later, is another file. Raises ConfigError.
    """

    def __init__(
        self, settings: CacheSettings, store: Store, node_id: str,
        origin_of: Callable[[int], str] = str,
    ) -> None:
        self._capacity = settings.capacity
        self._chunk_size = -(-settings.chunk_size // BLOCK) * BLOCK
        self._origin_of = origin_of
        if self._chunk_size >= self._capacity:
            raise ConfigError("cache.chunk_size", 0, f"{settings.chunk_size} bytes do not fit into"
                              f" cache.capacity, {settings.capacity}")
        try:
            self._table = MountpathTable(settings.mountpaths, store, node_id)
        except MountpathUnusable as error:
            raise ConfigError("cache.mountpaths", 0, str(error)) from error
        self._counted = Counted(store, node_id)
        self._evictions = Evictions(store, node_id)
        self._runs = Runs(self._counted)
        self._lock = threading.Lock()
        self._disks: dict[str, Disk] = {}

    def open(
        self, key: CacheKey, offset: int, length: int, fetch: Fetch,
        is_same: Callable[[], bool] = lambda: True,
    ) -> ByteSource:
        """Open `length` > 0 bytes from `offset`; `fetch(offset, length)` opens them in HDFS.

        What `fetch` raises is raised here, or by `read`. `is_same` is asked after fetching whether
        the file is still of this key; what was fetched of another is not kept.
        """
        visit = self._visit(key, offset + length, fetch, is_same)
        return CachedSource(visit, offset, length)

    def fill(
        self, key: CacheKey, fetch: Fetch, on_bytes: Callable[[int], None],
        is_same: Callable[[], bool] = lambda: True,
    ) -> None:
        """Bring all of a file here; `on_bytes` is told of each part. Raises NotCached."""
        room = sum(disk.capacity for disk in self._enabled())
        if key.length > room:
            raise NotCached(f"the file has {key.length} bytes, the cache room for {room}")
        source = CachedSource(self._visit(key, key.length, fetch, is_same), 0, key.length)
        try:
            done = 0
            while done < key.length:
                step = source.skip_chunk()
                done += step
                on_bytes(step)
                time.sleep(0)
        finally:
            source.close()

    def held(self, key: CacheKey) -> int:
        """Return how many bytes of a file are on the disks."""
        return self._chunks(key).held()

    def evict(self, key: CacheKey) -> int:
        """Let go of a file, on the other nodes too; return how many bytes were here."""
        chunks = self._chunks(key)
        self._evictions.tell(chunks.name)
        return chunks.drop()

    def beat(self) -> None:
        """Do what is to be done from time to time, in each worker."""
        self._counted.save()
        self._evictions.flush()
        disks = self._enabled()
        for disk in disks:
            disk.beat()
        for name, at in self._evictions.heard():
            for disk in disks:
                disk.drop_file(name, before=at)

    def mountpaths(self) -> Mountpaths:
        """Return the directories."""
        return self._table.current()

    def add(self, path: str) -> None:
        """Use another directory. Raises MountpathExists, MountpathUnusable, StorageFault."""
        path = normal(path)
        known = self._table.current()
        if path in known.available + known.disabled:
            raise MountpathExists(path)
        for other in known.available + known.disabled:
            # What lies in it would be swept away as what nobody knows.
            if os.path.realpath(path).startswith(f"{os.path.realpath(other)}/"):
                raise MountpathUnusable(path, f"it lies in the mountpath {other}")
        Directory(path).prepare()
        self._table.add(path)

    def remove(self, path: str) -> None:
        """Use a directory no longer; its files stay. Raises NoSuchMountpath, StorageFault."""
        self._table.remove(normal(path))

    def enable(self, path: str) -> None:
        """Use a directory again. Raises NoSuchMountpath, MountpathUnchanged, StorageFault."""
        self._table.switch(normal(path), on=True)

    def disable(self, path: str) -> None:
        """Use a directory no longer for now. Raises as `enable`."""
        self._table.switch(normal(path), on=False)

    def usage(self) -> Mapping[str, Usage]:
        """Return what each enabled mountpath that can be read holds."""
        found = {disk.path: disk.usage() for disk in self._enabled()}
        return {path: usage for path, usage in found.items() if usage}

    def figures(self) -> CacheFigures:
        """Return what the node's cache did since it was started. Raises StorageFault."""
        return self._counted.total()

    def _visit(
        self, key: CacheKey, end: int, fetch: Fetch, is_same: Callable[[], bool],
    ) -> Visit:
        chunks = self._chunks(key)
        return Visit(self._runs, chunks, (end - 1) // chunks.size, fetch, is_same)

    def _chunks(self, key: CacheKey) -> Chunks:
        return Chunks(key, self._origin_of(key.mount), self._chunk_size, self._enabled())

    def _enabled(self) -> list[Disk]:
        """Return the disks that are enabled now."""
        paths = self._table.current().available
        with self._lock:
            if tuple(self._disks) != paths:
                self._disks = {
                    path: self._disks.get(path) or Disk(path, self._capacity, self._counted)
                    for path in paths}
            return list(self._disks.values())
