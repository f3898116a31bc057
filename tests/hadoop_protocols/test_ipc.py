"""A call is answered with what the NameNode said to it; all else is an error of its own kind."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.hadoop.ipc import (
    ANSWER_LIMIT,
    BadFrame,
    Broken,
    Connection,
    Identity,
    NotSent,
    Refused,
    RemoteError,
    method,
)
from app.hadoop.protobuf import delimited, number
from tests.hadoop_protocols.properties import PATIENT
from tests.hadoop_protocols.scripted_namenode import (
    FATAL,
    Heard,
    answered,
    framed,
    namenode,
    refused,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = method("someMethod")
ID = b"sixteen octets!!"
ALICE = Identity("alice")


def connection(address: tuple[str, int], who: Identity = ALICE, timeout: float = 10) -> Connection:
    return Connection(address, who, ID, connect_timeout=5, read_timeout=timeout)


def one_call(script: bytes) -> bytes:
    """Make call 5 at a NameNode that answers with these octets and ends the connection."""
    with namenode(lambda _: script) as server:
        link = connection(server.address)
        try:
            # What is sent behind the answer's end is not waited for.
            return link.call(5, 0, HEAD, b"asked")
        finally:
            link.close()


def test_a_call_says_who_asks_what_and_how_often_it_was_sent() -> None:
    with namenode(lambda heard: answered(heard.call_id, b"told")) as server:
        link = connection(server.address, Identity("alice", "gateway"))
        assert link.call(5, 2, HEAD, b"asked") == b"told"
        assert link.call((1 << 31) - 1, 0, HEAD, b"") == b"told"
        link.close()
    first, second = server.heard
    assert first == Heard(0, {1: b"alice", 2: b"gateway"}, ID, 5, 2, "someMethod", b"asked")
    assert (second.call_id, second.retry, second.request) == ((1 << 31) - 1, 0, b"")
    context, = server.contexts
    assert context["context"][3] == b"org.apache.hadoop.hdfs.protocol.ClientProtocol"
    assert context["header"][3] == 5  # -3, as a zigzag number


def test_who_asks_for_themselves_has_no_real_user() -> None:
    with namenode(lambda heard: answered(heard.call_id)) as server:
        link = connection(server.address)
        assert link.call(0, 0, HEAD, b"") == b""
        link.close()
    assert server.heard[0].user == {1: b"alice"}


def test_a_large_answer_comes_in_pieces() -> None:
    message = bytes(range(256)) * 10_000
    assert one_call(answered(5, message)) == message


def test_an_error_is_told_without_its_trace_and_the_connection_goes_on() -> None:
    def script(heard: Heard) -> bytes:
        if heard.call_id == 1:
            return refused(1, "java.io.IOException", "first\nline two\n\tat a.b.C\n\tat d")
        return answered(heard.call_id, b"fine")

    with namenode(script) as server:
        link = connection(server.address)
        with pytest.raises(RemoteError) as caught:
            link.call(1, 0, HEAD, b"")
        assert not isinstance(caught.value, Refused)
        assert (caught.value.java_class, caught.value.message) == (
            "java.io.IOException", "first\nline two")
        assert link.call(2, 0, HEAD, b"") == b"fine"
        link.close()


def test_an_error_that_ends_the_connection_is_told_apart() -> None:
    # Who may not come in is told so with a call id of its own.
    with pytest.raises(Refused, match="AuthorizationException: no"):
        one_call(refused((1 << 32) - 3, "AuthorizationException", "no", FATAL))


def test_an_answer_that_is_cut_anywhere_is_a_broken_call() -> None:
    whole = answered(5, b"told")
    for cut in range(1, len(whole)):
        sent = iter([whole[:cut], b""])
        with namenode(lambda _, sent=sent: next(sent)) as server:
            link = connection(server.address, timeout=0.2)
            with pytest.raises(Broken):
                link.call(5, 0, HEAD, b"")
            link.close()


def test_a_connection_that_ends_without_an_answer_is_a_broken_call() -> None:
    with pytest.raises(Broken, match="closed"):
        one_call(b"")


def test_a_silent_namenode_is_given_up() -> None:
    over = threading.Event()

    def script(_: Heard) -> bytes:
        over.wait(60)
        return b""

    with namenode(script) as server:
        link = connection(server.address, timeout=0.2)
        with pytest.raises(Broken, match=r"no answer in 0\.2 s"):
            link.call(1, 0, HEAD, b"")
        over.set()
        link.close()


def test_where_nobody_listens_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    with pytest.raises(NotSent, match=str(address[1])):
        connection(address)


@pytest.mark.parametrize("answer", [
    answered(6),
    answered(5) + answered(6),
    framed(b""),
    framed(delimited(number(1, 5))),
    framed(delimited(number(1, 5) + number(2, 0))),
    framed(delimited(number(1, 5) + number(2, 0)) + b"\x7fcut"),
    framed(delimited(number(1, 5) + number(2, 1) + number(4, 1) + number(5, 1))),
    (ANSWER_LIMIT + 1).to_bytes(4, "big"),
    b"\xff\xff\xff\xff",
    b"HTTP/1.1 404 Not Found\r\nContent-type: text/plain\r\n\r\n",
])
def test_what_is_no_answer_to_this_call_is_a_bad_frame(answer: bytes) -> None:
    with pytest.raises(BadFrame):
        one_call(answer)


class Fed:
    """A socket that has this to say, in pieces of this size."""

    def __init__(self, data: bytes, size: int) -> None:
        self._pieces: Iterator[bytes] = (
            data[at:at + size] for at in range(0, len(data), size))
        self.setsockopt = self.sendall = self.settimeout = lambda *_: None

    def recv(self, size: int) -> bytes:
        piece = next(self._pieces, b"")
        assert len(piece) <= size
        return piece

    def close(self) -> None:
        pass


def fed(data: bytes, size: int) -> Connection:
    with mock.patch("socket.create_connection", return_value=Fed(data, size)):
        return connection(("nowhere", 1))


@PATIENT
@given(st.binary(max_size=300), st.integers(1, 300))
def test_any_answer_in_any_pieces_is_put_together(message: bytes, size: int) -> None:
    assert fed(answered(5, message), size).call(5, 0, HEAD, b"") == message


@PATIENT
@given(st.binary(max_size=100))
def test_garbage_is_never_an_answer_to_be_believed(data: bytes) -> None:
    with pytest.raises((BadFrame, RemoteError, Broken)):
        fed(framed(b"\x7f" + data), 1 << 16).call(5, 0, HEAD, b"")


@PATIENT
@given(st.binary(min_size=1, max_size=100))
def test_garbage_in_the_header_is_a_known_error(data: bytes) -> None:
    try:
        fed(framed(delimited(data) + delimited(b"")), 1 << 16).call(5, 0, HEAD, b"")
    except (BadFrame, RemoteError):
        return
    assert b"\x08\x05" in data
