"""Request bodies on their way up: framing, broken iterators, answers that come too early."""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING

import pytest
from requests import exceptions

from app.fs.http_faults import BadAnswer
from app.fs.pool import Limits
from app.fs.transport import UpstreamSession
from tests.fs.upstream import Peer, Upstream, answer, answering

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Serve = Callable[..., Upstream]


class ClientGoneError(Exception):
    pass


def test_a_body_of_known_size_has_a_length(serve: Serve, session: UpstreamSession) -> None:
    upstream = serve(answering(answer()))
    session.exchange("PUT", f"{upstream.url}/", b"known")
    session.exchange("PUT", f"{upstream.url}/")
    known, none = upstream.requests
    assert (known.body, known.headers["content-length"]) == (b"known", "5")
    assert (none.body, none.headers["content-length"]) == (b"", "0")


@pytest.mark.parametrize("sizes", [
    [], [0], [1], [0, 5, 0], [10] * 50_000, [70_000, 1, 300_000, 2], [3_000_000]])
def test_an_iterable_is_sent_in_chunks(
    serve: Serve, session: UpstreamSession, sizes: list[int],
) -> None:
    upstream = serve(answering(answer(b"ok")))
    pieces = [bytes([i % 251]) * size for i, size in enumerate(sizes)]
    assert session.exchange("PUT", f"{upstream.url}/", iter(pieces)).content == b"ok"
    request, = upstream.requests
    assert request.body == b"".join(pieces)
    assert len(request.chunks) <= 1 + sum(sizes) // 65_000
    session.exchange("PUT", f"{upstream.url}/", iter(pieces))
    assert upstream.connections == 1


def test_small_pieces_do_not_wait_for_ever(serve: Serve, session: UpstreamSession) -> None:
    arrived: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.head()
        while chunk := peer.chunk():
            arrived.append(chunk)
        peer.send(answer())

    def body() -> Iterator[bytes]:
        deadline = time.monotonic() + 30
        while len(arrived) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
            yield b"."

    session.exchange("PUT", f"{serve(script).url}/", body())
    assert len(arrived) > 2


@pytest.mark.parametrize("failure", [ClientGoneError("gone"), KeyboardInterrupt()])
def test_a_broken_iterator_ends_the_body_properly_and_goes_on(
    serve: Serve, session: UpstreamSession, failure: BaseException,
) -> None:
    upstream = serve(answering(answer(b"", "201 Created")))

    def body() -> Iterator[bytes]:
        yield b"all that"
        yield b" came"
        raise failure

    with pytest.raises(type(failure)) as caught:
        session.exchange("PUT", f"{upstream.url}/", body())
    assert caught.value is failure
    assert [request.body for request in upstream.requests] == [b"all that came"]
    session.exchange("PUT", f"{upstream.url}/", iter([b"next"]))
    assert upstream.connections == 1


def test_a_broken_iterator_is_told_even_where_the_server_breaks_too(
    serve: Serve, session: UpstreamSession,
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.reset()

    def body() -> Iterator[bytes]:
        yield b"some"
        raise ClientGoneError

    with pytest.raises(ClientGoneError):
        session.exchange("PUT", f"{serve(script).url}/", body())


@pytest.mark.parametrize("end", [Peer.reset, Peer.is_closed_by_client])
def test_an_early_refusal_stops_the_sending(
    serve: Serve, session: UpstreamSession, end: Callable[[Peer], object],
) -> None:
    def script(peer: Peer) -> None:
        peer.head()
        peer.chunk()
        peer.send(answer(b"no room", "403 Forbidden"))
        end(peer)

    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        for sent in count(1):
            yield bytes(100_000)
            time.sleep(0.002)
            assert sent < 2000

    upstream = serve(script)
    try:
        got = session.exchange("PUT", f"{upstream.url}/", body())
    except exceptions.ConnectionError:
        # A reset may overtake the answer in the kernel: then there is none to read.
        assert end is Peer.reset
    else:
        assert (got.status_code, got.content) == (403, b"no room")
    assert 0 < sent < 2000


def test_an_early_success_is_a_fault(serve: Serve, session: UpstreamSession) -> None:
    def script(peer: Peer) -> None:
        peer.head()
        peer.send(answer(b"", "201 Created"))
        peer.is_closed_by_client()

    def body() -> Iterator[bytes]:
        for _ in range(1000):
            yield bytes(100_000)
            time.sleep(0.002)

    with pytest.raises(BadAnswer, match="before the body was through"):
        session.exchange("PUT", f"{serve(script).url}/", body())


def test_an_interim_answer_does_not_stop_the_sending(
    serve: Serve, session: UpstreamSession,
) -> None:
    def script(peer: Peer) -> None:
        peer.head()
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        total = 0
        while chunk := peer.chunk():
            total += len(chunk)
        peer.send(answer(b"%d" % total, "201 Created"))

    def body() -> Iterator[bytes]:
        for _ in range(20):
            yield bytes(100_000)
            time.sleep(0.005)

    assert session.exchange("PUT", f"{serve(script).url}/", body()).content == b"2000000"


def test_a_server_that_takes_nothing_more_is_a_timeout(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.head()
        deadline = time.monotonic() + 5
        while not done and time.monotonic() < deadline:
            time.sleep(0.01)

    done: list[bool] = []
    with UpstreamSession(Limits(read_timeout=0.2)) as session, pytest.raises(
            exceptions.ReadTimeout):
        session.exchange("PUT", f"{serve(script).url}/", (bytes(1 << 20) for _ in range(100)))
    done.append(True)
