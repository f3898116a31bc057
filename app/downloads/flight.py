"""One object on its way from a source: how far it is, and how others stop it."""

from __future__ import annotations

import socket
import time

from app.core.download_errors import DownloadStopped, SourceFault


class Flight:
    """The state of one download of one object, for the thread that does it and those that look.

    `started` and `ended` are epoch ms (0: not yet), `total` is -1 while the source has not told it.
    It may last `seconds`, tries and pauses between them included.
    """

    def __init__(self, index: int, name: str, seconds: float) -> None:
        self.index = index
        self.name = name
        self.started = int(time.time() * 1000)
        self.ended = 0
        self.downloaded = 0
        self.total = -1
        self.error = ""
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._due = 0.0
        self._stopped = ""
        self._wire: socket.socket | None = None

    @property
    def left(self) -> float:
        """Seconds that are left, at least a little."""
        return max(0.001, self._until - time.monotonic())

    def begin(self, total: int) -> None:
        """Note that a source has begun to answer, with so many bytes to come."""
        self.downloaded = 0
        self.total = total

    def expect(self, seconds: float) -> None:
        """Note that the source has so many seconds to give what is waited for now.

        The timeout of a socket is not enough: under gevent, TLS begins it anew with each byte of a
        record. Whoever looks after the flight ends it when it is `overdue`.
        """
        self._due = time.monotonic() + seconds

    def arrived(self) -> None:
        """Note that what was waited for has come."""
        self._due = 0.0

    def hold(self, sock: socket.socket) -> None:
        """Keep a second handle of a connection, by which it can be ended from outside."""
        self.release()
        self._wire = sock.dup()
        self.check()

    def release(self) -> None:
        """Let go of the connection."""
        wire, self._wire = self._wire, None
        self._due = 0.0
        if wire is not None:
            wire.close()

    def stop(self, reason: str) -> None:
        """End it: whoever waits for the source hears of it at once."""
        self._stopped = self._stopped or reason
        wire = self._wire
        if wire is not None:
            try:
                wire.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it has ended by itself

    def overdue(self) -> bool:
        """Tell whether its time is over, or that for what is waited for."""
        now = time.monotonic()
        return now > self._until or 0.0 < self._due < now

    def check(self) -> None:
        """Raise DownloadStopped if it was stopped, SourceFault if its time is over."""
        if self._stopped:
            raise DownloadStopped(self._stopped)
        if time.monotonic() > self._until:
            raise SourceFault(f"the source took longer than {self._seconds:g} seconds")
