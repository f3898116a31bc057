"""What is done to the world: each fault begins, lasts a while under load, and is mended."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from chaos.world import DATANODES, pause

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from chaos.world import World

POLL = 0.02


class Outcome(NamedTuple):
    """When service could be full again, and what is still to be put right afterwards."""

    since: float
    afterwards: Callable[[], None] | None = None


def namenode_kill(world: World, chance: random.Random) -> Outcome:
    """kill -9 of the active NameNode; another is made the active one by force."""
    victim = world.active()
    world.kill_namenode(victim)
    pause(chance.uniform(0.0, 4.0))
    since = _transition(world, 1 - victim, force=True)

    def afterwards() -> None:
        world.start_namenode(victim)

    return Outcome(since, afterwards)


def failover(world: World, _chance: random.Random) -> Outcome:
    """The active NameNode hands over to another."""
    return Outcome(_transition(world, 1 - world.active(), force=False))


def namenode_stop(world: World, chance: random.Random) -> Outcome:
    """SIGSTOP of the active NameNode, for some seconds."""
    victim = world.active()
    world.cluster.kill_namenode(victim, signal.SIGSTOP)
    pause(chance.uniform(1.0, 8.0))
    world.cluster.kill_namenode(victim, signal.SIGCONT)
    return Outcome(time.monotonic())


def datanode_kill(world: World, chance: random.Random) -> Outcome:
    """kill -9 of a DataNode, which stays away for some seconds."""
    victim = chance.randrange(DATANODES)
    world.await_replicas()
    world.cluster.kill_datanode(victim)
    since = time.monotonic()

    def afterwards() -> None:
        pause(chance.uniform(3.0, 12.0))
        world.cluster.start_datanode(victim)

    return Outcome(since, afterwards)


def datanode_stop(world: World, chance: random.Random) -> Outcome:
    """SIGSTOP of a DataNode, for some seconds."""
    victim = chance.randrange(DATANODES)
    world.cluster.kill_datanode(victim, signal.SIGSTOP)
    pause(chance.uniform(1.0, 8.0))
    world.cluster.kill_datanode(victim, signal.SIGCONT)
    return Outcome(time.monotonic())


def worker_kill(world: World, chance: random.Random) -> Outcome:
    """kill -9 of a worker of the gateway."""
    os.kill(chance.choice(world.gateway.workers()), signal.SIGKILL)
    return Outcome(time.monotonic(), world.await_workers)


def worker_stop(world: World, chance: random.Random) -> Outcome:
    """SIGSTOP of a worker of the gateway, for some seconds."""
    victim = chance.choice(world.gateway.workers())
    os.kill(victim, signal.SIGSTOP)
    pause(chance.uniform(1.0, 8.0))
    os.kill(victim, signal.SIGCONT)
    return Outcome(time.monotonic())


def gateway_kill(world: World, chance: random.Random) -> Outcome:
    """kill -9 of the whole gateway, which is started again."""
    world.kill_gateway()
    pause(chance.uniform(0.0, 2.0))
    world.gateway.start()
    return Outcome(time.monotonic())


def cut(world: World, chance: random.Random) -> Outcome:
    """All connections to the NameNodes reset at once, several times."""
    for _ in range(chance.randint(1, 5)):
        for way in world.ways:
            way.cut()
        pause(chance.uniform(0.0, 0.5))
    return Outcome(time.monotonic())


FAULTS: dict[str, Callable[[World, random.Random], Outcome]] = {
    "namenode-kill": namenode_kill,
    "datanode-kill": datanode_kill,
    "worker-kill": worker_kill,
    "failover": failover,
    "namenode-stop": namenode_stop,
    "datanode-stop": datanode_stop,
    "worker-stop": worker_stop,
    "gateway-kill": gateway_kill,
    "cut": cut,
}


def _transition(world: World, to: int, *, force: bool) -> float:
    """Make a NameNode the active one, and return since when it says so (monotonic seconds)."""
    watch = _Watch(world, to)
    watch.start()
    try:
        world.cluster.transition(to, force=force)
    finally:
        watch.ended.set()
        watch.join()
    return watch.since or time.monotonic()


class _Watch(threading.Thread):
    """Looks when a NameNode says for the first time that it is active."""

    def __init__(self, world: World, i: int) -> None:
        super().__init__(daemon=True)
        self._world = world
        self._i = i
        self.since = 0.0
        self.ended = threading.Event()

    def run(self) -> None:
        """Look again and again."""
        while not self.since and not self.ended.wait(POLL):
            if self._world.cluster.state(self._i) == "active":
                self.since = time.monotonic()
