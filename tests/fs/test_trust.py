"""TLS towards a cluster: what is refused, and how it is told."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import UpstreamUnavailable
from app.core.paths import HdfsPath
from app.fs.trust import upstream_context
from app.fs.webhdfs import WebHdfsBackend
from app.settings import BackendSettings
from app.strict_yaml import ConfigError
from tests.hadoop.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.hadoop.certificates import Identity

ANSWER = (b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n'
          b'{"FileStatus":{}}')
DONE = ANSWER.replace(b'{"FileStatus":{}}', b'{"boolean": true}')


@contextmanager
def server(
    identity: Identity | None, prepare: Callable[[ssl.SSLContext], object] | None = None,
    *, said: bytes = ANSWER,
) -> Iterator[int]:
    """Serve one answer to all who ask, with TLS as `identity` (None: without); yield the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if identity:
        context.load_cert_chain(identity.certificate, identity.key)
    if prepare:
        prepare(context)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                answer(listener.accept()[0])

    def answer(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), closing(connection):
            connection.settimeout(20)
            secure = context.wrap_socket(connection, server_side=True) if identity else connection
            with closing(secure):
                secure.recv(65536)
                secure.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(30)


def backend(port: int, **settings: Any) -> WebHdfsBackend:
    return WebHdfsBackend(BackendSettings(
        url=(f"https://localhost:{port}",), retry_deadline=0.0, **settings))


def refusal(port: int, **settings: Any) -> str:
    with closing(backend(port, **settings)) as made, pytest.raises(UpstreamUnavailable) as caught:
        made.probe(20)
    return str(caught.value)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def test_who_is_trusted_is_talked_to(authority: Authority) -> None:
    with server(authority.identity("right", "localhost")) as port, closing(
            backend(port, ca_file=str(authority.file))) as made:
        made.probe(20)


def test_a_certificate_that_has_expired(authority: Authority) -> None:
    with server(authority.identity("old", "localhost", days=0.5)) as port:
        said = refusal(port, ca_file=str(authority.file))
    assert f"localhost:{port}: its certificate, or one that vouches for it, has expired" in said


def test_an_authority_that_has_expired(tmp_path: Path) -> None:
    gone = Authority(tmp_path, days=0.5)
    with server(gone.identity("new", "localhost")) as port:
        said = refusal(port, ca_file=str(gone.file))
    assert "its certificate, or one that vouches for it, has expired" in said


def test_of_several_servers_one_that_is_not_trusted_is_passed_over(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing was sent to it, so any call goes to the next, and to each once."""
    right = authority.identity("right", "localhost")
    with (server(Authority(tmp_path).identity("wrong", "localhost")) as other,
          server(right, said=DONE) as port,
          closing(WebHdfsBackend(BackendSettings(
              url=(f"https://localhost:{other}", f"https://localhost:{port}"), kind="namenode",
              ca_file=str(authority.file), retry_deadline=0.0))) as made):
        fs = made.as_user("alice")
        assert fs.delete(HdfsPath("/some/file"))
        assert fs.rename(HdfsPath("/some/file"), HdfsPath("/other"))
    told = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert len(told) == 1
    assert told[0].startswith(f"https://localhost:{other} is passed over: ")
    assert "the authority of its certificate is none that is trusted" in told[0]


def test_where_none_of_several_servers_is_trusted_that_is_told_at_once(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.fs.failover.time.sleep", pytest.fail)
    wrong = Authority(tmp_path).identity("wrong", "localhost")
    with (server(wrong) as one, server(wrong) as two,
          closing(WebHdfsBackend(BackendSettings(
              url=(f"https://localhost:{one}", f"https://localhost:{two}"), kind="namenode",
              ca_file=str(authority.file), retry_deadline=30.0))) as made,
          pytest.raises(UpstreamUnavailable, match="none that is trusted")):
        made.as_user("alice").delete(HdfsPath("/some/file"))


def test_another_name(authority: Authority) -> None:
    with server(authority.identity("elsewhere", "nn.example.net")) as port:
        said = refusal(port, ca_file=str(authority.file))
    assert "its certificate is for another name" in said
    assert "not valid for 'localhost'" in said


def test_another_authority(authority: Authority, tmp_path: Path) -> None:
    with server(Authority(tmp_path).identity("right", "localhost")) as port:
        said = refusal(port, ca_file=str(authority.file))
    assert "the authority of its certificate is none that is trusted (backend.ca_file)" in said


def test_no_tls_at_all(authority: Authority) -> None:
    with server(None) as port:
        said = refusal(port, ca_file=str(authority.file))
    assert "it does not speak TLS; is its URL one of http?" in said


def test_tls_that_is_too_old(authority: Authority) -> None:
    def old(context: ssl.SSLContext) -> None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1

    with server(authority.identity("ancient", "localhost"), old) as port:
        said = refusal(port, ca_file=str(authority.file))
    assert "it speaks no TLS of version 1.2 or newer" in said


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_certificate_of_the_client_is_shown_to_who_asks(
    authority: Authority, tmp_path: Path, version: ssl.TLSVersion,
) -> None:
    def demanding(context: ssl.SSLContext) -> None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority.file)
        context.maximum_version = version

    client = authority.identity("client")
    stranger = Authority(tmp_path).identity("stranger")
    trusted = {"ca_file": str(authority.file)}
    with server(authority.identity("strict", "localhost"), demanding) as port:
        for shown in ({}, {"client_cert": str(stranger.certificate),
                           "client_key": str(stranger.key)}):
            said = refusal(port, **trusted, **shown)
            assert "it takes no client without a certificate" in said
        both = tmp_path / "both.pem"
        both.write_bytes(client.certificate.read_bytes() + client.key.read_bytes())
        for shown in ({"client_cert": str(both)}, {"client_cert": str(client.certificate),
                                                   "client_key": str(client.key)}):
            with closing(backend(port, **trusted, **shown)) as made:
                made.probe(20)


def test_files_that_cannot_be_used(authority: Authority, tmp_path: Path) -> None:
    one, two = authority.identity("one"), authority.identity("two")
    sealed = authority.identity("sealed", password="not to be told")
    empty = tmp_path / "empty.pem"
    empty.touch()
    for settings, fault in (
        ({"ca_file": "/no/such"}, "backend.ca_file: '/no/such' holds no certificates"),
        ({"ca_file": str(empty)}, "holds no certificates that can be read"),
        ({"client_key": str(one.key)}, "'backend.client_cert' is not"),
        ({"client_cert": str(one.certificate)}, "hold no PEM certificate with its key"),
        ({"client_cert": "/no/such"}, "backend.client_cert: '/no/such' or '/no/such' cannot be"),
        ({"client_cert": str(one.certificate), "client_key": str(two.key)},
         "is not that of the certificate in"),
        ({"client_cert": str(sealed.certificate), "client_key": str(sealed.key)},
         r"has a passphrase: give one without \(`openssl pkey"),
    ):
        with pytest.raises(ConfigError, match=fault):
            upstream_context(BackendSettings(**settings))


def test_nothing_set_is_what_the_system_trusts() -> None:
    assert upstream_context(BackendSettings()) is None
