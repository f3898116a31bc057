"""The session as `requests` knows it: adapters of others, requests-mock, TLS."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest
import requests_mock
from requests import exceptions

from app.core.errors import PathNotFound, UpstreamError, UpstreamTimeout, UpstreamUnavailable
from app.core.paths import HdfsPath
from app.fs.transport import UpstreamSession
from app.strict_yaml import ConfigError
from tests.deploy.front import Certificate
from tests.fs.conftest import LIMITS, backend_at
from tests.fs.upstream import STATUS, Peer, Upstream, answer, answering, chunked
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Serve = Callable[..., Upstream]

URL = "http://namenode.example.net:9870"
PATH = HdfsPath("/user/alice/f")


def test_requests_mock_takes_the_calls() -> None:
    fs = backend_at(URL, retry_deadline=0).as_user("alice")
    with requests_mock.Mocker() as mock:
        mock.get(f"{URL}/webhdfs/v1{PATH}?op=GETFILESTATUS", json={"FileStatus": STATUS})
        assert fs.status(PATH).length == 5
        assert mock.last_request is not None
        assert mock.last_request.qs == {"op": ["getfilestatus"], "user.name": ["alice"]}
        mock.get(f"{URL}/webhdfs/v1{PATH}?op=GETFILESTATUS", status_code=404, json={
            "RemoteException": {"exception": "FileNotFoundException", "message": "File x"}})
        with pytest.raises(PathNotFound):
            fs.status(PATH)
        mock.get(requests_mock.ANY, exc=exceptions.ConnectTimeout)
        with pytest.raises(UpstreamTimeout):
            fs.status(PATH)
        mock.get(requests_mock.ANY, exc=exceptions.ConnectionError)
        with pytest.raises(UpstreamUnavailable):
            fs.status(PATH)


def test_requests_mock_streams_both_ways() -> None:
    fs = backend_at(URL).as_user("alice")
    datanode = "http://datanode.example.net:9864"
    with requests_mock.Mocker() as mock:
        for method in ("GET", "PUT"):
            mock.register_uri(method, f"{URL}/webhdfs/v1{PATH}", status_code=307, headers={
                "Location": f"{datanode}/webhdfs/v1{PATH}?op=X"})
        mock.register_uri("GET", f"{URL}/webhdfs/v1/.reserved/.inodes/7", status_code=307,
                          headers={"Location": f"{datanode}/webhdfs/v1/x?op=X"})
        mock.get(f"{datanode}/webhdfs/v1/.reserved/.inodes/7", content=b"hello")
        mock.put(f"{datanode}/webhdfs/v1{PATH}", status_code=201)
        fs.create(PATH, iter([b"a", b"b"]))
        source = fs.open(PATH, 0, 5, 7)
        assert [source.read(3), source.read(3), source.read(3)] == [b"hel", b"lo", b""]


def test_a_mounted_adapter_is_used() -> None:
    with UpstreamSession(LIMITS) as session:
        adapter = requests_mock.Adapter()
        adapter.register_uri("GET", f"{URL}/x", text="from the adapter")
        session.mount(URL, adapter)
        assert session.exchange("GET", f"{URL}/x").content == b"from the adapter"


def test_a_connection_in_use_when_the_session_is_closed_is_closed_when_it_is_free(
    serve: Serve, session: UpstreamSession,
) -> None:
    """One who negotiates in the background may be in the middle of it."""
    closed = []

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            peer.send(answer(b"here"))
        closed.append(peer.number)

    upstream = serve(script)
    assert session.exchange("GET", f"{upstream.url}/x").content == b"here"
    session.close()
    wait_for("the end of the idle connection", lambda: closed == [0])
    assert session.exchange("GET", f"{upstream.url}/x").content == b"here"
    wait_for("the end of the late one", lambda: closed == [0, 1])


def test_requests_own_methods_work_and_follow_redirects(
    serve: Serve, session: UpstreamSession,
) -> None:
    target = serve(answering(chunked(b"there")))
    upstream = serve(answering(
        answer(b"", "302 Found", f"Location: {target.url}/b", "Set-Cookie: hadoop.auth=alice"),
        answer(json.dumps([1]).encode())))
    assert session.get(f"{upstream.url}/a").text == "there"
    response = session.post(f"{upstream.url}/c?x=1", data="text", headers={"X-Own": "1"})
    assert response.json() == [1]
    request = upstream.requests[-1]
    assert (request.method, request.target, request.body, request.headers["x-own"]) == (
        "POST", "/c?x=1", b"text", "1")
    assert "cookie" not in request.headers
    with session.get(f"{target.url}/", stream=True) as streamed:
        assert b"".join(streamed.iter_content(2)) == b"there"


def test_tls_certificates_are_checked(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    openssl = shutil.which("openssl")
    assert openssl, "this test needs the program openssl"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    upstream = serve(answering(answer(bytes(300_000)), chunked(b"ab", b"c")),
                     wrap=lambda sock: context.wrap_socket(sock, server_side=True))
    url = f"https://localhost:{upstream.port}/"
    with UpstreamSession(LIMITS) as session, pytest.raises(exceptions.SSLError):
        session.exchange("GET", url)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with UpstreamSession(LIMITS) as session:
        assert len(session.exchange("GET", url).content) == 300_000
        body = iter([b"x" * 10, b"y" * 200_000])
        assert session.exchange("PUT", url, body).content == b"abc"
        with pytest.raises(exceptions.SSLError):
            session.exchange("GET", f"https://127.0.0.1:{upstream.port}/")
    assert len(upstream.requests[1].body) == 200_010


def test_a_ca_file_counts_alone(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    own, foreign = (Certificate(tmp_path / name) for name in ("own", "foreign"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own.file, own.key)
    told = answer(json.dumps({"FileStatus": STATUS}).encode())
    upstream = serve(answering(told), wrap=lambda sock: context.wrap_socket(
        sock, server_side=True))

    def length(ca_file: Path) -> int:
        backend = backend_at(f"https://localhost:{upstream.port}", ca_file=str(ca_file))
        return backend.as_user("alice").status(PATH).length

    monkeypatch.setenv("SSL_CERT_FILE", str(own.file))
    with pytest.raises(UpstreamError, match="CERTIFICATE_VERIFY_FAILED"):
        length(foreign.file)
    monkeypatch.setenv("SSL_CERT_FILE", str(foreign.file))
    assert length(own.file) == 5
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_ca_file_that_is_none_is_told_at_the_start(
    tmp_path: Path, content: bytes | None,
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"backend\.ca_file.*ca\.pem"):
        backend_at("https://localhost:1", ca_file=str(file))
