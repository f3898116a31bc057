"""The client socket of our gunicorn worker: what it joins, and what it never keeps."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from app.web.worker import JoiningSocket

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"


class Counting:
    """A socket that counts its calls of send."""

    def __init__(self, inner: socket.socket) -> None:
        self.inner = inner
        self.sends = 0

    def send(self, data: bytes) -> int:
        self.sends += 1
        return self.inner.send(data)

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


@pytest.fixture
def pair() -> Iterator[tuple[Counting, socket.socket]]:
    ours, client = socket.socketpair()
    with ours, client:
        client.settimeout(10)
        ours.settimeout(10)
        yield Counting(ours), client


def test_the_head_goes_out_with_the_first_piece(pair: tuple[Counting, socket.socket]) -> None:
    server, client = pair
    joining = JoiningSocket(server)
    joining.sendall(HEAD)
    joining.sendall(b"body")
    assert server.sends == 1
    assert client.recv(1000) == HEAD + b"body"
    joining.sendall(b"more")
    assert client.recv(1000) == b"more"


def test_an_answer_without_a_body_goes_out_at_the_end(
    pair: tuple[Counting, socket.socket],
) -> None:
    server, client = pair
    joining = JoiningSocket(server)
    joining.sendall(HEAD)
    joining.flush()
    joining.flush()
    assert server.sends == 1
    assert client.recv(1000) == HEAD


def test_who_waits_for_the_client_has_answered_first(
    pair: tuple[Counting, socket.socket],
) -> None:
    server, client = pair
    joining = JoiningSocket(server)
    joining.sendall(HEAD)
    joining.settimeout(1)
    assert client.recv(1000) == HEAD


def test_large_pieces_are_sent_whole_and_in_order(pair: tuple[Counting, socket.socket]) -> None:
    server, client = pair
    joining = JoiningSocket(server)
    piece = bytes(range(256)) * 300
    joining.sendall(HEAD)
    joining.sendall(piece)
    got = b""
    while len(got) < len(HEAD) + len(piece):
        got += client.recv(1 << 20)
    assert got == HEAD + piece


def test_an_answer_that_fails_before_its_body_is_not_begun(
    pair: tuple[Counting, socket.socket],
) -> None:
    server, client = pair
    joining = JoiningSocket(server)
    joining.sendall(HEAD)
    joining.shutdown(socket.SHUT_RDWR)
    joining.flush()
    assert client.recv(1000) == b""
