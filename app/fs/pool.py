"""Idle connections to one server, the newest first; made anew when there is none."""

from __future__ import annotations

import os
import socket
import ssl
import time
from typing import NamedTuple

from requests import exceptions

from app.fs.connection import Connection
from app.fs.http_faults import NotSent, TlsRefused
from app.fs.tls_faults import explained

DEFAULT_PORTS = {"http": 80, "https": 443}


class Limits(NamedTuple):
    """Timeouts in seconds, and how many idle connections are kept for how many seconds."""

    connect_timeout: float = 5.0
    read_timeout: float = 60.0
    pool_size: int = 64
    pool_idle: float = 5.0


class Pool:
    """The connections to one server; any number may be in use.

    `trust` says which certificates count; None: those that the system trusts.

    List operations are atomic under threads and greenlets alike, so there is no lock; what a
    fork inherits is closed by the child, which ends nothing for its parent.
    """

    def __init__(
        self, scheme: str, host: str, port: int, limits: Limits,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._limits = limits
        self._tls = trust or ssl.create_default_context() if scheme == "https" else None
        self._idle: list[Connection] = []
        self._pid = os.getpid()
        self._closed = False
        shown = f"[{host}]" if ":" in host else host
        self.authority = shown if port == DEFAULT_PORTS[scheme] else f"{shown}:{port}"

    def take(self, seconds: float | None = None) -> Connection:
        """Return a connection that is ready to send. Raises NotSent, ConnectTimeout, TlsRefused.

        With `seconds`, everything that is done on it may take that long at most.
        """
        started = time.monotonic()
        connection = self._reuse(started) or self._connect(seconds)
        connection.limit(None if seconds is None else seconds - (time.monotonic() - started))
        connection.begin()
        return connection

    def close(self) -> None:
        """Close the idle connections, and each of those in use when it is given back."""
        self._closed = True
        self._drop_all()

    def _drop_all(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _reuse(self, now: float) -> Connection | None:
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._drop_all()
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if now - connection.idle_since > self._limits.pool_idle:
                connection.close()
                self._drop_all()
            elif connection.is_live():
                connection.reused = True
                return connection
            else:
                connection.close()
        return None

    def _give(self, connection: Connection) -> None:
        now = connection.idle_since = time.monotonic()
        idle = self._idle
        if self._closed or self._pid != os.getpid() or len(idle) >= self._limits.pool_size:
            connection.close()
            return
        idle.append(connection)
        if now - idle[0].idle_since > self._limits.pool_idle:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        try:
            self._idle.pop(0).close()
        except IndexError:
            return

    def _connect(self, seconds: float | None) -> Connection:
        limit = self._limits.connect_timeout
        if seconds is not None:
            limit = max(0.001, min(limit, seconds))
        where = f"{self.authority}"
        try:
            sock = socket.create_connection((self.host, self.port), limit)
        except TimeoutError as error:
            raise exceptions.ConnectTimeout(f"{where}: no connection in {limit:g} s") from error
        except OSError as error:
            raise NotSent(f"{where}: {error}") from error
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_hostname=self.host)
        except ssl.SSLError as error:
            sock.close()
            raise TlsRefused(f"{where}: {explained(error)}") from error
        except OSError as error:
            sock.close()
            raise NotSent(f"{where}: {error}") from error
        return Connection(
            sock, self._limits.read_timeout, self._give, secure=self._tls is not None)
