"""A thousand slow downloads at once: what they cost, and how status calls fare meanwhile."""

from __future__ import annotations

import hashlib
import multiprocessing
import time
from typing import TYPE_CHECKING, Any

from bench import slow_clients
from bench.client import BenchError
from bench.paced import LIMIT, Paced
from bench.report import percentile
from bench.world import MIB, SLOW_FILE, SMALL_FILE

if TYPE_CHECKING:
    from bench.parties import Party
    from bench.report import Figures
    from bench.world import World

FINISHERS = 20
SIZE = MIB
"""More than a client takes in the time, and not so much that a thousand files, which within one
machine all end up in socket buffers, fill what its kernel has for TCP (net.ipv4.tcp_mem)."""
CALLS_A_SECOND = 100.0
OPEN_SECONDS = 90.0
DIGESTS: dict[str, str] = {}


def prepare(world: World) -> None:
    """Write the files."""
    world.write(SMALL_FILE, b"x" * 4096)
    DIGESTS[SLOW_FILE] = hashlib.sha256(world.write_random(SLOW_FILE, SIZE)).hexdigest()


def measure(world: World, party: Party) -> Figures:
    """Return memory, CPU and latency while the downloads go on."""
    role = party.serves[0]
    idle = world.processes.memory(role)
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    clients = spawn.Process(target=slow_clients.main, daemon=True, args=(
        theirs, party, SLOW_FILE, (world.sizes.slow_clients, FINISHERS), OPEN_SECONDS))
    clients.start()
    try:
        opened = _told(ours, OPEN_SECONDS * 2)
        time.sleep(2.0)
        before, started = world.processes.cpu(), time.monotonic()
        calls = Paced(party.address, party.request("status", SMALL_FILE), CALLS_A_SECOND,
                      world.sizes.slow_seconds)
        calls.run()
        cores = (world.processes.cpu()[role] - before[role]) / (time.monotonic() - started)
        memory = world.processes.memory(role)
        ours.send("end")
        progressed, digests = _told(ours, 240.0)
    finally:
        clients.terminate()
        clients.join()
    finished = sum(digest == DIGESTS[SLOW_FILE] for digest in digests)
    return {
        "downloads open and progressing": float(progressed),
        "downloads opened": float(opened),
        f"of {FINISHERS} read to the end, right": float(finished),
        "memory, gateway, HttpFS or NameNode, MiB": memory,
        "of which for the downloads, MiB": max(0.0, memory - idle),
        "CPU, share of a core": cores,
        "status p50 meanwhile, ms": percentile(calls.latencies, 0.5) * 1000,
        "status p99 meanwhile, ms": percentile(calls.latencies, 0.99) * 1000,
        "status calls that failed or took 10 s": float(
            sum(seconds >= LIMIT for seconds in calls.latencies)),
    }


def _told(pipe: Any, seconds: float) -> Any:
    if not pipe.poll(seconds):
        raise BenchError(f"the slow clients said nothing for {seconds:g} s")
    told = pipe.recv()
    if isinstance(told, Exception):
        raise BenchError(f"the slow clients failed: {told}")
    return told
