"""The calls to one NameNode: idle connections by user, and what is sent again.

The NameNode remembers the answers to calls that change something, by client and call id (its
RetryCache, also across a restart or failover): sent again with the same ids, such a call happens
once. So a call whose connection broke is sent again on a new one. What is not answered in time is
not: who asked has waited for long enough.
Source: org.apache.hadoop.ipc.RetryCache, @AtMostOnce in ClientProtocol.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from itertools import count
from typing import NamedTuple

from app.hadoop.ipc import Broken, Connection, Identity, NoAnswer, NotSent, Refused, RemoteError

_PAUSE = 0.2
_LEAST_WAIT = 1.0
"""Seconds that an answer gets even if most of the time is over."""
_CALL_IDS = 1 << 31


class Limits(NamedTuple):
    """Timeouts in seconds, and how many idle connections are kept for how many seconds."""

    connect_timeout: float = 5.0
    read_timeout: float = 60.0
    pool_size: int = 64
    pool_idle: float = 5.0
    retry_deadline: float = 15.0


class Caller:
    """Makes calls at one NameNode, as any user; any number at once.

    List operations are atomic under threads and greenlets alike, so idle connections need no
    lock; what a fork inherits is closed by the child, which ends nothing for its parent.
    """

    def __init__(self, address: tuple[str, int], limits: Limits) -> None:
        self.address = address
        self._limits = limits
        self._lock = threading.Lock()
        self._idle: dict[Identity, list[Connection]] = {}
        self._begin()

    def call(self, who: Identity, head: bytes, request: bytes, *, may_repeat: bool) -> bytes:
        """Make one call and return the message of its answer.

        `may_repeat` says that the caller can simply ask again; what broke is then sent again only
        where the server had closed an idle connection, else until the deadline. In all it takes
        little more than the time in which an answer has to come.
        Raises RemoteError, NotSent, Broken, BadFrame.
        """
        started = time.monotonic()
        connection = self._take(who)
        call_id = next(self._ids) % _CALL_IDS
        reused = connection.used
        try:
            return self._exchange(connection, call_id, 0, head, request)
        except NoAnswer:
            raise
        except Broken as error:
            if may_repeat and not reused:
                raise
            return self._again(
                who, call_id, head, request, error, started=started, once=may_repeat)

    def close(self) -> None:
        """Close the idle connections, and those in use when their calls end."""
        self._keeps = False
        idle, self._idle = self._idle, {}
        for connections in idle.values():
            for connection in connections:
                connection.close()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._client_id = secrets.token_bytes(16)
        self._ids = count()
        self._idle = {}
        self._keeps = True
        self._swept = time.monotonic()

    def _again(
        self, who: Identity, call_id: int, head: bytes, request: bytes, first: Broken, *,
        started: float, once: bool,
    ) -> bytes:
        ends = time.monotonic() + self._limits.retry_deadline
        for retry in count(1):
            try:
                connection = self._connect(who)
                connection.wait(self._left(started))
                return self._exchange(connection, call_id, retry, head, request)
            except RemoteError as error:
                if isinstance(error, Refused) or _did_nothing(error):
                    # It was not looked at now; what became of it the first time is not told.
                    raise first from error
                raise
            except NoAnswer:
                raise
            except (NotSent, Broken):
                if once or time.monotonic() + _PAUSE > ends:
                    raise first from None
                time.sleep(_PAUSE)
        raise AssertionError("the last try returns or raises")

    def _left(self, started: float) -> float:
        """Return how many seconds are left for an answer to a call."""
        longest = self._limits.read_timeout
        return min(longest, max(_LEAST_WAIT, longest - (time.monotonic() - started)))

    def _exchange(
        self, connection: Connection, call_id: int, retry: int, head: bytes, request: bytes,
    ) -> bytes:
        try:
            answer = connection.call(call_id, retry, head, request)
        except RemoteError as error:
            if isinstance(error, Refused):
                connection.close()
            else:
                self._give(connection)
            raise
        except BaseException:
            connection.close()
            raise
        self._give(connection)
        return answer

    def _take(self, who: Identity) -> Connection:
        if self._pid != os.getpid():
            with self._lock:
                if self._pid != os.getpid():
                    self.close()
                    self._begin()
        connections = self._idle.get(who)
        while connections:
            try:
                connection = connections.pop()
            except IndexError:
                break
            idle = time.monotonic() - connection.idle_since
            if idle < self._limits.pool_idle and connection.is_live():
                return connection
            connection.close()
        return self._connect(who)

    def _connect(self, who: Identity) -> Connection:
        return Connection(
            self.address, who, self._client_id,
            connect_timeout=self._limits.connect_timeout,
            read_timeout=self._limits.read_timeout)

    def _give(self, connection: Connection) -> None:
        now = connection.idle_since = time.monotonic()
        connections = self._idle.setdefault(connection.who, [])
        if (not self._keeps or self._pid != os.getpid()
                or len(connections) >= self._limits.pool_size):
            connection.close()
        else:
            connection.wait(self._limits.read_timeout)
            connections.append(connection)
        if now - self._swept > self._limits.pool_idle:
            self._swept = now
            self._sweep(now)

    def _sweep(self, now: float) -> None:
        """Close what has been idle for too long; users who are gone leave nothing."""
        for who, connections in list(self._idle.items()):
            while connections and now - connections[0].idle_since > self._limits.pool_idle:
                try:
                    connections.pop(0).close()
                except IndexError:
                    break
            if not connections:
                self._idle.pop(who, None)


def _did_nothing(error: RemoteError) -> bool:
    name = error.java_class.rpartition(".")[2]
    return name in ("StandbyException", "RetriableException", "SafeModeException",
                    "ObserverRetryOnActiveException")


