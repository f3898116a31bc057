"""The listing of a very big directory: first byte, last byte, and memory."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from bench.client import HEAD_END, BenchError, read_body, read_head
from bench.processes import spent
from bench.world import DIRECTORY

if TYPE_CHECKING:
    from bench.parties import Party
    from bench.report import Figures
    from bench.world import World


def prepare(world: World) -> None:
    """Make the directory, and see that every party lists all of it."""
    world.fill_directory()
    for party in world.parties:
        with party.connect() as sock:
            sock.sendall(party.request("listing", DIRECTORY))
            listed = json.loads(read_body(sock, read_head(sock)))
        if _count(listed) != world.sizes.entries:
            raise BenchError(f"{party.name} lists {_count(listed)} entries")


def measure(world: World, party: Party) -> Figures:
    """Return the times, and what the process in question took of memory and CPU."""
    role = party.serves[0]
    before_memory = world.processes.memory(role)
    world.processes.reset_peak(role)
    before = world.processes.cpu()
    with party.connect() as sock:
        started = time.monotonic()
        sock.sendall(party.request("listing", DIRECTORY))
        first = sock.recv(1)
        first_byte = time.monotonic() - started
        size = _drain(sock, first)
        total = time.monotonic() - started
    cpu = spent(before, world.processes.cpu())
    return {
        "first byte, ms": first_byte * 1000,
        "total, ms": total * 1000,
        "answer, MB": size / 1e6,
        "CPU ms, all": sum(cpu[each] for each in party.serves) * 1000,
        "peak memory, gateway, HttpFS or NameNode, MiB": world.processes.peak_memory(role),
        "of which for the listing, MiB": max(
            0.0, world.processes.peak_memory(role) - before_memory),
    }


def _drain(sock: Any, first: bytes) -> int:
    data = bytearray(first)
    while not data.endswith(b"\r\n0" + HEAD_END):
        piece = sock.recv(1 << 18)
        if not piece:
            raise BenchError("the listing ended early")
        data += piece
    return len(data)


def _count(listed: dict[str, Any]) -> int:
    if "FileStatuses" in listed:
        return len(listed["FileStatuses"]["FileStatus"])
    return len(listed["result"]["statuses"])
