"""The read cache of one node: chunks of files on its disks, shared by all its workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from app.cache.key import CacheKey, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.fs.port import ByteSource
    from app.setting_sections import CacheSettings
    from app.state.store import Store

__all__ = ["CacheFigures", "CacheKey", "Mountpaths", "ReadCache", "Usage", "key_of"]


class Mountpaths(NamedTuple):
    """The directories of the cache, in the order of their names."""

    available: tuple[str, ...]
    disabled: tuple[str, ...]


class Usage(NamedTuple):
    """What a mountpath holds: bytes `used` of `capacity`, in so many chunks."""

    used: int
    capacity: int
    free_on_disk: int
    chunks: int


class CacheFigures(NamedTuple):
    """What the node's cache did since it was started: chunks, and bytes."""

    hits: int = 0
    misses: int = 0
    bytes_served: int = 0
    bytes_fetched: int = 0
    evicted: int = 0
    corrupt: int = 0
    errors: int = 0


class ReadCache:
    """Parts of files on this host's disks."""

    def __init__(
        self, settings: CacheSettings, store: Store, node_id: str,
        origin_of: Callable[[int], str] = str,
    ) -> None:
        """Take no disk yet. `origin_of` names what is behind a mount's number."""
        self._settings = settings
        self._store = store
        self._node_id = node_id
        self._origin_of = origin_of

    def open(
        self, key: CacheKey, offset: int, length: int, fetch: Callable[[int, int], ByteSource],
    ) -> ByteSource:
        """Open `length` > 0 bytes from `offset`; `fetch(offset, length)` opens them in HDFS."""
        return fetch(offset, length)

    def fill(
        self, key: CacheKey, fetch: Callable[[int, int], ByteSource],
        on_bytes: Callable[[int], None],
    ) -> None:
        """Bring all of a file here. Raises StorageFault where the disks do not take it."""

    def held(self, key: CacheKey) -> int:
        """Return how many bytes of a file are on the disks."""
        return 0

    def evict(self, key: CacheKey) -> int:
        """Let go of a file, on the other nodes too; return how many bytes were here."""
        return 0

    def beat(self) -> None:
        """Do what is to be done from time to time."""

    def mountpaths(self) -> Mountpaths:
        """Return the directories."""
        return Mountpaths(tuple(sorted(self._settings.mountpaths)), ())

    def add(self, path: str) -> None:
        """Use another directory. Raises MountpathExists, MountpathUnusable."""

    def remove(self, path: str) -> None:
        """Use a directory no longer; its files stay. Raises NoSuchMountpath."""

    def enable(self, path: str) -> None:
        """Use a directory again. Raises NoSuchMountpath, MountpathUnchanged."""

    def disable(self, path: str) -> None:
        """Use a directory no longer for now. Raises NoSuchMountpath, MountpathUnchanged."""

    def usage(self) -> Mapping[str, Usage]:
        """Return what each enabled mountpath that can be read holds."""
        return {}

    def figures(self) -> CacheFigures:
        """Return what the cache did."""
        return CacheFigures()
