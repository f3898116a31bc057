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
    """`connections` to one server.

    Any answer but a 200 ends the measurement; of a `tolerant` one it is counted in `failed`.
    """

    def __init__(self, address: Address, connections: int, *, tolerant: bool = False) -> None:
        self._address = address
        self._connections = connections
        self._tolerant = tolerant
        self.failed = 0

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
                    answer = _answer(sock, key.data)
                    if not answer:
                        continue
                    count += self._is_good(answer)
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

    def _is_good(self, answer: bytes) -> bool:
        good = answer.startswith(b"HTTP/1.1 200")
        if not (good or self._tolerant):
            raise BenchError(f"not the answer that is to be measured: {answer[:300]!r}")
        self.failed += not good
        return good


def _answer(sock: socket.socket, state: list[bytes]) -> bytes:
    """Receive, and return the answer once it is whole; `state` holds what came of it before."""
    piece = sock.recv(RECEIVE)
    if not piece:
        raise BenchError("the server closed a keep-alive connection")
    data = state[0] + piece if state[0] else piece
    if not _is_whole(data):
        state[0] = data
        return b""
    state[0] = b""
    return data


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
