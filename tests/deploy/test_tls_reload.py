"""Certificates while gunicorn runs: new ones and broken ones, and handshakes that never end."""

from __future__ import annotations

import hashlib
import os
import signal as signals
import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from tests.deploy.authority import Authority
from tests.deploy.front import Certificate, TlsGateway
from tests.deploy.test_nginx import gateway_request
from tests.gateway import TUNED, wait_for
from tests.hadoop.jars import HadoopError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.gunicorn
SIZE = 24 * 1024 * 1024
CONTENT = hashlib.shake_128(b"reload").digest(SIZE)
REFUSED = "the new certificate is not used"


@pytest.fixture(params=["app.web.worker.GatewayWorker", "gthread"])
def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TlsGateway]:
    arguments = ["--graceful-timeout", "60", "--keep-alive", "2", "--threads", "8"]
    with TlsGateway(tmp_path, Certificate(tmp_path / "certificate"),
                    worker_class=request.param, gunicorn_args=arguments) as running:
        running.make_home("alice")
        yield running


def connected(gateway: TlsGateway) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", gateway.port), timeout=60)
    return context.wrap_socket(plain, server_hostname="localhost")


def served(gateway: TlsGateway) -> bytes:
    """Return the certificate that a new handshake gets."""
    with connected(gateway) as client:
        der = client.getpeercert(binary_form=True)
    assert der
    return der


def written(gateway: TlsGateway) -> bytes:
    """Return the certificate that lies on the disk."""
    return ssl.PEM_cert_to_DER_cert(gateway.certificate.file.read_text())


def test_new_handshakes_get_the_new_certificate_and_transfers_go_on(gateway: TlsGateway) -> None:
    put = gateway.request("PUT", "/f/file/content", params={"path": "big"}, data=CONTENT,
                          headers={"Content-Type": "application/octet-stream"})
    assert put.status_code == 201
    first = served(gateway)
    with connected(gateway) as download:
        download.sendall(gateway_request("GET", "/f/file/content?path=big", close=True))
        begun = download.recv(1000)

        Certificate(gateway.certificate.file.parent)
        assert written(gateway) != first
        os.kill(gateway.master, signals.SIGHUP)
        wait_for("the new certificate", lambda: served(gateway) == written(gateway))

        assert download.getpeercert(binary_form=True) == first
        pieces = [begun]
        while piece := download.recv(1 << 20):
            pieces.append(piece)
    assert b"".join(pieces).endswith(b"\r\n\r\n" + CONTENT)
    wait_for("workers with the new one only",
             lambda: all(served(gateway) == written(gateway) for _ in range(8)))


def garbage(gateway: TlsGateway) -> None:
    gateway.certificate.file.write_text("-----BEGIN CERTIFICATE-----\nno\n")


def missing(gateway: TlsGateway) -> None:
    gateway.certificate.file.unlink()


def key_of_another(gateway: TlsGateway) -> None:
    other = Certificate(gateway.directory / "other")
    gateway.certificate.key.write_bytes(other.key.read_bytes())


def expired(gateway: TlsGateway) -> None:
    gone = Authority(gateway.directory / "other").client("gone", "DNS:localhost", days=-1)
    gateway.certificate.file.write_bytes(gone.certificate.read_bytes())
    gateway.certificate.key.write_bytes(gone.key.read_bytes())


def test_a_broken_certificate_is_refused_and_the_one_before_stays(
    tmp_path: Path,
) -> None:
    certificate = Certificate(tmp_path / "certificate")
    with TlsGateway(tmp_path, certificate) as gateway:
        first = served(gateway)
        breaks: list[tuple[Callable[[TlsGateway], None], str]] = [
            (garbage, ""), (missing, "No such file"), (key_of_another, "key values mismatch"),
            (expired, "valid from")]
        for times, (break_it, reason) in enumerate(breaks, start=1):
            Certificate(certificate.file.parent)
            break_it(gateway)
            reload_tls(gateway)
            told = [line for line in gateway.logged().splitlines() if REFUSED in line]
            assert len(told) == times, break_it
            assert reason in told[-1]
            assert "ERROR" in told[-1]
            assert [served(gateway) for _ in range(4)] == [first] * 4

        Certificate(certificate.file.parent)
        reload_tls(gateway)
        assert served(gateway) == written(gateway)
        assert served(gateway) != first


def reload_tls(gateway: TlsGateway) -> None:
    old = set(gateway.workers())
    os.kill(gateway.master, signals.SIGHUP)
    wait_for("new workers only",
             lambda: len(gateway.workers()) == len(old) and not old & set(gateway.workers()))
    wait_for("a handshake", lambda: served(gateway))


def test_a_certificate_that_cannot_be_used_ends_a_start_with_its_reason(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path / "certificate")
    gateway = TlsGateway(tmp_path, certificate)
    key_of_another(gateway)
    with pytest.raises(HadoopError):
        gateway.start()
    assert "the certificate cannot be used" in gateway.logged()
    assert "KEY_VALUES_MISMATCH" in gateway.logged()


def test_who_comes_to_no_handshake_is_closed_and_leaves_no_traceback(tmp_path: Path) -> None:
    config = tmp_path / "impatient.conf.py"
    config.write_text(
        "import runpy\nfrom app.web import tls\ntls.HANDSHAKE_SECONDS = 1.0\n"
        f"globals().update((n, v) for n, v in runpy.run_path({str(TUNED)!r}).items()"
        " if not n.startswith('__'))\n")
    with TlsGateway(tmp_path, Certificate(tmp_path / "certificate"),
                    gunicorn_args=["--config", str(config)]) as gateway:
        for sent in (b"", b"\x16\x03", b"GET / HTTP/1.1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as client:
                client.sendall(sent)
                try:
                    while client.recv(1024):
                        pass
                except ConnectionError:
                    pass
        assert gateway.request("GET", "/users/me").ok
        assert "Traceback" not in gateway.logged()
