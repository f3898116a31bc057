"""Status calls a second over 16 keep-alive connections, and what each costs in CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.keepalive import KeepAlive
from bench.processes import spent
from bench.world import SMALL_FILE

if TYPE_CHECKING:
    from bench.parties import Party
    from bench.report import Figures
    from bench.world import World

CONNECTIONS = 16


def prepare(world: World) -> None:
    """Write the file that is asked for, and let the JIT compilers see the calls."""
    world.write(SMALL_FILE, b"x" * 4096)
    for party in world.parties:
        request = party.request("status", SMALL_FILE)
        KeepAlive(party.address, CONNECTIONS).run_for(request, world.sizes.warm_up)


def measure(world: World, party: Party) -> Figures:
    """Return calls a second and CPU microseconds a call."""
    before = world.processes.cpu()
    count, seconds = KeepAlive(party.address, CONNECTIONS).run_for(
        party.request("status", SMALL_FILE), world.sizes.status_seconds)
    cpu = spent(before, world.processes.cpu())
    each = {role: cpu[role] / count * 1e6 for role in party.serves}
    figures = {"calls a second": count / seconds,
               "CPU a call, all, µs": sum(each.values()),
               "CPU a call, NameNode, µs": each["namenode"]}
    if party.serves[0] != "namenode":
        figures["CPU a call, gateway or HttpFS, µs"] = each[party.serves[0]]
    return figures
