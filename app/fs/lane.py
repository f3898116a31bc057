"""Hadoop's RPC with one NameNode beside its WebHDFS: open or at rest.

It opens where it has been seen to lead to the same file system (`app.fs.lane_finding`); what goes
wrong with it closes it, and WebHDFS is used alone for a while:

| what happened | the lane rests |
| --- | --- |
| its NameNode is a standby | 1 s |
| a connection was lost, none came about, a call was not answered | 1 s, each time twice as long |
| no NameNode, one with Kerberos, an answer that is none | 5 min |

Each opening has a Caller of its own: an error of one that is closed already says nothing of the
one after it.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from app.fs.failover import SILENCE
from app.fs.lane_datanodes import transfer_addresses
from app.fs.lane_finding import LONG_REST, NoLane, Standby, find
from app.fs.native_faults import LANE_FAULTS, is_standby
from app.hadoop.ipc import BadFrame, Broken, NotSent, Refused
from app.hadoop.ipc_pool import Caller, Limits

if TYPE_CHECKING:
    from app.fs.failover import Cluster
    from app.fs.lane_datanodes import Address
    from app.hadoop.ipc import Identity

LOOKING = 2.0
"""Seconds for which a call may wait for a look whether the lane is there."""
FIRST_REST, LONGEST_REST = 1.0, 300.0
STEADY = 60.0
"""Seconds after which a lane that is lost counts as one that had worked."""
RPC, DATA = "rpc", "data"
"""What a lane leads to: a NameNode, or the DataNodes of a cluster."""
_log = logging.getLogger(__name__)


class Watcher(Protocol):
    """Whoever counts what becomes of lanes; `server` is host and port of a URL of the settings."""

    def known(self, lane: str, server: str) -> None:
        """Hear that there may be such a lane."""

    def opened(self, lane: str, server: str) -> None:
        """Hear that it is used from now on."""

    def lost(self, lane: str, server: str) -> None:
        """Hear that one that was used is left for a while."""


class Unwatched:
    """A Watcher that looks away."""

    def known(self, lane: str, server: str) -> None:
        """Do nothing."""

    def opened(self, lane: str, server: str) -> None:
        """Do nothing."""

    def lost(self, lane: str, server: str) -> None:
        """Do nothing."""


class Lane:
    """The lane to the NameNode whose WebHDFS is at the URL `server`."""

    def __init__(
        self, cluster: Cluster, server: str, given: tuple[str, int] | None, who: Identity,
        limits: Limits,
    ) -> None:
        self._cluster = cluster
        self._server = server
        self._given = given
        self._who = who
        self._limits = limits
        self._watcher: Watcher = Unwatched()
        self._caller: Caller | None = None
        self._closing = threading.Lock()
        self._unheard_since = 0.0
        self._looking = threading.Lock()
        self._rests_until = 0.0
        self._rest = 0.0
        self._opened = 0.0

    def watched_by(self, watcher: Watcher) -> None:
        """Tell of openings and losses from now on."""
        self._watcher = watcher
        watcher.known(RPC, authority(self._server))

    def ready(self) -> bool:
        """Tell whether to call here now, and not by WebHDFS; it may take a look to know."""
        if self._caller is not None:
            return True
        now = time.monotonic()
        return now >= self._rests_until and self._open(now)

    def call(self, who: Identity, head: bytes, request: bytes, *, may_repeat: bool) -> bytes:
        """Make one call, as `app.hadoop.ipc_pool` does; a lane that is closed raises NotSent.

        What shows that the lane does not work, or not now, closes it. A NameNode that takes calls
        and answers none is not waited for by everybody.
        """
        caller = self._caller
        if caller is None:
            raise NotSent(f"{self._server}: its lane is closed")
        try:
            self._hear()
            return caller.call(who, head, request, may_repeat=may_repeat)
        except LANE_FAULTS as error:
            self._note(caller, error)
            raise
        finally:
            if self._caller is caller:
                self._unheard_since = 0.0

    def find(self) -> tuple[str, int]:
        """Look now, and return the address of the RPC. Raises NoLane."""
        return find(self._cluster, self._server, self._given, self._who,
                    min(LOOKING, self._limits.connect_timeout))

    def datanodes(self, seconds: float) -> list[Address]:
        """Return where the NameNode's DataNodes take transfers, none where it does not tell."""
        return transfer_addresses(self._cluster, self._server, seconds)

    def close(self) -> None:
        """Close the idle connections."""
        self._closed(self._caller)

    def _hear(self) -> None:
        """Note a call that begins. Raises NotSent after too long a silence."""
        now = time.monotonic()
        if not self._unheard_since:
            self._unheard_since = now
        elif now - self._unheard_since > SILENCE:
            raise NotSent(f"{self._server}: no answer for {SILENCE:g} s")

    def _note(self, caller: Caller, error: Exception) -> None:
        """Let the lane rest after an error of its Caller."""
        if isinstance(error, Refused):
            return  # others may be welcome
        if is_standby(error):
            self._stand_by(caller)
        elif isinstance(error, NotSent | Broken):
            self._lost(caller, error)
        elif isinstance(error, BadFrame):
            self._lost(caller, error, LONG_REST)

    def _lost(self, caller: Caller, why: object, rest: float = 0.0) -> None:
        """Close the lane for at least `rest` seconds; one that is lost again rests longer."""
        if not self._closed(caller):
            return  # who came first has told
        self._watcher.lost(RPC, authority(self._server))
        now = time.monotonic()
        if now - self._opened > STEADY:
            self._rest = 0.0
        self._grow(rest)
        self._rests_until = now + self._rest
        _log.warning("Hadoop's RPC at %s:%d is left for %g s, WebHDFS does it all: %s",
                     *caller.address, self._rest, why)

    def _stand_by(self, caller: Caller) -> None:
        """Close the lane to a NameNode that is not the active one."""
        if self._closed(caller):
            self._watcher.lost(RPC, authority(self._server))
            self._rests_until = time.monotonic() + FIRST_REST
            _log.info("the NameNode at %s:%d is a standby now", *caller.address)

    def _open(self, now: float) -> bool:
        """Open the lane; one call waits for that, others go by WebHDFS meanwhile."""
        if not self._looking.acquire(blocking=False):
            return False
        try:
            # Another thread may have opened it since this one saw that it was closed.
            return self._caller is not None or self._look(now)
        finally:
            self._looking.release()

    def _look(self, now: float) -> bool:
        try:
            address = self.find()
        except NoLane as error:
            if isinstance(error, Standby):
                self._rest = 0.0
            else:
                self._grow(error.rest)
            self._rests_until = now + (self._rest or FIRST_REST)
            _log.debug("no RPC beside WebHDFS at %s: %s", self._server, error)
            return False
        _log.info("Hadoop's RPC at %s:%d is used %sbeside WebHDFS", *address,
                  "again " if self._opened else "")
        self._opened = time.monotonic()
        self._unheard_since = 0.0
        self._caller = Caller(address, self._limits)
        self._watcher.opened(RPC, authority(self._server))
        return True

    def _grow(self, least: float) -> None:
        self._rest = min(LONGEST_REST, max(least, FIRST_REST, 2 * self._rest))

    def _closed(self, caller: Caller | None) -> bool:
        """Close the lane if this is its Caller; tell whether it was."""
        with self._closing:
            if caller is None or self._caller is not caller:
                return False
            self._caller = None
            self._unheard_since = 0.0
        caller.close()
        return True


def authority(url: str) -> str:
    """Return the host and port of a URL."""
    return urlsplit(url).netloc
