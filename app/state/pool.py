"""The connections of one process to a server that keeps the state.

A call has a connection to itself. Idle ones are kept for the next call of any thread or greenlet,
never for a child after a fork. Whatever a driver raises ends as StorageFault, in bounded time.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

from app.core.errors import StorageFault
from app.state.room import Room

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 5.0
"""How long a call waits for a free connection, and then for a server that sends nothing."""
CONNECTIONS = 16
"""Most connections of a process. Calls are short, and servers count their clients."""
IDLE_SECONDS = 60.0
"""When an idle connection is too old to trust: what is between may have forgotten it silently."""

C = TypeVar("C")
T = TypeVar("T")


class Driver(Protocol[C]):
    """What the pool knows of a kind of server."""

    @property
    def shown(self) -> str:
        """The server's address without secrets."""

    def connect(self) -> C:
        """Return a connection ready for work, or raise anything."""

    def is_stale(self, connection: C) -> bool:
        """Tell whether an idle connection was closed or has something unasked to read."""

    def close(self, connection: C) -> None:
        """Close a connection, in whatever state it is."""

    def explain(self, error: Exception) -> str:
        """Return what an error of the driver says, without secrets."""


class _Idle(NamedTuple, Generic[C]):
    connection: C
    since: float


class Pool(Generic[C]):
    """Up to CONNECTIONS connections, opened where needed."""

    def __init__(self, driver: Driver[C], *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._driver = driver
        self._patience = answer_seconds
        self._pid = os.getpid()
        self._idle: list[_Idle[C]] = []
        self._inherited: list[_Idle[C]] = []
        self._room = Room(CONNECTIONS)

    def run(self, call: Callable[[C], T], *, repeatable: bool) -> T:
        """Return what `call` makes of a connection. Raises StorageFault.

        A kept connection that turns out to be closed is replaced before anything is sent. One
        that breaks during the call may have done the work: only what is `repeatable` is tried
        again, once, on a new connection, and not when the server took long to say nothing.
        """
        if os.getpid() != self._pid:
            self._forget_parent()
        room = self._room
        if not room.enter(patience=self._patience):
            raise StorageFault(f"the state store {self._driver.shown} is too slow: all"
                               f" {CONNECTIONS} connections of this process are in use")
        try:
            return self._run(call, repeatable=repeatable)
        finally:
            room.leave()

    def close(self) -> None:
        """Close the idle connections of this process."""
        while self._idle:
            self._driver.close(self._idle.pop().connection)

    def _run(self, call: Callable[[C], T], *, repeatable: bool) -> T:
        kept = self._take()
        if kept is None:
            return self._use(self._connect(), call)
        began = time.monotonic()
        try:
            return self._use(kept, call)
        except StorageFault:
            if time.monotonic() - began > self._patience / 2:
                # The server is silent, so the other connections to it are no better.
                self.close()
                raise
            if not repeatable:
                raise
        return self._use(self._connect(), call)

    def _take(self) -> C | None:
        """Return the idle connection used last, if one is still good."""
        while True:
            try:
                connection, since = self._idle.pop()
            except IndexError:
                return None
            if time.monotonic() - since < IDLE_SECONDS and not self._driver.is_stale(connection):
                return connection
            self._driver.close(connection)

    def _connect(self) -> C:
        try:
            return self._driver.connect()
        except Exception as error:
            raise StorageFault(f"the state store {self._driver.shown} cannot be reached:"
                               f" {self._driver.explain(error)}") from error

    def _use(self, connection: C, call: Callable[[C], T]) -> T:
        answered = False
        try:
            answer = call(connection)
            answered = True
        except Exception as error:
            raise StorageFault(f"the state store {self._driver.shown} failed:"
                               f" {self._driver.explain(error)}") from error
        finally:
            # Also what a timeout or a killed greenlet left half-read must not be used again.
            if answered:
                self._idle.append(_Idle(connection, time.monotonic()))
            else:
                self._driver.close(connection)
        return answer

    def _forget_parent(self) -> None:
        # Closing what was connected before the fork would end the parent's session: kept aside.
        self._inherited += self._idle
        self._idle = []
        self._room = Room(CONNECTIONS)
        self._pid = os.getpid()
