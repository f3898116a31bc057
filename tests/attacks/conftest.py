"""A gateway under attack, and somebody who goes on using it meanwhile."""

from __future__ import annotations

import base64
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

import pytest
import requests

from tests.gateway import PASSWORD, Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1024 * 1024
PATIENCE = 20.0
"""Seconds in which any answer must come, on a machine that does other things, too."""
LOGIN = b"Authorization: Basic " + base64.b64encode(f"someone:{PASSWORD}".encode()) + b"\r\n"
HEAD = b"Host: gateway.example.net\r\n" + LOGIN


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Yield a gateway of two workers that gives up slow bodies after a second."""
    settings = {"web": {"body_timeout": 1.0, "trusted_proxies": ["127.0.0.1"]},
                "limits": {"slowest_upload": 1000}}
    with Gateway(tmp_path_factory.mktemp("victim"), settings=settings,
                 gunicorn_args=("--keep-alive", "3")) as gateway:
        gateway.make_home("alice")
        answer = gateway.request(
            "PUT", "/f/file/content", params={"path": "/user/alice/large"}, data=bytes(32 * MIB),
            headers={"Content-Type": "application/octet-stream"})
        assert answer.status_code == 201
        # The first requests fill caches that stay; what an attack adds is measured after them.
        for _ in range(4):
            gateway.request("GET", "/f/file/status", params={"path": "/user/alice"})
        yield gateway


class Others:
    """Somebody else, who asks for a status again and again, on fresh connections."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.seconds: list[float] = []
        self.wrong: list[object] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _ask(self) -> None:
        while not (self._ended.is_set() and self.seconds):
            started = time.monotonic()
            try:
                answer = requests.get(
                    f"{self._gateway.url}/f/file/status?path=/user/alice", timeout=PATIENCE,
                    auth=("other", PASSWORD))
                if answer.status_code != 200:
                    self.wrong.append(answer.text)
            except requests.RequestException as error:
                self.wrong.append(error)
            self.seconds.append(time.monotonic() - started)
            self._ended.wait(0.02)


@contextmanager
def unharmed(gateway: Gateway, *, grown: int = 64 * MIB) -> Iterator[Others]:
    """Assert that during what is inside others are served, no worker dies, and memory stays.

    Memory is that of all processes together; a worker's allocator keeps a few pieces of each size.
    """
    workers, before = set(gateway.workers()), gateway.memory()
    with Others(gateway) as others:
        yield others
    assert not others.wrong, others.wrong[:3]
    assert max(others.seconds) < PATIENCE
    assert set(gateway.workers()) == workers, "a worker died"
    assert gateway.memory() - before < grown, f"{(gateway.memory() - before) // MIB} MiB more"


def connected(gateway: Gateway, seconds: float = PATIENCE) -> socket.socket:
    """Return a plain connection."""
    return socket.create_connection(("127.0.0.1", gateway.port), timeout=seconds)


def everything(client: socket.socket, most: int = MIB) -> bytes:
    """Return what comes until the gateway closes; a reset is an end, too."""
    received = b""
    try:
        while len(received) < most and (piece := client.recv(65536)):
            received += piece
    except ConnectionResetError:
        pass
    return received


def said(gateway: Gateway, request: bytes) -> bytes:
    """Send octets as they are, and return all that is answered until the connection is closed."""
    with connected(gateway) as client:
        with suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(request)
        return everything(client)


def statuses(answers: bytes) -> list[int]:
    """Return the statuses of the answers in what was received."""
    return [int(line.split()[1]) for line in answers.split(b"\r\n")
            if line.startswith(b"HTTP/1.1 ")]
