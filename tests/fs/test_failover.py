"""Which calls are made again, where, and until when."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from app.core.errors import (
    AccessDenied,
    UpstreamError,
    UpstreamFault,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from app.core.paths import HdfsPath
from app.fs import failover
from tests.fs.conftest import backend_at
from tests.fs.upstream import Peer, Upstream, answer, answering, remote, status_answer
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.fs.filesystem import WebHdfsFileSystem

    Serve = Callable[..., Upstream]

PATH = HdfsPath("/some/file")
STANDBY = remote("StandbyException", "Operation category READ is not supported in state standby")
TRUE = answer(json.dumps({"boolean": True}).encode())


@pytest.fixture
def nobody() -> str:
    """Return a URL where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


def resetting(first: int) -> Callable[[Peer], None]:
    """Return a script that resets the first connections after their request, then serves."""

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            if peer.number < first:
                return peer.reset()
            peer.send(TRUE)
        return None

    return script


def test_the_next_server_is_asked_where_one_is_standby_and_stays_the_one(serve: Serve) -> None:
    standby, active = serve(answering(STANDBY)), serve(answering(status_answer()))
    backend = backend_at(standby.url, active.url)
    backend.as_user("alice").status(PATH)
    backend.as_user("bob").status(PATH)
    assert (len(standby.requests), len(active.requests)) == (1, 2)


def test_a_standby_did_nothing_so_any_call_goes_on(serve: Serve) -> None:
    standby, active = serve(answering(STANDBY)), serve(answering(TRUE))
    assert backend_at(standby.url, active.url).as_user("alice").delete(PATH)
    assert len(active.requests) == 1


def test_a_server_that_is_away_is_passed_over_by_any_call(serve: Serve, nobody: str) -> None:
    active = serve(answering(TRUE))
    backend = backend_at(nobody, active.url, retry_deadline=0)
    assert backend.as_user("alice").delete(PATH)
    assert backend.as_user("alice").rename(PATH, HdfsPath("/other"))
    assert len(active.requests) == 2


def test_what_may_have_happened_is_not_asked_again(serve: Serve) -> None:
    upstream = serve(resetting(1))
    with pytest.raises(UpstreamUnavailable):
        backend_at(upstream.url).as_user("alice").delete(PATH)
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("fault", [
    remote("RetriableException"), remote("SafeModeException", "Name node is in safe mode.")])
def test_safe_mode_did_nothing_so_any_call_waits_for_its_end(serve: Serve, fault: bytes) -> None:
    upstream = serve(answering(fault, fault, TRUE))
    assert backend_at(upstream.url).as_user("alice").delete(PATH)
    assert len(upstream.requests) == 3


def test_a_body_does_not_wait_in_safe_mode(serve: Serve) -> None:
    upstream = serve(answering(remote("SafeModeException"), answer(b"", "201 Created")))
    with pytest.raises(UpstreamUnavailable):
        backend_at(upstream.url, kind="httpfs").as_user("alice").create(PATH, iter([b"once"]))
    assert len(upstream.requests) == 1


def test_a_repeatable_call_is_made_again_after_a_reset(serve: Serve) -> None:
    upstream = serve(resetting(2))
    backend_at(upstream.url).as_user("alice").mkdirs(PATH)
    assert len(upstream.requests) == 3


@pytest.mark.parametrize("fault", [
    remote("RetriableException"), remote("SafeModeException"), STANDBY])
def test_a_repeatable_call_waits_for_the_server(serve: Serve, fault: bytes) -> None:
    upstream = serve(answering(fault, fault, status_answer(length=7)))
    assert backend_at(upstream.url).as_user("alice").status(PATH).length == 7


def test_waiting_ends_at_the_deadline(serve: Serve) -> None:
    upstream = serve(answering(remote("SafeModeException")))
    started = time.monotonic()
    with pytest.raises(UpstreamUnavailable):
        backend_at(upstream.url, retry_deadline=0.4).as_user("alice").status(PATH)
    assert time.monotonic() - started < 1
    assert len(upstream.requests) > 2


def test_retries_can_be_off(serve: Serve) -> None:
    upstream = serve(answering(remote("SafeModeException")))
    with pytest.raises(UpstreamUnavailable):
        backend_at(upstream.url, retry_deadline=0).as_user("alice").status(PATH)
    assert len(upstream.requests) == 1


def test_errors_that_will_stay_are_told_at_once(serve: Serve) -> None:
    upstream = serve(answering(remote("AccessControlException", "Permission denied: user=a")))
    with pytest.raises(AccessDenied):
        backend_at(upstream.url).as_user("alice").status(PATH)
    assert len(upstream.requests) == 1


def test_a_server_too_slow_is_not_asked_again(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.is_closed_by_client()

    upstream = serve(script)
    with pytest.raises(UpstreamTimeout):
        backend_at(upstream.url, read_timeout=0.1).as_user("alice").status(PATH)
    assert upstream.connections == 1


def hanging(peer: Peer) -> None:
    """Take requests, and answer none."""
    peer.request()
    peer.is_closed_by_client()


def times_out(fs: WebHdfsFileSystem) -> None:
    with pytest.raises(UpstreamTimeout):
        fs.status(PATH)


def test_after_a_server_was_too_slow_the_next_is_asked(serve: Serve) -> None:
    slow, active = serve(hanging), serve(answering(status_answer(length=7)))
    fs = backend_at(slow.url, active.url, read_timeout=0.1).as_user("alice")
    with pytest.raises(UpstreamTimeout):
        fs.status(PATH)
    assert fs.status(PATH).length == 7
    assert slow.connections == 1


def test_a_call_does_not_wait_behind_others_for_a_silent_server(
    serve: Serve, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(failover, "SILENCE", 0.0)
    silent, active = serve(hanging), serve(answering(TRUE))
    fs = backend_at(silent.url, active.url, read_timeout=5.0).as_user("alice")
    waiting = threading.Thread(target=times_out, args=[fs])
    waiting.start()
    wait_for("a call that waits", lambda: silent.requests)
    wait_for("a call that need not wait", lambda: fs.delete(PATH) and active.requests)
    assert waiting.is_alive()
    waiting.join(30)


def test_who_is_slow_and_alone_is_asked_on(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failover, "SILENCE", 0.0)

    def first_silent(peer: Peer) -> None:
        return hanging(peer) if peer.number == 0 else answering(TRUE)(peer)

    active, standby = serve(first_silent), serve(answering(STANDBY))
    fs = backend_at(active.url, standby.url, read_timeout=5.0).as_user("alice")
    waiting = threading.Thread(target=times_out, args=[fs])
    waiting.start()
    wait_for("a call that waits", lambda: active.requests)
    wait_for("others are served", lambda: fs.delete(PATH) and standby.requests)
    waiting.join(30)


def test_all_away(nobody: str) -> None:
    with pytest.raises(UpstreamUnavailable):
        backend_at(nobody, nobody, retry_deadline=0.1).as_user("alice").status(PATH)


def test_nonsense_is_a_fault(serve: Serve) -> None:
    upstream = serve(answering(answer(b"<html>", "500 Server Error")))
    with pytest.raises(UpstreamFault):
        backend_at(upstream.url).as_user("alice").status(PATH)


def test_a_body_is_sent_once(serve: Serve) -> None:
    upstream = serve(answering(STANDBY, answer(b"", "201 Created")))
    backend = backend_at(upstream.url, kind="httpfs")
    with pytest.raises(UpstreamUnavailable):
        backend.as_user("alice").create(PATH, iter([b"once"]))
    assert [request.body for request in upstream.requests] == [b"once"]


def test_a_body_waits_where_nobody_listens(serve: Serve, nobody: str) -> None:
    upstream = serve(answering(answer(b"", "201 Created")))
    backend = backend_at(nobody, upstream.url, kind="httpfs")
    backend.as_user("alice").create(PATH, iter([b"whole"]))
    assert [request.body for request in upstream.requests] == [b"whole"]
    assert "data=true" in upstream.requests[0].target


def test_the_probe_asks_each_server_once(serve: Serve, nobody: str) -> None:
    standby, active = serve(answering(STANDBY)), serve(answering(status_answer()))
    backend_at(nobody, standby.url, active.url).probe(2.0)
    with pytest.raises(UpstreamUnavailable):
        backend_at(nobody, standby.url).probe(2.0)
    assert (len(standby.requests), len(active.requests)) == (2, 1)


def test_the_probe_ends_in_time(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.is_closed_by_client()

    slow = [serve(script).url for _ in range(3)]
    started = time.monotonic()
    with pytest.raises(UpstreamError):
        backend_at(*slow, read_timeout=60).probe(0.5)
    assert time.monotonic() - started < 1.5


def test_who_asks(serve: Serve) -> None:
    upstream = serve(answering(status_answer()))
    backend_at(upstream.url).as_user("alice").status(PATH)
    backend_at(upstream.url, service_user="gateway").as_user("alice").status(PATH)
    backend_at(upstream.url, service_user="alice").as_user("alice").status(PATH)
    queries = [request.target.partition("?")[2] for request in upstream.requests]
    assert queries == ["op=GETFILESTATUS&user.name=alice",
                       "op=GETFILESTATUS&user.name=gateway&doas=alice",
                       "op=GETFILESTATUS&user.name=alice"]
