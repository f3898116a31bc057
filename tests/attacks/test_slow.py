"""Who takes their time: heads and bodies dripped, answers not read, connections held."""

from __future__ import annotations

import resource
import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.attacks.conftest import HEAD, PATIENCE, connected, everything, unharmed
from tests.gateway import wait_for

if TYPE_CHECKING:
    from tests.gateway import Gateway

pytestmark = pytest.mark.gunicorn

UPLOAD = (b"PUT /f/file/content?path=/user/alice/%b&overwrite=true HTTP/1.1\r\n" + HEAD
          + b"Content-Type: application/octet-stream\r\n")
FRAMES = {
    "length": (b"Content-Length: 1000000\r\n\r\n", b"x"),
    "chunks": (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "chunk-size-line": (b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
}


def test_heads_that_never_end(victim: Gateway) -> None:
    """Slowloris: a byte now and then of many heads; none is waited for beyond `keepalive`."""
    with ExitStack() as stack, unharmed(victim):
        clients = [stack.enter_context(connected(victim)) for _ in range(200)]
        for client in clients:
            client.sendall(b"GET /f/home-directory HTTP/1.1\r\nHost: a\r\nX-Slow: ")

        def all_closed() -> bool:
            return not [client for client in clients if not _dripped(client)]

        wait_for("all of them cut off", all_closed, seconds=60)


def _dripped(client: socket.socket) -> bool:
    """Send one more byte, and tell whether the connection is closed."""
    try:
        client.send(b"x", socket.MSG_DONTWAIT)
        return client.recv(1, socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@pytest.mark.parametrize("frame", FRAMES)
def test_bodies_that_come_in_drips(victim: Gateway, frame: str) -> None:
    """A byte at a time keeps no upload alive: on average there must come more."""
    head, drip = FRAMES[frame]
    with ExitStack() as stack, unharmed(victim):
        clients = [stack.enter_context(connected(victim)) for _ in range(10)]
        for number, client in enumerate(clients):
            client.sendall(UPLOAD % b"drip%d" % number + head)
        closed: set[int] = set()

        def all_closed() -> bool:
            for number, client in enumerate(clients):
                if number not in closed and _answered(client, drip):
                    closed.add(number)
            time.sleep(0.05)
            return len(closed) == len(clients)

        wait_for("all of them given up", all_closed, seconds=60)
    left = victim.request("GET", "/f/listing", params={"path": "/user/alice"}).json()
    assert "drip" not in str(left)


def _answered(client: socket.socket, drip: bytes) -> bool:
    """Send a little more, and tell whether the gateway has answered or closed."""
    try:
        client.send(drip, socket.MSG_DONTWAIT)
        client.recv(1, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def test_answers_that_nobody_reads(victim: Gateway) -> None:
    """Fifty downloads of 32 MiB each wait in the gateway with a piece each, not as a whole."""
    request = b"GET /f/file/content?path=/user/alice/large HTTP/1.1\r\n" + HEAD + b"\r\n"
    with ExitStack() as stack, unharmed(victim):
        clients = []
        for _ in range(50):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(PATIENCE)
            client.connect(("127.0.0.1", victim.port))
            client.sendall(request)
            clients.append(stack.enter_context(client))
        for client in clients:
            assert client.recv(15).startswith(b"HTTP/1.1 200")


def test_a_flood_of_idle_connections(victim: Gateway) -> None:
    """They are closed when they have asked nothing for a while; meanwhile others come through."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(
        resource.RLIMIT_NOFILE)[1]))
    with ExitStack() as stack, unharmed(victim):
        clients = [stack.enter_context(connected(victim, 60)) for _ in range(1000)]
        assert all(everything(client) == b"" for client in clients)


def test_requests_without_end_on_one_connection(victim: Gateway) -> None:
    """Pipelined, refused, and read by nobody: others have their turn between them."""
    request = b"GET /f/home-directory HTTP/1.1\r\nHost: a\r\n\r\n" * 500
    with ExitStack() as stack, unharmed(victim) as others:
        clients = [stack.enter_context(connected(victim)) for _ in range(6)]
        wait_for("others asking", lambda: len(others.seconds) > 2)
        for client in clients:
            client.settimeout(0.5)
            try:
                client.sendall(request)
                while client.recv(1 << 20):
                    pass
            except TimeoutError:
                pass
