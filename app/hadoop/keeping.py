"""What keeps open files open while nothing is written to them: leases and heartbeats.

A lease that is not renewed for 60 s may be taken by anybody who asks, after 20 min HDFS takes it;
a DataNode gives up a block for which no packet came for 60 s.
Source: HdfsConstants.LEASE_SOFTLIMIT_PERIOD, LeaseRenewer, DataStreamer; Hadoop 3.4.2.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RENEW_EVERY = 30.0
BEAT_AFTER = 20.0
_ROUNDS = 4
"""How often a thread looks in such a time."""


class Kept(Protocol):
    """An open file."""

    def renew(self) -> None:
        """Renew its lease; may wait for the NameNode."""

    def beat(self, idle: float) -> None:
        """Send a heartbeat if nothing was sent for `idle` seconds; never waits."""


class Keeper:
    """Keeps the files of one process open, from two threads: a NameNode that hangs costs no beat.

    They begin with the first open file. A child of a fork begins anew, and the threads that gevent
    gives it from its parent see that they are not its own.
    """

    def __init__(self, *, renew_every: float = RENEW_EVERY, beat_after: float = BEAT_AFTER) -> None:
        self._renew_every = renew_every
        self._beat_after = beat_after
        self._lock = threading.Lock()
        self._kept: dict[Kept, list[float]] = {}
        self._pid = 0
        self._stop = threading.Event()

    @contextmanager
    def keeping(self, file: Kept) -> Iterator[None]:
        """Keep a file open until the end of the block."""
        if self._pid != os.getpid():
            self._begin()
        kept = self._kept
        kept[file] = [time.monotonic()]
        try:
            yield
        finally:
            kept.pop(file, None)

    def close(self) -> None:
        """End the threads; they begin again with the next file."""
        self._pid = 0
        self._stop.set()

    def _begin(self) -> None:
        with self._lock:
            if self._pid == os.getpid():
                return
            self._kept = {}
            self._stop = stop = threading.Event()
            self._pid = os.getpid()
            for look, seconds in ((self._renew, self._renew_every), (self._beat, self._beat_after)):
                threading.Thread(
                    target=self._work, args=(look, seconds / _ROUNDS, stop, self._pid),
                    name="hdfs-keeper", daemon=True).start()

    def _work(
        self, look: Callable[[], None], pause: float, stop: threading.Event, pid: int,
    ) -> None:
        while not stop.wait(pause) and os.getpid() == pid:
            look()

    def _renew(self) -> None:
        due = time.monotonic() - self._renew_every
        for file, renewed in list(self._kept.items()):
            if renewed[0] <= due and file in self._kept:
                # What the NameNode has against it, the writer's next call is told as well.
                with suppress(Exception):
                    file.renew()
                renewed[0] = time.monotonic()

    def _beat(self) -> None:
        for file in list(self._kept):
            with suppress(Exception):
                file.beat(self._beat_after)
