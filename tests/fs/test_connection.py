"""Answers of an upstream that is not trusted: what is taken, what is a fault, what is reused."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from requests import exceptions

from app.fs.http_faults import BadAnswer, NotSent, ShortBody
from app.fs.pool import Limits
from app.fs.transport import UpstreamSession
from tests.fs.upstream import Peer, Upstream, answer, answering, chunked

if TYPE_CHECKING:
    from collections.abc import Callable

    Serve = Callable[..., Upstream]


def saying(raw: bytes) -> Callable[[Peer], None]:
    """Return a script that answers one request and ends the connection."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(raw)

    return script


@pytest.mark.parametrize("raw", [answer(b"hello"), chunked(b"he", b"llo"), answer(b"")])
def test_one_connection_serves_many_calls(
    serve: Serve, session: UpstreamSession, raw: bytes,
) -> None:
    upstream = serve(answering(raw))
    bodies = [session.exchange("GET", f"{upstream.url}/{i}").content for i in range(3)]
    assert bodies == [b"" if raw == answer(b"") else b"hello"] * 3
    assert upstream.connections == 1
    assert [request.target for request in upstream.requests] == ["/0", "/1", "/2"]


def test_a_long_body_is_read_in_pieces_and_the_connection_reused(
    serve: Serve, session: UpstreamSession,
) -> None:
    content = os.urandom(700_000)
    upstream = serve(answering(answer(content), chunked(content[:500_000], content[500_000:])))
    for _ in range(2):
        got = session.exchange("GET", f"{upstream.url}/")
        pieces = list(iter(lambda got=got: got.read(64_000), b""))
        assert b"".join(pieces) == content
        assert max(map(len, pieces)) <= 64_000
    session.exchange("GET", f"{upstream.url}/").close()
    assert upstream.connections == 1


def test_a_body_that_is_given_up_costs_its_connection(
    serve: Serve, session: UpstreamSession,
) -> None:
    ended = []

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer(bytes(1000))[:-1])
        ended.append(peer.is_closed_by_client())

    upstream = serve(script)
    for _ in range(2):
        got = session.exchange("GET", f"{upstream.url}/")
        assert got.read(10)
        got.close()
        assert got.read(10) == b""
    deadline = time.monotonic() + 5
    while len(ended) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert ended == [True, True]
    assert upstream.connections == 2


def test_a_body_without_length_lasts_until_the_connection_ends(
    serve: Serve, session: UpstreamSession,
) -> None:
    upstream = serve(saying(b"HTTP/1.1 200 OK\r\n\r\nall of it"))
    assert session.exchange("GET", f"{upstream.url}/").content == b"all of it"
    assert session.exchange("GET", f"{upstream.url}/").content == b"all of it"
    assert upstream.connections == 2


def test_interim_answers_are_passed_over(serve: Serve, session: UpstreamSession) -> None:
    upstream = serve(answering(b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\n" + answer(b"x")))
    got = session.exchange("GET", f"{upstream.url}/")
    assert (got.status_code, got.content, "a" in got.headers) == (200, b"x", False)


@pytest.mark.parametrize("raw", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nshort",
])
def test_a_body_cut_short_is_a_fault(serve: Serve, session: UpstreamSession, raw: bytes) -> None:
    upstream = serve(saying(raw))
    got = session.exchange("GET", f"{upstream.url}/")
    with pytest.raises(ShortBody):
        got.limited(100)


@pytest.mark.parametrize("raw", [
    pytest.param(b"nonsense\r\n\r\n", id="no HTTP"),
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                 id="two lengths"),
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                 id="length and chunks"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nab", id="unknown coding"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", id="bad chunk"),
    pytest.param(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
                 id="upgrade"),
    pytest.param(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000, id="long head"),
    pytest.param(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", id="many fields"),
    pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" * 40, id="interim heads without end"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
                 + b"A: b\r\n" * 99_999, id="trailers without end"),
])
def test_what_is_not_http_is_a_fault(serve: Serve, session: UpstreamSession, raw: bytes) -> None:
    upstream = serve(saying(raw))
    with pytest.raises(BadAnswer):
        session.exchange("GET", f"{upstream.url}/").limited(100_000)


def test_more_content_than_the_limit_is_a_fault(serve: Serve, session: UpstreamSession) -> None:
    upstream = serve(answering(chunked(*[bytes(1000)] * 100)))
    with pytest.raises(BadAnswer, match="larger than 5000 bytes"):
        session.exchange("GET", f"{upstream.url}/").limited(5000)


def test_an_answer_nobody_asked_for_ends_the_connection(
    serve: Serve, session: UpstreamSession,
) -> None:
    upstream = serve(answering(answer(b"one") + answer(b"smuggled"), answer(b"two")))
    assert session.exchange("GET", f"{upstream.url}/").content == b"one"
    assert session.exchange("GET", f"{upstream.url}/").content == b"two"
    assert upstream.connections == 2


def test_words_on_an_idle_connection_end_it(serve: Serve, session: UpstreamSession) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer(b"good"))
        if peer.number == 0:
            peer.send(answer(b"late", "408 Request Timeout"))
        peer.request()

    upstream = serve(script)
    assert session.exchange("GET", f"{upstream.url}/").content == b"good"
    _wait_until_readable(session)
    assert session.exchange("GET", f"{upstream.url}/").content == b"good"
    assert upstream.connections == 2


def test_a_connection_that_the_server_closed_is_not_used(
    serve: Serve, session: UpstreamSession,
) -> None:
    upstream = serve(saying(answer(b"x")))
    for number in range(3):
        assert session.exchange("PUT", f"{upstream.url}/").content == b"x"
        _wait_until_readable(session)
        assert upstream.connections == number + 1


def test_connections_of_the_parent_process_are_left_alone(
    serve: Serve, session: UpstreamSession, monkeypatch: pytest.MonkeyPatch,
) -> None:
    upstream = serve(answering(answer(b"x")))
    session.exchange("GET", f"{upstream.url}/")
    monkeypatch.setattr("app.fs.pool.os.getpid", lambda: -1)
    session.exchange("GET", f"{upstream.url}/")
    session.exchange("GET", f"{upstream.url}/")
    assert upstream.connections == 2


def test_idle_connections_expire(serve: Serve) -> None:
    upstream = serve(answering(answer(b"x")))
    with UpstreamSession(Limits(pool_idle=0.0)) as session:
        session.exchange("GET", f"{upstream.url}/")
        session.exchange("GET", f"{upstream.url}/")
    assert upstream.connections == 2


def test_only_so_many_connections_are_kept(serve: Serve) -> None:
    upstream = serve(answering(answer(bytes(200_000))))
    with UpstreamSession(Limits(pool_size=2)) as session:
        for _ in range(2):
            for got in [session.exchange("GET", f"{upstream.url}/") for _ in range(4)]:
                assert len(got.content) == 200_000
    assert upstream.connections == 6


def test_nobody_listens(session: UpstreamSession) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(NotSent):
        session.exchange("GET", f"http://127.0.0.1:{port}/")


def test_no_such_host(session: UpstreamSession) -> None:
    with pytest.raises(NotSent):
        session.exchange("GET", "http://no-such-host.invalid:80/")


def test_a_reset_before_the_answer(serve: Serve, session: UpstreamSession) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.reset()

    with pytest.raises(exceptions.ConnectionError):
        session.exchange("GET", f"{serve(script).url}/")


def test_silence_is_a_timeout(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.is_closed_by_client()

    with UpstreamSession(Limits(read_timeout=0.1)) as session, pytest.raises(
            exceptions.ReadTimeout):
        session.exchange("GET", f"{serve(script).url}/")


def test_a_limited_call_ends_in_time_whatever_drips(
    serve: Serve, session: UpstreamSession,
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        for octet in b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000:
            peer.send(bytes([octet]))
            time.sleep(0.02)

    started = time.monotonic()
    with pytest.raises(exceptions.ReadTimeout):
        session.exchange("GET", f"{serve(script).url}/", seconds=0.3)
    assert time.monotonic() - started < 1.5


def test_a_limit_does_not_outlast_its_call(serve: Serve, session: UpstreamSession) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer(b"fast"))
        peer.request()
        time.sleep(0.5)
        peer.send(answer(b"slow"))
        peer.request()

    upstream = serve(script)
    assert session.exchange("GET", f"{upstream.url}/", seconds=0.4).content == b"fast"
    assert session.exchange("GET", f"{upstream.url}/").content == b"slow"
    assert upstream.connections == 1


def test_it_works_on_greenlets(serve: Serve) -> None:
    upstream = serve(answering(chunked(b"hel", b"lo")))
    program = (
        "from gevent import monkey; monkey.patch_all()\n"
        "import gevent, sys\n"
        "from app.fs.pool import Limits\n"
        "from app.fs.transport import UpstreamSession\n"
        "session = UpstreamSession(Limits())\n"
        "def call():\n"
        "    return session.exchange('PUT', sys.argv[1], iter([b'x' * 70_000] * 3)).content\n"
        "for _ in range(2):\n"
        "    jobs = gevent.joinall([gevent.spawn(call) for _ in range(20)], raise_error=True)\n"
        "    assert [job.value for job in jobs] == [b'hello'] * 20\n"
    )
    subprocess.run(
        [sys.executable, "-c", program, f"{upstream.url}/"], check=True, timeout=60)
    assert len(upstream.requests) == 40
    assert {len(request.body) for request in upstream.requests} == {210_000}
    assert upstream.connections < 40


def _wait_until_readable(session: UpstreamSession) -> None:
    """Wait until the idle connection has something to read, if only its end."""
    (pool, _), = session.get_adapter("http://x")._pools.values()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 5
    while pool._idle and pool._idle[-1].is_live():
        assert time.monotonic() < deadline
        time.sleep(0.005)
