"""One hot file and 16 readers of it at once: from the gateway's read cache, and without it."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.client import BenchError, discard_body
from bench.parties import ROOM
from bench.processes import spent
from bench.transfers import GIB, digest
from bench.world import MIB

if TYPE_CHECKING:
    from bench.parties import Party
    from bench.report import Figures
    from bench.world import World

HOT_FILE = f"{ROOM}/hot"
READERS = 16


def parties(world: World) -> tuple[Party, ...]:
    """Return who is measured: the gateway with a cache, without one, and its peers."""
    uncached = replace(world.gateway, name="uncached")
    return world.cached_gateway(), uncached, world.httpfs, world.direct


def prepare(world: World) -> None:
    """Write the file, and see that every party hands out its true bytes, which warms the cache."""
    size = _size(world)
    wanted = hashlib.sha256(world.write_random(HOT_FILE, size) * (size // MIB)).hexdigest()
    for party in parties(world):
        if digest(party, HOT_FILE) != wanted:
            raise BenchError(f"{party.name} hands out other bytes than were written")


def measure(world: World, party: Party) -> Figures:
    """Return the speed of all readers together, and what serving them costs."""
    size, faults = _size(world), list[Exception]()

    def read() -> None:
        try:
            sock, head = party.open(HOT_FILE)
            with sock:
                discard_body(sock, head, size)
        except (BenchError, OSError) as error:
            faults.append(error)

    readers = [threading.Thread(target=read) for _ in range(READERS)]
    before, started = world.processes.cpu(), time.monotonic()
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    seconds = time.monotonic() - started
    cpu = spent(before, world.processes.cpu())
    if faults:
        raise faults[0]
    gibs = READERS * size / GIB
    return {
        "16 readers, GB/s": READERS * size / seconds / 1e9,
        "16 readers, CPU s a GiB, all": sum(cpu[role] for role in party.serves) / gibs,
        "16 readers, CPU s a GiB, DataNode": cpu["datanode"] / gibs,
    }


def _size(world: World) -> int:
    return world.sizes.transfer_bytes // 4
