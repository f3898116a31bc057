"""Keep-alive connections that ask again as soon as they are answered, by one epoll loop.

The loop costs some 15 µs of CPU a call, so that the machine is left to who is measured.
"""

from __future__ import annotations

import itertools
import selectors
import time
from typing import TYPE_CHECKING, cast

from bench.client import HEAD_END, RECEIVE, Address, BenchError, connect

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Iterator

LAST_CHUNK = b"\r\n0\r\n\r\n"
PATIENCE = 60.0


class KeepAlive:
    """`connections` to one server."""

    def __init__(self, address: Address, connections: int) -> None:
        self._address = address
        self._connections = connections

    def run_for(self, seconds: float, *requests: bytes) -> tuple[int, float]:
        """Repeat `requests` in turn and return how many calls were answered, in how many seconds.
        """
        end = time.monotonic() + seconds
        return self._run(itertools.takewhile(
            lambda _: time.monotonic() < end, itertools.cycle(requests)))

    def run_all(self, requests: Iterable[bytes]) -> tuple[int, float]:
        """Send each request once and return how many that were, and the seconds it took."""
        return self._run(iter(requests))

    def _run(self, requests: Iterator[bytes]) -> tuple[int, float]:
        selector = selectors.EpollSelector()
        sockets = [connect(self._address) for _ in range(self._connections)]
        count, started = 0, time.monotonic()
        try:
            for sock in sockets:
                sock.setblocking(False)
                if (request := next(requests, None)) is not None:
                    sock.send(request)
                    selector.register(sock, selectors.EVENT_READ, [b""])
            while selector.get_map():
                ready = selector.select(PATIENCE)
                if not ready:
                    raise BenchError(f"no answer came for {PATIENCE:g} s")
                for key, _ in ready:
                    sock = cast("socket.socket", key.fileobj)
                    if not _answered(sock, key.data):
                        continue
                    count += 1
                    request = next(requests, None)
                    if request is None:
                        selector.unregister(sock)
                    else:
                        sock.send(request)
            return count, time.monotonic() - started
        finally:
            selector.close()
            for sock in sockets:
                sock.close()


def _answered(sock: socket.socket, state: list[bytes]) -> bool:
    """Receive, and tell whether the answer is whole; `state` holds what came of it before."""
    piece = sock.recv(RECEIVE)
    if not piece:
        raise BenchError("the server closed a keep-alive connection")
    data = state[0] + piece if state[0] else piece
    if not _is_whole(data):
        state[0] = data
        return False
    if not data.startswith(b"HTTP/1.1 200"):
        raise BenchError(f"not the answer that is to be measured: {data[:300]!r}")
    state[0] = b""
    return True


def _is_whole(data: bytes) -> bool:
    if data.endswith(LAST_CHUNK):
        return True
    end = data.find(HEAD_END)
    if end < 0:
        return False
    lower = data[:end].lower()
    start = lower.find(b"content-length:")
    if start < 0:
        return False
    length = int(lower[start + 15:].split(b"\r", 1)[0])
    return len(data) == end + len(HEAD_END) + length
