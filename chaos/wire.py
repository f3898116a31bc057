"""One HTTP exchange on a connection of its own, which may be slow or cut off on purpose."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random

    from bench.client import Address

PATIENCE = 150.0
"""Seconds without a byte after which a client says that there is no answer."""
STEP = 128 * 1024
RESET = struct.pack("ii", 1, 0)


class Manners(NamedTuple):
    """How a client behaves: seconds between pieces, and what share of the bytes it waits for."""

    pause: float = 0.0
    cut_at: float | None = None
    """The share (0 to 1) of what is sent, or received, after which the client is gone."""


class Answer(NamedTuple):
    """Status 0: there was none. `sent`: the request may have arrived. `whole`: so did the body.

    `silent`: nothing came for too long; `cut`: the client itself went away.
    """

    status: int
    body: bytes = b""
    whole: bool = False
    sent: bool = True
    silent: bool = False
    cut: bool = False


REFUSED = Answer(0, sent=False)
BROKEN = Answer(0)


def ask(address: Address, head: bytes, body: bytes = b"", manners: Manners | None = None) -> Answer:
    """Send a request and return what came back; nothing is raised for what broke."""
    manners = manners or Manners()
    try:
        sock = socket.create_connection(address, PATIENCE)
    except OSError:
        return REFUSED
    with sock:
        try:
            return _exchange(sock, head, body, manners)
        except TimeoutError:
            return BROKEN._replace(silent=True)
        except (OSError, http.client.HTTPException):
            return BROKEN


def _exchange(sock: socket.socket, head: bytes, body: bytes, manners: Manners) -> Answer:
    cut = int(len(body) * manners.cut_at) if body and manners.cut_at is not None else None
    with contextlib.suppress(ConnectionError):  # there may be an answer all the same
        sock.sendall(head)
        _send(sock, body[:cut], manners.pause)
    if cut is not None:
        _vanish(sock)
        return BROKEN._replace(cut=True)
    return _receive(sock, head.partition(b" ")[0].decode(), manners, may_cut=not body)


def _send(sock: socket.socket, body: bytes, pause: float) -> None:
    step = STEP if pause else len(body) or 1
    for start in range(0, len(body), step):
        sock.sendall(body[start:start + step])
        if pause:
            time.sleep(pause)


def _receive(sock: socket.socket, method: str, manners: Manners, *, may_cut: bool) -> Answer:
    with contextlib.closing(http.client.HTTPResponse(sock, method=method)) as answer:
        answer.begin()
        due = int(answer.headers.get("Content-Length") or 0)
        cut = int(due * manners.cut_at) if may_cut and manners.cut_at is not None else None
        data = b""
        try:
            while piece := answer.read1(STEP):
                data += piece
                if cut is not None and len(data) >= cut:
                    _vanish(sock)
                    return Answer(answer.status, data, cut=True)
                if manners.pause:
                    time.sleep(manners.pause)
        except (OSError, http.client.HTTPException):
            return Answer(answer.status, data)
        # `read1` does not tell a body that was cut short from one that has ended.
        return Answer(answer.status, data, whole=not due or len(data) == due)


def _vanish(sock: socket.socket) -> None:
    """Have the connection reset, as by a host that is switched off and on."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def mood(chance: random.Random, size: int) -> Manners:
    """Return how to behave with so many bytes: big transfers are often slow, some are cut off."""
    big = size > 1 << 20
    cut = chance.random() if chance.random() < (0.08 if big else 0.02) else None
    return Manners(chance.choice((0.0, 0.02, 0.06)) if big else 0.0, cut)
