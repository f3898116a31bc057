"""Whether Hadoop's RPC is used beside WebHDFS: a lane to each NameNode, open or at rest.

WebHDFS is always there. A lane opens where it has been seen to lead to the same file system
(`app.fs.lane_finding`); what goes wrong with it closes it, and WebHDFS is used alone for a while:

| what happened | the lane rests |
| --- | --- |
| its NameNode is a standby | 1 s |
| a connection was lost, none came about, a call was not answered | 1 s, each time twice as long |
| no NameNode, one with Kerberos, an answer that is none | 5 min |

Bytes go by the DataNodes' own protocol where the lane to the NameNode is open and their ports are,
too (`app.fs.data_lane`).
Only plain http without Kerberos has lanes: they are not encrypted, and nobody shall lose by them
what their settings ask for.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from app.fs.auth import SimpleAuth
from app.fs.data_lane import DataLane
from app.fs.failover import SILENCE
from app.fs.lane_finding import NoLane, Standby, find
from app.hadoop.ipc import NotSent
from app.hadoop.ipc_pool import Caller, Limits
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from app.fs.failover import Cluster
    from app.hadoop.ipc import Identity
    from app.settings import BackendSettings

AUTO, OFF = ("auto",), ("off",)
LOOKING = 2.0
"""Seconds for which a call may wait for a look whether the lane is there."""
FIRST_REST, LONGEST_REST = 1.0, 300.0
STEADY = 60.0
"""Seconds after which a lane that is lost counts as one that had worked."""
_log = logging.getLogger(__name__)


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
        self._caller: Caller | None = None
        self._unheard_since = 0.0
        self._looking = threading.Lock()
        self._rests_until = 0.0
        self._rest = 0.0
        self._opened = 0.0

    def ready(self) -> bool:
        """Tell whether to call here now, and not by WebHDFS; it may take a look to know."""
        if self._caller is not None:
            return True
        now = time.monotonic()
        return now >= self._rests_until and self._open(now)

    def call(self, who: Identity, head: bytes, request: bytes, *, may_repeat: bool) -> bytes:
        """Make one call, as `app.hadoop.ipc_pool` does; a lane that is closed raises NotSent.

        A NameNode that takes calls and answers none is not waited for by everybody.
        """
        caller = self._caller
        if caller is None:
            raise NotSent(f"{self._server}: its lane is closed")
        now = time.monotonic()
        if not self._unheard_since:
            self._unheard_since = now
        elif now - self._unheard_since > SILENCE:
            raise NotSent(f"{self._server}: no answer for {SILENCE:g} s")
        try:
            return caller.call(who, head, request, may_repeat=may_repeat)
        finally:
            self._unheard_since = 0.0

    def lost(self, why: object, rest: float = 0.0) -> None:
        """Close the lane for at least `rest` seconds; one that is lost again rests longer."""
        caller = self._closed()
        if caller is None:
            return  # who came first has told
        now = time.monotonic()
        if now - self._opened > STEADY:
            self._rest = 0.0
        self._grow(rest)
        self._rests_until = now + self._rest
        _log.warning("Hadoop's RPC at %s:%d is left for %g s, WebHDFS does it all: %s",
                     *caller.address, self._rest, why)

    def stand_by(self) -> None:
        """Close the lane to a NameNode that is not the active one."""
        caller = self._closed()
        self._rests_until = time.monotonic() + FIRST_REST
        if caller is not None:
            _log.info("the NameNode at %s:%d is a standby now", *caller.address)

    def find(self) -> tuple[str, int]:
        """Look now, and return the address of the RPC. Raises NoLane."""
        return find(self._cluster, self._server, self._given, self._who,
                    min(LOOKING, self._limits.connect_timeout))

    def close(self) -> None:
        """Close the idle connections."""
        self._closed()

    def _open(self, now: float) -> bool:
        """Open the lane; one call waits for that, others go by WebHDFS meanwhile."""
        if not self._looking.acquire(blocking=False):
            return False
        try:
            address = self.find()
        except NoLane as error:
            if not isinstance(error, Standby):
                self._grow(error.rest)
            self._rests_until = now + (self._rest or FIRST_REST)
            _log.debug("no RPC beside WebHDFS at %s: %s", self._server, error)
            return False
        finally:
            self._looking.release()
        _log.info("Hadoop's RPC at %s:%d is used %sbeside WebHDFS", *address,
                  "again " if self._opened else "")
        self._opened = time.monotonic()
        self._unheard_since = 0.0
        self._caller = Caller(address, self._limits)
        return True

    def _grow(self, least: float) -> None:
        self._rest = min(LONGEST_REST, max(least, FIRST_REST, 2 * self._rest))

    def _closed(self) -> Caller | None:
        caller, self._caller = self._caller, None
        self._unheard_since = 0.0
        if caller is not None:
            caller.close()
        return caller


class Lanes:
    """The lanes of a cluster: used is that of the server that WebHDFS asks first."""

    def __init__(
        self, cluster: Cluster, auth: SimpleAuth, limits: Limits,
        given: list[tuple[str, int]] | None,
    ) -> None:
        self._cluster = cluster
        self._auth = auth
        self.data = DataLane(limits)
        own = auth.identity(auth.own_user)
        self.all = tuple(
            Lane(cluster, server, given[index] if given else None, own, limits)
            for index, server in enumerate(cluster.servers))

    @property
    def now(self) -> Lane:
        """The lane to the server that is believed to be active."""
        return self.all[self._cluster.active]

    def identity(self, hadoop_user: str) -> Identity:
        """Return whom calls of this user act for. Raises InvalidParameter."""
        return self._auth.identity(hadoop_user)

    def close(self) -> None:
        """Close the idle connections."""
        for lane in self.all:
            lane.close()
        self.data.close()


def lanes_of(settings: BackendSettings, cluster: Cluster) -> Lanes | None:
    """Return the lanes that the settings allow, None for none.

    Raises ConfigError for addresses that do not fit to the rest of the settings.
    """
    rpc, urls = settings.rpc, settings.url
    if rpc == OFF:
        return None
    auth = cluster.auth
    plain = all(url.startswith("http://") for url in urls)
    if not plain or settings.kind == "httpfs" or not isinstance(auth, SimpleAuth):
        if rpc == AUTO:
            return None
        raise ConfigError("backend.rpc", 0, "addresses are only for NameNodes at http URLs,"
                          " without Kerberos; Hadoop's RPC is never used elsewhere")
    if rpc != AUTO and len(rpc) != len(urls):
        raise ConfigError("backend.rpc", 0, f"one address for each URL is needed, there are"
                          f" {len(rpc)} for {len(urls)}")
    return Lanes(
        cluster, auth, Limits(
            settings.connect_timeout, settings.read_timeout, settings.pool_size,
            settings.pool_idle, settings.retry_deadline),
        None if rpc == AUTO else [_address(one) for one in rpc])


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)
