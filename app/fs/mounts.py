"""The registry of mounts: kept in the state store, known to every worker within a second.

All mounts are one record, so that each change is one atomic step. Numbers of mounts go round and
are not used again soon: what still names one that is gone finds nothing, and nothing else.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from app.core.errors import AlreadyExists, Conflict, PathNotFound, StorageFault, UpstreamUnavailable
from app.core.mounts import (
    LAST_RUN_TIME_ID,
    HoldsMount,
    Mount,
    MountedByConfiguration,
    MountTable,
)
from app.core.paths import HdfsPath, is_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from app.fs.port import Backend
    from app.state.store import Store

OWN = ""
"""The name of the gateway's own cluster."""
FRESH_SECONDS = 1.0
"""For so long a worker believes what it has read; a change is answered when that is over."""
_MARGIN_SECONDS = 0.05
_SPACE = "mounts"
_KEY = "table"
_log = logging.getLogger(__name__)


class Mounts:
    """The mounts and the clusters they lead to; one for each process.

    `clusters` are the other clusters by their names. `addresses` maps what stands before the path
    in a URI ("webhdfs://namenode:9870") to the name of a cluster, OWN for the gateway's own.
    `configured` are always there; a mount at run time at the path of one is not seen.
    """

    def __init__(
        self, store: Store, backend: Backend, clusters: Mapping[str, Backend],
        addresses: Mapping[str, str] | None = None, *, configured: Iterable[Mount] = (),
        fresh_seconds: float = FRESH_SECONDS,
    ) -> None:
        self._store = store
        self._clusters = {OWN: backend, **clusters}
        self.addresses = dict(addresses or {})
        self.configured = {mount.path: mount for mount in configured}
        self._fresh_seconds = fresh_seconds
        self._lock = threading.Lock()
        self._table = MountTable()
        self._read_at: float | None = None
        self._store_away = False

    @property
    def names(self) -> list[str]:
        """The names of the other clusters."""
        return [name for name in self._clusters if name != OWN]

    def table(self) -> MountTable:
        """Return the mounts, as the store had them a second ago at most.

        While the store cannot be read, those known before. Raises StorageFault if none are.
        """
        # While the store is away only one at a time waits for it.
        if not self._is_fresh() and self._lock.acquire(blocking=not self._store_away):
            try:
                if not self._is_fresh():
                    self._read()
            finally:
                self._lock.release()
        return self._table

    def _is_fresh(self) -> bool:
        return (self._read_at is not None
                and time.monotonic() - self._read_at < self._fresh_seconds)

    def _read(self) -> None:
        began = time.monotonic()
        try:
            self._table = self._merged(self._store.get(_SPACE, _KEY))
        except StorageFault as fault:
            # Without the store nobody mounts or unmounts either.
            if self._read_at is None:
                raise
            _log.log(logging.DEBUG if self._store_away else logging.WARNING,
                     "the mounts stay as they were known: %s", fault)
            self._store_away, self._read_at = True, time.monotonic()
        else:
            self._store_away, self._read_at = False, began

    def cluster(self, name: str) -> Backend:
        """Return a cluster. Raises UpstreamUnavailable where it is configured no longer."""
        found = self._clusters.get(name)
        if found is None:
            raise UpstreamUnavailable(f"the cluster '{name}' of this mount is not configured")
        return found

    def location(self, path: HdfsPath) -> str:
        """Return where a path of the gateway's really lies, as a URI."""
        mount = self.table().of(path)
        if mount is None:
            return self._clusters[OWN].location(path)
        there, backend = mount.there(path), self._clusters.get(mount.cluster)
        return backend.location(there) if backend else f"webhdfs://{mount.cluster}{there}"

    def add(self, path: HdfsPath, cluster: str, source: HdfsPath, *, read_only: bool) -> Mount:
        """Keep a new mount, and return it when all workers know it. Raises AlreadyExists."""
        if path in self.configured:
            raise AlreadyExists(path, "it is mounted by the configuration")

        def change(record: dict[str, Any] | None) -> dict[str, Any]:
            mounts = _mounts(record)
            if any(mount.path == path for mount in mounts):
                raise AlreadyExists(path)
            number = _next_number(mounts, record["last"] if record else 0, path)
            mounts.append(Mount(path, cluster, source, read_only, number,
                                time.time_ns() // 1_000_000))
            return {"last": number, "mounts": [list(mount) for mount in mounts]}

        self._change(change)
        return next(mount for mount in self._table if mount.path == path)

    def remove(self, path: HdfsPath) -> None:
        """Forget the mount at `path`; return when all workers have.

        Raises PathNotFound where there is none, HoldsMount where another lies in it,
        MountedByConfiguration.
        """
        if path in self.configured:
            raise MountedByConfiguration(path)

        def change(mounts: list[Mount]) -> list[Mount]:
            if all(mount.path != path for mount in mounts):
                raise PathNotFound(path, "it is no mount point")
            if any(mount.path != path and is_inside(mount.path, path) for mount in mounts):
                raise HoldsMount(path)
            return [mount for mount in mounts if mount.path != path]

        self._keep(change)

    def remove_inside(self, path: HdfsPath) -> int:
        """Forget the mounts at and below `path`, all at once; return how many there were.

        Raises MountedByConfiguration if that would be one of the configuration's.
        """
        for mount in self.configured:
            if is_inside(mount, path):
                raise MountedByConfiguration(mount)
        found: list[Mount] = []

        def change(mounts: list[Mount]) -> list[Mount]:
            found[:] = [mount for mount in mounts if is_inside(mount.path, path)]
            return [mount for mount in mounts if mount not in found]

        self._keep(change)
        return len(found)

    def _merged(self, record: dict[str, Any] | None) -> MountTable:
        kept = [mount for mount in _mounts(record) if mount.path not in self.configured]
        return MountTable([*kept, *self.configured.values()])

    def _keep(self, change: Callable[[list[Mount]], list[Mount]]) -> None:
        def changed(record: dict[str, Any] | None) -> dict[str, Any] | None:
            kept = change(_mounts(record))
            return record and {**record, "mounts": [list(mount) for mount in kept]}

        self._change(changed)

    def _change(self, change: Callable[[dict[str, Any] | None], dict[str, Any] | None]) -> None:
        """Change the record, and wait until no worker believes what it was before."""
        record = self._store.update(_SPACE, _KEY, change)
        with self._lock:
            self._table, self._read_at = self._merged(record), time.monotonic()
        time.sleep(self._fresh_seconds + _MARGIN_SECONDS)


def _mounts(record: dict[str, Any] | None) -> list[Mount]:
    return [Mount(*fields) for fields in (record or {}).get("mounts", ())]


def _next_number(mounts: list[Mount], last: int, path: HdfsPath) -> int:
    """Return the number after `last`, and after the last from 1 again, that no mount has."""
    taken = {mount.mount_id for mount in mounts}
    for step in range(LAST_RUN_TIME_ID):
        number = (last + step) % LAST_RUN_TIME_ID + 1
        if number not in taken:
            return number
    raise Conflict(path, f"there are {LAST_RUN_TIME_ID} mounts already")
