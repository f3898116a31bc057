"""Which worker processes are alive, so that what a dead one left behind can be found.

Each process has a lease in the state store and renews it from a background thread, which does
nothing else: what waits for a slow cluster must not let the lease run out. On the same host the
process table alone decides: death is seen at once, and a process that was stopped, or a clock that
jumped, is not taken for it. Elsewhere a worker is dead when its lease has run out.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors import GatewayError, StorageFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.state.store import Store

_SPACE = "workers"
_KEPT_LEASES = 10
"""How many times the lease its record lasts, for those that can look at the process itself."""
_AWAY_SECONDS = 1.0
"""How often a state store that is away is asked again."""
_log = logging.getLogger(__name__)


def _host_key() -> str:
    """Return what tells this host, this boot and this PID namespace from all others."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _start_time(pid: int) -> str:
    """Return the kernel's start time of a process; empty where there is none, or no /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state in ("Z", "X") else fields[18]


class Workers:
    """The lease of this process and the liveness of the others.

    `every_beat` is called in the background every `interval` seconds, but at least three times in
    the time of a lease, and once at the start.
    """

    def __init__(
        self, store: Store, *, lease: float, interval: float, every_beat: Callable[[], object],
    ) -> None:
        self._store = store
        self._lease = lease
        self._renewal = min(interval, lease / 3)
        self.interval = self._renewal
        self._every_beat = every_beat
        self._pid = 0
        self._id = ""
        self._starting = threading.Lock()
        self._stop = threading.Event()

    @property
    def lease(self) -> float:
        """How many seconds a lease lasts that is not renewed."""
        return self._lease

    @property
    def own_id(self) -> str:
        """The id under which this process holds its lease; a forked child gets its own."""
        if self._pid != os.getpid():
            # Of several threads that come first, one takes the lease: an id without one is dead.
            with self._starting:
                if self._pid != os.getpid():
                    self.start()
        return self._id

    def start(self) -> None:
        """Take a lease and keep it until `stop` or the end of the process."""
        self._id = secrets.token_hex(8)
        self._stop = threading.Event()
        self._renew()
        self._pid = os.getpid()
        for name, work in (("lease", self._keep), ("sweep", self._beat)):
            threading.Thread(target=work, args=(self._stop,), name=f"httpfs-proxy-{name}",
                             daemon=True).start()

    def start_when_possible(self) -> None:
        """Start now or, while the state store is away, in the background once it is back.

        So a worker that is started meanwhile answers 503 where it needs the store, and the rest.
        """
        try:
            self.start()
        except StorageFault as error:
            _log.warning("the worker has no lease yet, will try again: %r", error)
            threading.Thread(
                target=self._start_late, name="httpfs-proxy-start", daemon=True).start()

    def stop(self) -> None:
        """Give the lease back."""
        self._stop.set()
        if self._id:
            self._store.delete(_SPACE, self._id)

    def beat_within(self, seconds: float) -> None:
        """Shorten the interval of the beats to this, if it is longer."""
        self.interval = min(self.interval, seconds)

    def is_alive(self, worker_id: str) -> bool:
        """Tell whether the process with this id still works."""
        if worker_id == self._id:
            return True
        lease = self._store.get(_SPACE, worker_id)
        if lease is None:
            return False
        if lease["host"] and lease["host"] == _host_key():
            return bool(lease["start"] == _start_time(int(lease["pid"])))
        return bool(time.time() < lease["until"])

    def _start_late(self) -> None:
        while not self._stop.wait(_AWAY_SECONDS):
            try:
                if self.own_id:
                    return
            except StorageFault as error:
                _log.debug("the worker has no lease yet: %r", error)

    def _renew(self) -> None:
        pid = os.getpid()
        self._store.put(
            _SPACE, self._id,
            {"pid": pid, "host": _host_key(), "start": _start_time(pid),
             "until": time.time() + self._lease},
            ttl=self._lease * _KEPT_LEASES)

    def _keep(self, stop: threading.Event) -> None:
        while not stop.wait(self._renewal):
            try:
                self._renew()
            except GatewayError as error:
                _log.warning("the worker's lease could not be renewed: %r", error)

    def _beat(self, stop: threading.Event) -> None:
        while True:
            try:
                self._every_beat()
            except GatewayError as error:
                _log.warning("looking for leftovers failed, will try again: %r", error)
            except Exception:  # the thread must live; the next beat tries again
                _log.exception("looking for leftovers failed, will try again")
            if stop.wait(self.interval):
                return
