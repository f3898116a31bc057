"""Status calls a second over 16 keep-alive connections, and what each costs in CPU."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from bench.keepalive import KeepAlive
from bench.processes import spent
from bench.world import SMALL_FILE

if TYPE_CHECKING:
    from bench.parties import Party
    from bench.report import Figures
    from bench.world import World

CONNECTIONS = 16
STEADY = 0.95
STEADY_WINDOWS = 3


def prepare(world: World) -> None:
    """Write the file that is asked for, and ask until every party is as fast as it gets."""
    world.write(SMALL_FILE, b"x" * 4096)
    for party in world.parties:
        _warm_up(world, party)


def _warm_up(world: World, party: Party) -> None:
    """Call until the CPU a call has not fallen for some windows, or the time is over.

    A JVM compiles for a minute and more, and costs a multiple until then: HttpFS measured too
    early makes anything beside it look good. CPU is what shows it, as calls a second also follow
    what else the machine does.
    """
    best, idle = float("inf"), 0
    deadline = time.monotonic() + world.sizes.warm_up
    while idle < STEADY_WINDOWS and time.monotonic() < deadline:
        each = measure(world, party)["CPU a call, all, µs"]
        idle = 0 if each < best * STEADY else idle + 1
        best = min(best, each)
    state = "steady" if idle >= STEADY_WINDOWS else "NOT STEADY"
    print(f"warm-up of {party.name}: {state} at {best:.0f} µs a call", file=sys.stderr)


def measure(world: World, party: Party) -> Figures:
    """Return calls a second and CPU microseconds a call."""
    before = world.processes.cpu()
    count, seconds = KeepAlive(party.address, CONNECTIONS).run_for(
        world.sizes.status_seconds, party.request("status", SMALL_FILE))
    cpu = spent(before, world.processes.cpu())
    each = {role: cpu[role] / count * 1e6 for role in party.serves}
    figures = {"calls a second": count / seconds,
               "CPU a call, all, µs": sum(each.values()),
               "CPU a call, NameNode, µs": each["namenode"]}
    if party.serves[0] != "namenode":
        figures["CPU a call, gateway or HttpFS, µs"] = each[party.serves[0]]
    return figures
