"""Calls at a steady pace, each timed from when it was due, so that a stall is seen whole."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from bench.client import BenchError, connect, exchange

if TYPE_CHECKING:
    import socket

    from bench.client import Address

CONNECTIONS = 16
LIMIT = 10.0


class Paced:
    """Some connections that share `rate` calls a second for `seconds`.

    `latencies` are in seconds; a call that failed, or whose turn never came, counts as LIMIT.
    """

    def __init__(self, address: Address, request: bytes, rate: float, seconds: float) -> None:
        self.latencies: list[float] = []
        self._address = address
        self._request = request
        self._rate = rate
        self._count = int(rate * seconds)
        self._started = 0.0

    def run(self) -> None:
        """Make all calls."""
        self._started = time.monotonic()
        threads = [threading.Thread(target=self._loop, args=(turn,))
                   for turn in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _loop(self, turn: int) -> None:
        sock: socket.socket | None = None
        for number in range(turn, self._count, CONNECTIONS):
            due = self._started + number / self._rate
            time.sleep(max(0.0, due - time.monotonic()))
            if time.monotonic() - due > LIMIT:
                self.latencies.append(LIMIT)
                continue
            try:
                sock = sock or self._connected()
                exchange(sock, self._request)
                self.latencies.append(min(LIMIT, time.monotonic() - due))
            except (OSError, BenchError):
                self.latencies.append(LIMIT)
                if sock is not None:
                    sock.close()
                sock = None
        if sock is not None:
            sock.close()

    def _connected(self) -> socket.socket:
        sock = connect(self._address)
        sock.settimeout(LIMIT)
        return sock
