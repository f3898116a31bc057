"""Downloads and uploads of one big file: GB/s, and CPU seconds per GiB."""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING
from urllib.request import urlopen

from bench.client import BenchError, discard_body, exchange
from bench.parties import CREATED, ROOM
from bench.processes import spent
from bench.world import BIG_FILE, MIB

if TYPE_CHECKING:
    import socket

    from bench.parties import Party
    from bench.report import Figures
    from bench.world import World

GIB = 1024 * MIB
UPLOADED = f"{ROOM}/uploaded"


def prepare(world: World) -> None:
    """Write the big file, and see that every party hands out and takes in its true bytes."""
    size = world.sizes.transfer_bytes
    piece = world.write_random(BIG_FILE, size)
    wanted = hashlib.sha256(piece * (size // MIB)).hexdigest()
    for party in world.parties:
        if digest(party, BIG_FILE) != wanted:
            raise BenchError(f"{party.name} hands out other bytes than were written")
        upload(party, UPLOADED, piece, size)
        if digest(world.direct, UPLOADED) != wanted:
            raise BenchError(f"{party.name} wrote other bytes than it was sent")
        world.delete(UPLOADED)


def measure(world: World, party: Party) -> Figures:
    """Return speed and CPU in both directions."""
    size = world.sizes.transfer_bytes
    figures: Figures = {}
    for direction in ("download", "upload"):
        before, started = world.processes.cpu(), time.monotonic()
        if direction == "download":
            sock, head = party.open(BIG_FILE)
            with sock:
                discard_body(sock, head, size)
        else:
            upload(party, UPLOADED, bytes(MIB), size)
        seconds = time.monotonic() - started
        cpu = spent(before, world.processes.cpu())
        gibs = size / GIB
        figures[f"{direction}, GB/s"] = size / seconds / 1e9
        figures[f"{direction}, CPU s a GiB, all"] = sum(
            cpu[role] for role in party.serves) / gibs
        if party.serves[0] != "namenode":
            figures[f"{direction}, CPU s a GiB, gateway or HttpFS"] = (
                cpu[party.serves[0]] / gibs)
    world.delete(UPLOADED)
    return figures


def upload(party: Party, path: str, piece: bytes, size: int) -> None:
    """Upload `piece` again and again, `size` bytes in all."""
    sock, head = party.begin_write(path, size)
    with sock:
        sock.sendall(head)
        send(sock, piece, size)
        exchange(sock, b"", CREATED)


def send(sock: socket.socket, piece: bytes, size: int) -> None:
    """Send `piece` again and again, `size` bytes in all, straight from a file in memory."""
    store = os.memfd_create("bench")
    try:
        os.write(store, piece)
        sock.settimeout(None)  # sendfile does not wait on a socket that has a timeout
        left = size
        while left:
            start = (size - left) % len(piece)
            left -= os.sendfile(sock.fileno(), store, start, min(len(piece) - start, left))
    finally:
        os.close(store)


def digest(party: Party, path: str) -> str:
    """Download a file, redirects followed, and return its SHA-256."""
    state = hashlib.sha256()
    with urlopen(party.download_request(path)) as answer:
        while piece := answer.read(MIB):
            state.update(piece)
    return state.hexdigest()
