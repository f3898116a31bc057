"""The gateways that share a state store: heartbeats, the primary one, withdrawal and return.

A gateway is known by its id (`app.state.node_id`); all its workers speak for it. What one of them
writes has a time to live by the store's clock, so a gateway that died is gone for all others once
that is over, and hosts need not agree about the time.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from app.core.errors import GatewayError, StorageFault
from app.core.node_errors import NoSuchNode, NotElectable
from app.nodes.lease import Lease
from app.nodes.node import Node, from_record
from app.nodes.versions import Version, version_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.settings import NodeSettings
    from app.state.store import Store

TICK_SECONDS = 1.0
"""How often each worker looks what the others decided; what it saw last counts no longer."""
_ALIVE = "node-alive"
_OUT = "node-withdrawn"
_BEATS = "node-beats"
_log = logging.getLogger(__name__)


class BeatTimes(NamedTuple):
    """How long heartbeats took to write, in ns: the last one, the quickest and the slowest."""

    last: int = 0
    least: int = 0
    most: int = 0


class _Seen(NamedTuple):
    """What the store said last: who is primary, and whether this gateway is in service."""

    at: float
    primary: str
    in_service: bool


class ClusterMap(NamedTuple):
    """The gateways that live, by id, and which of them is primary; `version` grows with changes."""

    nodes: list[Node]
    primary: Node
    version: Version


class Nodes:
    """All gateways, as a worker of one of them sees them.

    `url`, `started` (epoch ms) and `version` are this gateway's own; `figures` tells what goes
    into its record. Methods raise StorageFault.
    """

    def __init__(
        self, settings: NodeSettings, store: Store, node_id: str, *, url: str, started: int,
        version: str, figures: Callable[[], dict[str, Any]] = dict,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.own_id = node_id
        self.heartbeat_seconds = settings.heartbeat_seconds
        self._lease_seconds = settings.lease_seconds
        self._store = store
        self._lease = Lease(store, settings.lease_seconds)
        self._own = Node(node_id, url, started, version, 0)
        self._figures = figures
        self._retired = False
        self._beat_ns = BeatTimes()
        self._clock = clock
        self._seen = _Seen(float("-inf"), "", in_service=True)
        self._ticks: list[Callable[[], object]] = []
        self._stop = threading.Event()
        self._failing = False

    @property
    def own_url(self) -> str:
        """Where clients reach this gateway."""
        return self._own.url

    # --- who is there

    def all(self) -> list[Node]:
        """Return the gateways that live, by id."""
        out = {node_id for node_id, _ in self._store.scan(_OUT)}
        return [from_record(node_id, record, in_service=node_id not in out)
                for node_id, record in self._store.scan(_ALIVE)]

    def get(self, node_id: str) -> Node:
        """Return a gateway that lives. Raises NoSuchNode."""
        record = self._store.get(_ALIVE, node_id)
        if record is None:
            raise NoSuchNode(node_id)
        return from_record(node_id, record, in_service=not self._is_out(node_id))

    def own(self) -> Node:
        """Return this gateway, its figures as of now."""
        return Node(self._own.id, self._own.url, self._own.started, self._own.version,
                    int(time.time() * 1000), not self._is_out(self.own_id),
                    {**self._figures(), "beats": list(self._beat_ns)})

    def map(self) -> ClusterMap:
        """Return who lives and who is primary, this gateway among them.

        A primary one that is gone, while its lease still runs, is replaced.
        """
        found = {node.id: node for node in self.all()}
        if self.own_id not in found:
            self._put_own()
            found = {node.id: node for node in self.all()}
        primary = self.primary()
        if primary not in found:
            primary = next((node.id for node in found.values() if node.in_service), self.own_id)
            self._lease.give(primary)
            self._forget()
        nodes = sorted(found.values(), key=lambda node: node.id)
        told = [[node.id, node.url, node.in_service] for node in nodes]
        return ClusterMap(
            nodes, found[primary], version_of(self._store, "map", [told, primary]))

    def in_service(self) -> bool:
        """Tell whether requests should be sent to this gateway; cheap.

        While the store is away, as it was before.
        """
        try:
            return self._look().in_service
        except StorageFault:
            return self._seen.in_service

    # --- the primary one

    def primary(self) -> str:
        """Return the id of the gateway that runs sweeps and jobs, "" for moments without one."""
        return self._lease.holder()

    def is_primary(self) -> bool:
        """Tell whether this gateway runs sweeps and jobs, and this worker may; cheap.

        While the store is away: no.
        """
        try:
            return not self._retired and self._look().primary == self.own_id
        except StorageFault:
            return False

    def set_primary(self, node_id: str) -> None:
        """Make a gateway the primary one. Raises NotElectable."""
        try:
            node = self.get(node_id)
        except NoSuchNode:
            raise NotElectable(node_id, "not present in the cluster's map") from None
        if not node.in_service:
            raise NotElectable(node_id, "is withdrawn")
        self._lease.give(node_id)
        self._forget()

    # --- withdrawal and return

    def withdraw(self, node_id: str) -> None:
        """Take a gateway out of service until `restore`, through restarts too. Raises NoSuchNode.

        It goes on serving what comes; `/readyz` tells those who send it. If it was the primary
        one, another gateway in service is from now on; where there is none, it stays so.
        """
        self.get(node_id)
        self._store.put(_OUT, node_id, {"since": int(time.time() * 1000)})
        if self.primary() == node_id:
            left = [node.id for node in self.all() if node.in_service]
            if left:
                self._lease.give(left[0])
        self._forget()

    def restore(self, node_id: str) -> None:
        """Return a gateway to service; one that is in service stays so. Raises NoSuchNode."""
        if not self._store.delete(_OUT, node_id):
            self.get(node_id)
        self._forget()

    # --- keeping it true

    def beat_every(self, seconds: float) -> None:
        """Have heartbeats written so often from now on, but three times in a lease at least."""
        self.heartbeat_seconds = seconds

    def on_tick(self, work: Callable[[], object]) -> None:
        """Have `work` done in the background about once a second, in each worker."""
        self._ticks.append(work)

    def start(self) -> None:
        """Say that this gateway lives, now and in the background from now on.

        While the store is away, it is tried again.
        """
        self._try(self.beat)
        threading.Thread(target=self._run, name="httpfs-proxy-node", daemon=True).start()

    def retire(self) -> None:
        """Leave it to the gateway's other workers to say that it lives.

        For a worker that takes no new connections but has requests to end: where it is the last
        one, nobody should be sent here.
        """
        self._retired = True

    def stop(self) -> None:
        """End what runs in the background."""
        self._stop.set()

    def beat(self) -> None:
        """Write that this gateway lives if it is time, keep or take the lease, look around."""
        if not self._retired:
            self._write_own()
            self._elect()
        self._forget()
        self._look()

    def _run(self) -> None:
        while not self._stop.wait(min(TICK_SECONDS, self._lease_seconds / 3)):
            for work in (self.beat, *self._ticks):
                self._try(work)

    def _try(self, work: Callable[[], object]) -> None:
        """Do it; what fails is told of the first time, and again after it went well."""
        try:
            work()
        except GatewayError as error:
            _log.log(logging.DEBUG if self._failing else logging.WARNING,
                     "the gateway's place among the others is not kept, will try again: %r", error)
            self._failing = True
        except Exception:  # noqa: BLE001 - the thread must live; the next beat tries again
            _log.exception("the gateway's place among the others is not kept, will try again")
        else:
            self._failing = False

    def _write_own(self) -> None:
        """Write the heartbeat; of the gateway's workers the first whose turn it is does so."""
        wait = min(self.heartbeat_seconds, self._lease_seconds / 3)
        if self._store.add(_BEATS, self.own_id, {}, ttl=wait):
            self._put_own()

    def _put_own(self) -> None:
        record = self.own().record()
        began = time.perf_counter_ns()
        self._store.put(_ALIVE, self.own_id, record, ttl=self._lease_seconds)
        took = time.perf_counter_ns() - began
        known = self._beat_ns
        self._beat_ns = BeatTimes(
            took, min(took, known.least) if known.least else took, max(took, known.most))

    def _elect(self) -> None:
        """Keep the lease, or take it where nobody has it.

        Who is withdrawn takes it only where no gateway is in service: somebody must sweep.
        """
        if not self._is_out(self.own_id) or not any(node.in_service for node in self.all()):
            self._lease.take(self.own_id)

    def _is_out(self, node_id: str) -> bool:
        return self._store.get(_OUT, node_id) is not None

    def _look(self) -> _Seen:
        """Return what holds now, give or take a second."""
        now = self._clock()
        if now - self._seen.at >= TICK_SECONDS:
            self._seen = _Seen(now, self._lease.holder(), not self._is_out(self.own_id))
        return self._seen

    def _forget(self) -> None:
        """Have the next who asks see what was just changed."""
        self._seen = self._seen._replace(at=float("-inf"))
