"""Connections to the DataNodes' transfer ports, and which of these do not answer.

A DataNode keeps a connection for some seconds after a block was read from it to the end
(`dfs.datanode.socket.reuse.keepalive`, 4 s by default): the next read takes it up.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.hadoop.ipc_pool import Limits
    from app.hadoop.messages import Datanode

_KEPT = 3.0
"""Seconds after which a DataNode may be about to close an idle connection."""
_SHUNNED = 10.0
"""Seconds for which a DataNode that did not answer is tried after all others, and not at all for a
file that none else has which could be reached: a port that is shut silently costs seconds."""
_LATELY = 30.0
"""Seconds for which a DataNode that was reached shows that others can be, too."""
_SEVERAL = 6
"""So many DataNodes, one after the other, are more than those of one file."""

_Address = tuple[str, int]


class NoDatanode(OSError):
    """A DataNode, or none of several, could be reached: nothing was sent."""


class Link:
    """A connection to a DataNode; `reused` tells that a block was read by it before."""

    __slots__ = ("address", "idle_since", "reused", "socket")

    def __init__(self, address: _Address, connected: socket.socket) -> None:
        self.address = address
        self.socket = connected
        self.reused = False
        self.idle_since = 0.0

    def close(self) -> None:
        """End the connection."""
        self.socket.close()


class Datanodes:
    """The DataNodes of one cluster, for any number of readers and writers at once.

    List operations are atomic under threads and greenlets alike, so idle connections need no
    lock; what a fork inherits is closed by the child, which ends nothing for its parent.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._kept = min(limits.pool_idle, _KEPT)
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._idle: dict[_Address, list[Link]] = {}
        self._shunned: dict[_Address, float] = {}
        self._reached: tuple[_Address, float] | None = None
        self._unreached: dict[_Address, float] = {}
        self._swept = time.monotonic()

    def connect(self, node: Datanode) -> Link:
        """Return a new connection. Raises NoDatanode, and shuns the node for a while."""
        address = node.host, node.port
        try:
            connected = _connected(address, self.limits.connect_timeout)
        except (OSError, OverflowError, UnicodeError) as error:  # no port, or no name of a host
            self.shun(node)
            self._note_unreached(address)
            raise NoDatanode(f"{node.host}:{node.port}: {error}") from error
        self._note_reached(address)
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected.settimeout(self.limits.read_timeout)
        except OSError as error:
            connected.close()
            raise NoDatanode(f"{node.host}:{node.port}: {error}") from error
        return Link(address, connected)

    def take(self, node: Datanode) -> Link:
        """Return an idle connection, or a new one. Raises NoDatanode.

        An idle one may have been closed by the DataNode: what fails on it before an answer is
        to be tried again by `connect`.
        """
        if self._pid != os.getpid():
            self._after_fork()
        idle = self._idle.get((node.host, node.port))
        while idle:
            try:
                link = idle.pop()
            except IndexError:
                break
            if time.monotonic() - link.idle_since < self._kept:
                return link
            link.close()
        return self.connect(node)

    def give(self, link: Link) -> None:
        """Keep a connection whose block was read to the end and acknowledged."""
        now = link.idle_since = time.monotonic()
        self._reached = link.address, now
        link.reused = True
        idle = self._idle.setdefault(link.address, [])
        if self._pid != os.getpid() or len(idle) >= self.limits.pool_size:
            link.close()
        else:
            idle.append(link)
        if now - self._swept > self._kept:
            self._swept = now
            self._sweep(now)

    def shun(self, node: Datanode) -> None:
        """Note that a DataNode does not answer."""
        self._shunned[node.host, node.port] = time.monotonic() + _SHUNNED

    def are_out_of_reach(self) -> bool:
        """Tell whether it is not a few alone that could not be reached.

        It is where no other was lately, or several could not be since the last that was.
        """
        if self._reached is None:
            return True
        since = self._reached[1]
        several = sum(at >= since for at in list(self._unreached.values())) >= _SEVERAL
        return several or time.monotonic() - since > _LATELY

    def are_shut(self, nodes: Sequence[Datanode]) -> bool:
        """Tell whether there are such DataNodes, and none could be reached a moment ago."""
        unreached = self._unreached
        if not unreached or not nodes:
            return False
        since = time.monotonic() - _SHUNNED
        return all(unreached.get((node.host, node.port), since) > since for node in nodes)

    def ranked(self, nodes: Iterable[Datanode]) -> list[Datanode]:
        """Return the DataNodes in their order, those that lately did not answer last."""
        if not self._shunned:
            return list(nodes)
        now = time.monotonic()
        for address, until in list(self._shunned.items()):
            if until < now:
                self._shunned.pop(address, None)
        return sorted(nodes, key=lambda node: (node.host, node.port) in self._shunned)

    def close(self) -> None:
        """Close the idle connections."""
        idle, self._idle = self._idle, {}
        for links in idle.values():
            for link in links:
                link.close()

    def _note_reached(self, address: _Address) -> None:
        now = time.monotonic()
        self._reached = address, now
        if self._unreached:
            self._unreached = {
                one: at for one, at in list(self._unreached.items())
                if one != address and now - at < _SHUNNED}

    def _note_unreached(self, address: _Address) -> None:
        self._unreached[address] = time.monotonic()
        if self._reached is not None and self._reached[0] == address:
            self._reached = None

    def _after_fork(self) -> None:
        with self._lock:
            if self._pid != os.getpid():
                self.close()
                self._pid = os.getpid()

    def _sweep(self, now: float) -> None:
        """Close what has been idle for too long; DataNodes that are gone leave nothing."""
        for address, links in list(self._idle.items()):
            while links and now - links[0].idle_since > self._kept:
                try:
                    links.pop(0).close()
                except IndexError:
                    break
            if not links:
                self._idle.pop(address, None)


def _connected(address: _Address, timeout: float) -> socket.socket:
    """Connect; a name costs gevent a thread to resolve, and so would an address."""
    try:
        socket.inet_pton(socket.AF_INET, address[0])
    except OSError:
        return socket.create_connection(address, timeout)
    connected = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        connected.settimeout(timeout)
        connected.connect(address)
    except BaseException:
        connected.close()
        raise
    return connected
