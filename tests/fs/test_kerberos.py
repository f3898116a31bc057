"""Negotiations, cookies and their ends, against a scripted server."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from app.core.errors import InvalidParameter, UpstreamFault, UpstreamUnavailable
from app.core.paths import HdfsPath
from app.fs import kerberos
from app.fs.authentication import upstream_auth
from app.fs.kerberos_faults import KerberosFault
from app.fs.webhdfs import WebHdfsBackend
from app.settings import BackendSettings
from app.strict_yaml import ConfigError
from tests.fs.kerberos_scene import Secured, Tickets, backend_with
from tests.fs.upstream import Upstream, answer, answering, remote
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.fs.transport import UpstreamSession

    Serve = Callable[..., Upstream]

PATH = HdfsPath("/some/file")
AWAY = KerberosFault("no KDC of the realm answers", "Cannot contact any KDC", passing=True)


@pytest.fixture
def session(session: UpstreamSession) -> Iterator[UpstreamSession]:
    """Yield the session; it is closed when the last negotiation over it has ended."""
    yield session
    wait_for("the end of negotiations", lambda: "httpfs-proxy-kerberos" not in {
        thread.name for thread in threading.enumerate()})


def test_one_negotiation_serves_many_threads_and_users(
    serve: Serve, session: UpstreamSession,
) -> None:
    server, tickets = Secured(), Tickets()
    backend = backend_with(tickets, session, [serve(server).url])
    tickets.hold.clear()
    with ThreadPoolExecutor(40) as many:
        asked = [many.submit(backend.as_user(f"user{i % 5}").status, PATH) for i in range(40)]
        wait_for("the login asked", lambda: tickets.asked)
        tickets.hold.set()
        assert all(one.result().length == 5 for one in asked)
    assert (server.negotiated, tickets.asked) == (1, ["127.0.0.1"])
    assert tickets.finished == [b"the server's proof"]
    assert {one.target.partition("doas=")[2] for one in server.others} == {
        f"user{i}" for i in range(5)}
    assert all("authorization" not in one.headers for one in server.others)


def test_the_gateway_s_own_user_is_not_impersonated(
    serve: Serve, session: UpstreamSession,
) -> None:
    server = Secured()
    backend = backend_with(Tickets(), session, [serve(server).url])
    backend.as_user("gateway").status(PATH)
    assert server.others[0].target.endswith("&user.name=gateway")
    with pytest.raises(InvalidParameter):
        backend.as_user("alice&doas=hdfs")


@pytest.mark.parametrize("ahead", [0, 7200, -7200], ids=["in time", "ahead", "behind"])
def test_a_cookie_is_replaced_before_the_end_that_the_server_s_clock_sets(
    serve: Serve, session: UpstreamSession, ahead: int,
) -> None:
    server = Secured(life=2, ahead=ahead)
    files = backend_with(Tickets(), session, [serve(server).url]).as_user("alice")
    began = time.monotonic()
    while server.negotiated < 3:
        files.status(PATH)
        assert time.monotonic() - began < 60
    assert time.monotonic() - began > 2


def test_an_idle_gateway_does_not_show_a_cookie_that_has_ended(
    serve: Serve, session: UpstreamSession, monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Secured(life=3600)
    upstream = serve(server)
    files = backend_with(Tickets(), session, [upstream.url]).as_user("alice")
    files.status(PATH)
    later = time.monotonic() + 3600
    monkeypatch.setattr(kerberos.time, "monotonic", lambda: later)
    server.forget()
    before = len(upstream.requests)
    files.status(PATH)
    assert server.negotiated == 2
    assert len(upstream.requests) - before == 2


def test_a_call_that_a_server_does_not_know_any_more_is_made_again(
    serve: Serve, session: UpstreamSession,
) -> None:
    server = Secured()
    files = backend_with(Tickets(), session, [serve(server).url]).as_user("alice")
    files.status(PATH)
    server.forget()
    assert files.delete(PATH)
    assert server.negotiated == 2
    assert ["op=DELETE" in one.target for one in server.others] == [False, True]


def test_a_body_is_not_sent_to_a_server_that_has_forgotten_the_gateway(
    serve: Serve, session: UpstreamSession, monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Secured()
    upstream = serve(server)
    files = backend_with(Tickets(), session, [upstream.url], kind="httpfs").as_user("alice")
    files.status(PATH)
    server.forget()
    monkeypatch.setattr(kerberos, "PROVEN_SECONDS", 0.0)
    with pytest.raises(UpstreamFault, match="status 200 where 201 was due"):
        files.create(PATH, iter([b"content"]))
    sent = [one for one in upstream.requests if one.method == "PUT"]
    assert [one.body for one in sent] == [b"content"]
    assert server.negotiated == 2


def test_nor_is_another_s_body_while_that_is_found_out(
    serve: Serve, session: UpstreamSession, monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, found_out = Secured(), threading.Event()
    upstream = serve(server)
    files = backend_with(Tickets(), session, [upstream.url], kind="httpfs").as_user("alice")
    files.status(PATH)
    server.forget()
    server.before = lambda request: "authorization" in request.headers or found_out.wait(20)
    monkeypatch.setattr(kerberos, "time", SimpleNamespace(
        monotonic=lambda: time.monotonic() + kerberos.PROVEN_SECONDS))
    before = len(upstream.requests)
    with ThreadPoolExecutor(2) as both:
        writing = [both.submit(files.create, PATH, iter([b"content"])) for _ in range(2)]
        wait_for("both asked", lambda: len(upstream.requests) - before == 2)
        found_out.set()
        for one in writing:
            with pytest.raises(UpstreamFault, match="status 200 where 201 was due"):
                one.result()


def test_datanodes_are_shown_nothing(serve: Serve, session: UpstreamSession) -> None:
    datanode = serve(answering(answer(b"hello")))
    server = Secured()
    name_node = serve(server)
    location = f"{datanode.url}/webhdfs/v1{PATH}?op=OPEN&delegation=TOKEN"
    ordinary = server._answer

    def redirecting(request: object) -> bytes:
        said = ordinary(request)  # type: ignore[arg-type]
        return said if "op=OPEN" not in request.target else answer(  # type: ignore[attr-defined]
            b"", "307 Temporary Redirect", f"Location: {location}")

    server._answer = redirecting  # type: ignore[method-assign,assignment]
    files = backend_with(Tickets(), session, [name_node.url]).as_user("alice")
    source = files.open(PATH, 0, 5, file_id=1)
    assert source.read(5) == b"hello"
    source.close()
    (read,) = datanode.requests
    assert not {"cookie", "authorization"} & read.headers.keys()


def test_a_failure_is_told_to_all_and_the_kdc_not_asked_by_each(
    serve: Serve, session: UpstreamSession, caplog: pytest.LogCaptureFixture,
) -> None:
    server, tickets = Secured(), Tickets(AWAY)
    files = backend_with(tickets, session, [serve(server).url]).as_user("alice")
    with caplog.at_level(logging.ERROR, "app.fs.kerberos"):
        for _ in range(5):
            with pytest.raises(UpstreamUnavailable, match="no KDC of the realm answers"):
                files.status(PATH)
    assert len(tickets.asked) == 1
    (line,) = caplog.records
    assert "Cannot contact any KDC" in line.getMessage()

    def served() -> bool:
        try:
            return files.status(PATH).length == 5
        except UpstreamUnavailable:
            return False

    wait_for("the next try", served)


def test_nobody_waits_longer_than_for_a_connection_and_the_login_goes_on(
    serve: Serve, session: UpstreamSession,
) -> None:
    server, tickets = Secured(), Tickets()
    files = backend_with(
        tickets, session, [serve(server).url], connect_timeout=0.2).as_user("alice")
    tickets.hold.clear()
    for _ in range(3):
        with pytest.raises(UpstreamUnavailable, match="has answered in time"):
            files.status(PATH)
    tickets.hold.set()
    wait_for("the cookie", lambda: server.negotiated)
    wait_for("an answer", lambda: files.status(PATH).length == 5)
    assert len(tickets.asked) == 1


@pytest.mark.parametrize(("said", "told"), [
    ("GSSException: Failure unspecified (Mechanism level: Clock skew too great (37))", "clocks"),
    ("GSSException: Failure unspecified (Mechanism level: Checksum failed)", "server's keytab"),
    ("GSSException: Specified version of key is not available (44)", "lacks the present key"),
    ("org.apache.hadoop.security.…$NoMatchingRule: No rules applied to gateway/…", "auth_to_local"),
    ("something else", "does not accept the gateway's Kerberos ticket"),
])
def test_a_server_s_refusal_is_explained(
    serve: Serve, session: UpstreamSession, said: str, told: str,
) -> None:
    tickets = Tickets()
    refusal = answer(f"<html>{said}</html>".encode(), "403 Forbidden")
    files = backend_with(tickets, session, [serve(answering(refusal)).url]).as_user("alice")
    with pytest.raises(UpstreamFault, match=told):
        files.status(PATH)
    # Tickets may be older than the server's key: it was tried with new ones.
    assert (tickets.forgotten, len(tickets.asked)) == (1, 2)


@pytest.mark.parametrize("proof", ["", "not base64!"])
def test_a_server_must_prove_itself(serve: Serve, session: UpstreamSession, proof: str) -> None:
    files = backend_with(
        Tickets(), session, [serve(Secured(proof=proof)).url]).as_user("alice")
    with pytest.raises(UpstreamFault, match="did not prove who it is"):
        files.status(PATH)


def test_a_server_without_kerberos_is_told_from_one_that_refuses(
    serve: Serve, session: UpstreamSession,
) -> None:
    upstream = serve(answering(answer(b'{"Path": "/user/dr.who"}')))
    files = backend_with(Tickets(), session, [upstream.url]).as_user("alice")
    with pytest.raises(UpstreamFault, match="serves without Kerberos"):
        files.status(PATH)


def test_the_next_server_is_asked_where_one_is_away_standby_or_unknown_to_the_kdc(
    serve: Serve, session: UpstreamSession,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        away = f"http://127.0.0.1:{closed.getsockname()[1]}"
    unknown = KerberosFault("the KDC does not know …", of_server=True)
    standby = serve(answering(remote("StandbyException")))
    server = Secured()
    tickets = Tickets(unknown, unknown)
    backend = backend_with(
        tickets, session, ["http://localhost:1", away, standby.url, serve(server).url])
    assert backend.as_user("alice").status(PATH).length == 5
    assert server.negotiated == 1


def test_what_is_set_by_half_or_cannot_work_is_a_configuration_error(
    session: UpstreamSession, monkeypatch: pytest.MonkeyPatch,
) -> None:
    for half in ({"principal": "gateway"}, {"keytab": "/some/file"}):
        with pytest.raises(ConfigError, match=r"backend\.(keytab|principal): is needed"):
            WebHdfsBackend(BackendSettings(url=("http://localhost:1",), **half))
    monkeypatch.setitem(sys.modules, "gssapi", None)
    settings = BackendSettings(url=("http://localhost:1",), principal="gateway", keytab="/f")
    with pytest.raises(ConfigError, match=r"httpfs-proxy\[kerberos\].*libkrb5-dev"):
        upstream_auth(settings, session)


def test_a_cookie_shows_in_no_text(serve: Serve, session: UpstreamSession) -> None:
    backend = backend_with(Tickets(), session, [serve(Secured()).url])
    backend.as_user("alice").status(PATH)
    auth = backend._cluster.auth
    assert isinstance(auth, kerberos.KerberosAuth)
    (cookie,) = auth._cookies.values()
    assert "hadoop.auth" not in repr(cookie) + str(cookie) + repr(auth) + backend.description
