"""Downloads through nginx: brought from the DataNode by nginx itself, or through the gateway."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from app.web.accel import WORTH
from bench.client import BenchError, discard_body
from bench.parties import ROOM
from bench.processes import spent
from bench.transfers import GIB, digest
from bench.world import BIG_FILE, MIB

if TYPE_CHECKING:
    from bench.parties import Party
    from bench.report import Figures
    from bench.world import World

SMALLEST = f"{ROOM}/smallest"
"""A file of the least size that is handed over."""
REPEATED = 100


def parties(world: World) -> tuple[Party, ...]:
    """Return who is measured: nginx with X-Accel-Redirect, the same nginx without, no nginx."""
    return *world.fronted_parties(), world.fronted_gateway()


def prepare(world: World) -> None:
    """Write the files, and see that every party hands out their true bytes."""
    for path, size in ((BIG_FILE, world.sizes.transfer_bytes), (SMALLEST, WORTH)):
        wanted = hashlib.sha256(world.write_random(path, size) * (size // MIB)).hexdigest()
        for party in parties(world):
            if digest(party, path) != wanted:
                raise BenchError(f"{party.name} hands out other bytes than were written")


def measure(world: World, party: Party) -> Figures:
    """Return the speed of a big file and of many of 4 MiB, one after the other, and their CPU."""
    figures: Figures = {}
    for what, path, size, times in (
        ("one file", BIG_FILE, world.sizes.transfer_bytes, 1),
        ("files of 4 MiB", SMALLEST, WORTH, REPEATED),
    ):
        before, started = world.processes.cpu(), time.monotonic()
        for _ in range(times):
            sock, head = party.open(path)
            with sock:
                discard_body(sock, head, size)
        seconds = time.monotonic() - started
        cpu = spent(before, world.processes.cpu())
        gibs = times * size / GIB
        figures[f"{what}, GB/s"] = times * size / seconds / 1e9
        figures[f"{what}, CPU s a GiB, gateway"] = cpu["fronted"] / gibs
        figures[f"{what}, CPU s a GiB, nginx"] = cpu["nginx"] / gibs
        figures[f"{what}, CPU s a GiB, gateway and nginx"] = (
            cpu["fronted"] + cpu["nginx"]) / gibs
        figures[f"{what}, CPU s a GiB, DataNode"] = cpu["datanode"] / gibs
    return figures
