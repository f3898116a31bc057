"""Which directories the cache of a node uses: those of the settings, and what admins made of it.

What differs from the settings is kept in the state store, one record a node, and every worker
looks there again after a moment.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from app.core.cache_errors import (
    MountpathExists,
    MountpathUnchanged,
    MountpathUnusable,
    NoSuchMountpath,
)
from app.core.errors import StorageFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.state.store import Store

_SPACE = "cache-mountpaths"
_FRESH_SECONDS = 0.5


class Mountpaths(NamedTuple):
    """The directories of the cache, in the order of their names."""

    available: tuple[str, ...]
    disabled: tuple[str, ...]


class MountpathTable:
    """The mountpaths of one node."""

    def __init__(self, configured: tuple[str, ...], store: Store, node_id: str) -> None:
        self._configured = {normal(path) for path in configured}
        self._store = store
        self._node_id = node_id
        self._lock = threading.Lock()
        self._known = self._seen(None)
        self._read_at = float("-inf")

    def current(self) -> Mountpaths:
        """Return the mountpaths; while the store is away, as they were."""
        now = time.monotonic()
        with self._lock:
            if now < self._read_at + _FRESH_SECONDS:
                return self._known
            self._read_at = now
        with suppress(StorageFault):
            self._known = self._seen(self._store.get(_SPACE, self._node_id))
        return self._known

    def add(self, path: str) -> None:
        """Add one, enabled. Raises MountpathExists, StorageFault."""
        def change(available: set[str], disabled: set[str]) -> None:
            if path in available | disabled:
                raise MountpathExists(path)
            available.add(path)

        self._change(change)

    def remove(self, path: str) -> None:
        """Remove one. Raises NoSuchMountpath, StorageFault."""
        def change(available: set[str], disabled: set[str]) -> None:
            if path not in available | disabled:
                raise NoSuchMountpath(path)
            available.discard(path)
            disabled.discard(path)

        self._change(change)

    def switch(self, path: str, *, on: bool) -> None:
        """Enable or disable one. Raises NoSuchMountpath, MountpathUnchanged, StorageFault."""
        def change(available: set[str], disabled: set[str]) -> None:
            there, other = (available, disabled) if on else (disabled, available)
            if path in there:
                raise MountpathUnchanged(path, "enabled" if on else "disabled")
            if path not in other:
                raise NoSuchMountpath(path)
            other.remove(path)
            there.add(path)

        self._change(change)

    def _change(self, change: Callable[[set[str], set[str]], None]) -> None:
        def changed(record: dict[str, Any] | None) -> dict[str, Any]:
            seen = self._seen(record)
            available, disabled = set(seen.available), set(seen.disabled)
            change(available, disabled)
            there = available | disabled
            return {"added": sorted(there - self._configured),
                    "removed": sorted(self._configured - there), "disabled": sorted(disabled)}

        record = self._store.update(_SPACE, self._node_id, changed)
        with self._lock:
            self._known, self._read_at = self._seen(record), time.monotonic()

    def _seen(self, record: dict[str, Any] | None) -> Mountpaths:
        told = record or {"added": (), "removed": (), "disabled": ()}
        there = (self._configured | set(told["added"])) - set(told["removed"])
        disabled = there & set(told["disabled"])
        return Mountpaths(tuple(sorted(there - disabled)), tuple(sorted(disabled)))


def normal(path: str) -> str:
    """Return an absolute path without `//`, `.` and a slash at the end. Raises MountpathUnusable.

    One with `..` is refused: where it leads depends on symbolic links.
    """
    names = [name for name in path.split("/") if name not in ("", ".")]
    if not path.startswith("/") or not names or ".." in names or "\0" in path:
        raise MountpathUnusable(path, "allowed is an absolute path below / without '..'")
    return "/" + "/".join(names)
