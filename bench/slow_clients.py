"""The slow clients: a process that opens many downloads and reads a few KiB a second of each."""

from __future__ import annotations

import contextlib
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from bench.client import RECEIVE, BenchError, Head

if TYPE_CHECKING:
    import socket

    from bench.parties import Party

SIP = 4096
ROUND_SECONDS = 1.0
RECEIVE_BUFFER = 16 * 1024
"""What the kernel may take ahead for a client that stays slow: a few seconds' sips,"""
FINISHER_BUFFER = 1024 * 1024
"""and for one that reads on at full speed in the end; a small window would make that slow."""
OPENERS = 32
RECENT_SECONDS = 3 * ROUND_SECONDS


class SlowClient:
    """One download."""

    def __init__(self, sock: socket.socket, head: Head) -> None:
        self.sock = sock
        self.content = head.rest
        self.progressed = time.monotonic()
        self.chunked = "chunked" in head.fields.get("transfer-encoding", "")
        sock.setblocking(False)

    def sip(self) -> None:
        """Take a little, if something is there; its end before the file's is no progress."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            if piece := self.sock.recv(SIP):
                self.content += piece
                self.progressed = time.monotonic()

    def finish(self) -> str:
        """Read all the rest and return the SHA-256 of the content."""
        self.sock.settimeout(60)
        data = bytearray(self.content)
        while piece := self.sock.recv(RECEIVE):
            data += piece
        return hashlib.sha256(_dechunked(data) if self.chunked else data).hexdigest()


def main(pipe: Any, party: Party, path: str, counts: tuple[int, int], seconds: float) -> None:
    """Open the downloads, sip until told to end, and report.

    `counts` are how many downloads to open, and how many of these to read to the end. Sends how
    many could be opened; when told to, how many made progress in the last seconds, and the
    digests of what was read to the end.
    """
    try:
        finishers = _opened(party, path, counts[1], seconds, FINISHER_BUFFER)
        clients = finishers + _opened(
            party, path, counts[0] - counts[1], seconds, RECEIVE_BUFFER)
        pipe.send(len(clients))
        while not pipe.poll():
            _round(clients)
        now = time.monotonic()
        alive = [c for c in clients if now - c.progressed < RECENT_SECONDS]
        with ThreadPoolExecutor(OPENERS) as pool:
            pipe.send((len(alive), list(pool.map(SlowClient.finish, finishers))))
    except (OSError, BenchError, EOFError) as error:
        pipe.send(BenchError(repr(error)))


def _opened(
    party: Party, path: str, count: int, seconds: float, buffer: int,
) -> list[SlowClient]:
    deadline = time.monotonic() + seconds
    clients: list[SlowClient] = []

    def open_one(_: int) -> None:
        if time.monotonic() < deadline:
            with contextlib.suppress(OSError, BenchError):
                clients.append(SlowClient(*party.open(path, receive_buffer=buffer)))

    with ThreadPoolExecutor(OPENERS) as pool:
        list(pool.map(open_one, range(count)))
    return clients


def _round(clients: list[SlowClient]) -> None:
    """Give every client its sip, spread over the round."""
    started = time.monotonic()
    for number, client in enumerate(clients):
        client.sip()
        ahead = started + ROUND_SECONDS * number / len(clients) - time.monotonic()
        if ahead > 0.002:
            time.sleep(ahead)
    time.sleep(max(0.0, started + ROUND_SECONDS - time.monotonic()))


def _dechunked(data: bytearray) -> bytes:
    content, position = bytearray(), 0
    while True:
        end = data.index(b"\r\n", position)
        size = int(data[position:end].partition(b";")[0], 16)
        if not size:
            return bytes(content)
        content += data[end + 2:end + 2 + size]
        position = end + 2 + size + 2
