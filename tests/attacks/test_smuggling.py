"""Requests that two readers could read in two ways: the gateway reads them in none.

Each ends in one refusal or one answer and a closed connection: what follows is never served, for
it may be another's request as a proxy sees it.
"""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.attacks.conftest import HEAD, PATIENCE, everything, said, statuses
from tests.contract.wire import Wire
from tests.deploy.front import SERVER_NAME, Certificate, Nginx
from tests.gateway import PASSWORD, Gateway, wait_for

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

pytestmark = pytest.mark.gunicorn

TARGET = b"/f/file/content?path=/user/alice/%b&overwrite=true"
PUT = b"PUT " + TARGET + b" HTTP/1.1\r\n" + HEAD + b"Content-Type: application/octet-stream\r\n"
HIDDEN = b"PUT " + TARGET % b"hidden" + b" HTTP/1.1\r\n" + HEAD + (
    b"Content-Type: application/octet-stream\r\nContent-Length: 0\r\n\r\n")
CHUNKED = b"Transfer-Encoding: chunked\r\n"
FRAMINGS = {
    "length-and-chunked": b"Content-Length: 5\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
    "chunked-and-length": CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n",
    "two-lengths": b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
    "same-length-twice": b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "length-list": b"Content-Length: 0, 5\r\n\r\n",
    "length-plus": b"Content-Length: +0\r\n\r\n",
    "length-minus": b"Content-Length: -1\r\n\r\n",
    "length-underscore": b"Content-Length: 1_0\r\n\r\n1234567890",
    "length-hex": b"Content-Length: 0x0\r\n\r\n",
    "length-unicode": b"Content-Length: \xb2\r\n\r\n",
    "length-empty": b"Content-Length:\r\n\r\n",
    "length-space-before-colon": b"Content-Length : 0\r\n\r\n",
    "length-underscored-name": b"Content_Length: 5\r\nContent-Length: 0, 0\r\n\r\n",
    "coding-unknown": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "coding-twice": CHUNKED + CHUNKED + b"\r\n0\r\n\r\n",
    "coding-not-last": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "coding-identity": b"Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n",
    "coding-tab": b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "coding-space-before-colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "coding-folded": b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "coding-quoted": b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "chunk-size-overflow": CHUNKED + b"\r\n10000000000000000\r\n\r\n0\r\n\r\n",
    "chunk-size-plus": CHUNKED + b"\r\n+0\r\n\r\n",
    "chunk-size-minus": CHUNKED + b"\r\n-1\r\n\r\n0\r\n\r\n",
    "chunk-size-hex": CHUNKED + b"\r\n0x0\r\n\r\n",
    "chunk-size-underscore": CHUNKED + b"\r\n0_0\r\n\r\n",
    "chunk-size-empty": CHUNKED + b"\r\n\r\n0\r\n\r\n",
    "chunk-size-space": CHUNKED + b"\r\n 0\r\n\r\n",
    "chunk-bare-lf": CHUNKED + b"\r\n0\n\n",
    "chunk-extension-lf": CHUNKED + b"\r\n0;a\nb\r\n\r\n",
    "chunk-extension-cr": CHUNKED + b"\r\n0;a\rb\r\n\r\n",
    "chunk-too-long": CHUNKED + b"\r\n1\r\nabc\r\n0\r\n\r\n",
    "trailer-with-length": CHUNKED + b"\r\n0\r\nContent-Length: 5\r\n\r\n",
    "trailer-who": CHUNKED + b"\r\n0\r\nAuthorization: Basic eDp5\r\n\r\n",
    "header-nul": b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "header-bare-cr": b"X: a\rTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
    "header-bare-lf": b"X: a\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
    "header-no-colon": b"X\r\nContent-Length: 0\r\n\r\n",
    "header-first-folded": b" X: y\r\nContent-Length: 0\r\n\r\n",
    "two-hosts": b"Host: elsewhere\r\nContent-Length: 0\r\n\r\n",
}
LINES = {
    "http-0.9": b"GET /f/home-directory\r\n\r\n",
    "http-2.0": b"GET /f/home-directory HTTP/2.0\r\n" + HEAD + b"\r\n",
    "http-1.1-more": b"GET /f/home-directory HTTP/1.1 x\r\n" + HEAD + b"\r\n",
    "spaces": b"GET  /f/home-directory  HTTP/1.1\r\n" + HEAD + b"\r\n",
    "tab": b"GET\t/f/home-directory\tHTTP/1.1\r\n" + HEAD + b"\r\n",
    "nul": b"GET /f/home-directory\0 HTTP/1.1\r\n" + HEAD + b"\r\n",
    "bare-lf": b"GET /f/home-directory HTTP/1.1\n" + HEAD.replace(b"\r", b"") + b"\n",
    "method": b"GET\x7f /f/home-directory HTTP/1.1\r\n" + HEAD + b"\r\n",
    "preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "octets": b"GET /f/\xe9 HTTP/1.1\r\n" + HEAD + b"\r\n",
}
SOUND = {"chunk-extension": CHUNKED + b'\r\n0;a=b;c="d;e"\r\n\r\n',
         "leading-zeros": CHUNKED + b"\r\n" + b"0" * 100 + b"\r\n\r\n"}


@pytest.mark.parametrize("form", FRAMINGS)
def test_framings(victim: Gateway, form: str) -> None:
    answers = said(victim, PUT % form.encode() + FRAMINGS[form] + HIDDEN)
    assert len(statuses(answers)) <= 1 or form == "coding-identity", answers
    assert all(400 <= status <= 501 for status in statuses(answers)), answers
    assert _listed(victim, "hidden", form) == []


@pytest.mark.parametrize("form", LINES)
def test_request_lines(victim: Gateway, form: str) -> None:
    answers = said(victim, LINES[form] + HIDDEN)
    assert all(400 <= status <= 505 for status in statuses(answers)), answers
    assert len(statuses(answers)) <= 1, answers
    assert _listed(victim, "hidden") == []


@pytest.mark.parametrize("form", SOUND)
def test_unusual_framings_that_have_one_reading(victim: Gateway, form: str) -> None:
    request = PUT % form.encode() + SOUND[form]
    last = b"GET /f/home-directory HTTP/1.1\r\nConnection: close\r\n" + HEAD + b"\r\n"
    assert statuses(said(victim, request + last))[1:] == [200]
    assert _listed(victim, form) == [form]


def test_a_whole_url_is_read_as_its_path_and_names_no_host(victim: Gateway) -> None:
    for url in (b"http://elsewhere.example/f/home-directory", b"HTTP://a:b@c/f/home-directory"):
        request = b"GET " + url + b" HTTP/1.1\r\nConnection: close\r\n" + HEAD + b"\r\n"
        answer = said(victim, request)
        assert statuses(answer) in ([200], [400])
        assert b"elsewhere" not in answer


def test_what_follows_a_refused_body_is_not_a_request(victim: Gateway) -> None:
    """The body of a refused upload holds a request; it is dropped, or the connection ends."""
    inner = HIDDEN
    for size in (len(inner), 10_000_000):
        request = (b"PUT /f/file/content?path=/user/bob/not-mine HTTP/1.1\r\n" + HEAD
                   + b"Content-Type: application/octet-stream\r\n"
                   + b"Content-Length: %d\r\n\r\n" % size + inner)
        with socket.create_connection(("127.0.0.1", victim.port), timeout=PATIENCE) as client:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            assert len(statuses(everything(client))) == 1
    assert _listed(victim, "hidden") == []


def test_pipelined_answers_come_in_order(victim: Gateway) -> None:
    """Fifty requests at once, some with bodies, some refused: each has its own answer."""
    with Wire(victim) as wire:
        pieces = []
        for number in range(50):
            path = "/user/alice" if number % 2 else f"/missing-{number}"
            pieces.append(b"GET /f/file/status?path=" + path.encode() + b" HTTP/1.1\r\n" + HEAD
                          + b"\r\n")
        wire.socket.sendall(b"".join(pieces))
        for number in range(50):
            answer = wire.answer()
            assert answer.status == (200 if number % 2 else 404)
            assert number % 2 or f'/missing-{number}"' in answer.body.decode()


# --- behind nginx


@pytest.fixture(scope="module")
def front(victim: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """Yield nginx before the gateway, with the configuration that is deployed."""
    certificate = Certificate(tmp_path_factory.mktemp("certificate"))
    with Nginx(tmp_path_factory.mktemp("nginx"), victim, certificate) as nginx:
        yield nginx


def test_through_nginx_nothing_is_smuggled(victim: Gateway, front: Nginx) -> None:
    """nginx's connections to the gateway serve many clients: one's request is never another's.

    After each form somebody else asks, over the same connections, and gets their own answer; and
    the gateway has served no request of which nginx does not know.
    """
    started, answered = len(victim.audit()), 0
    forms = [PUT % name.encode() + framing for name, framing in FRAMINGS.items()]
    with front_client(front) as probe:
        for number, request in enumerate([*forms, *LINES.values()]):
            with front_client(front) as client:
                client.sendall(request + HIDDEN)
                client.settimeout(0.2)
                answered += len(statuses(_until_silent(client)))
            probe.sendall(b"GET /f/file/status?path=/mine-%d HTTP/1.1\r\n%b\r\n" % (number, HEAD))
            own = probe.recv(65536)
            answered += 1
            assert statuses(own) == [404], own
            assert b"/mine-%d" % number in own, own
    last = front.curl("--user", f"someone:{PASSWORD}", f"{front.url}/f/file/status?path=/last")
    assert b"/last" in last
    wait_for("the last line", lambda: "/last" in {line["path"] for line in victim.audit()})
    served = [line for line in victim.audit()[started:] if line["operation"] != "malformed"]
    assert len(forms) < len(served) <= answered + 1


def front_client(front: Nginx) -> ssl.SSLSocket:
    """Return a TLS connection to nginx that speaks HTTP/1.1."""
    plain = socket.create_connection(("127.0.0.1", front.port), timeout=PATIENCE)
    return front.certificate.context().wrap_socket(plain, server_hostname=SERVER_NAME)


def _until_silent(client: ssl.SSLSocket) -> bytes:
    """Return what comes until nothing more does for a moment, or the end."""
    received = b""
    with suppress(TimeoutError, OSError):
        while piece := client.recv(65536):
            received += piece
    return received


def test_refusals_of_malformed_requests_stand_in_the_audit_log(victim: Gateway) -> None:
    """Who, when and why; nothing of what was sent."""
    before = len(victim.audit())
    said(victim, b"GET /f/home-directory?signature=s3cr3t-a b HTTP/1.1\r\n\r\n")
    said(victim, b"GET / HTTP/1.1\r\nAuthorization Basic s3cr3t-b\r\n\r\n")
    said(victim, b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n")

    def written() -> list[dict[str, object]]:
        lines = [line for line in victim.audit()[before:] if line["operation"] == "malformed"]
        return lines if len(lines) == 3 else []

    lines = wait_for("three lines", written)
    assert [line["status"] for line in lines] == [400, 400, 414]
    assert [line["error"] for line in lines] == [
        "InvalidHTTPVersion", "InvalidHeader", "LimitRequestLine"]
    assert {line["address"] for line in lines} == {"127.0.0.1"}
    assert "s3cr3t" not in json.dumps(lines)
    assert "s3cr3t" not in victim.logged()


def _listed(gateway: Gateway, *names: str) -> list[str]:
    """Return which of these names are files in the home directory."""
    answer = gateway.request("GET", "/f/listing", params={"path": "/user/alice"})
    there = {status["pathSuffix"] for status in answer.json()["result"]["statuses"]}
    return [name for name in names if name in there]
