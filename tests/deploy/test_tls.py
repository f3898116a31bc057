"""TLS by gunicorn itself, with a certificate made here."""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from tests.deploy.front import Certificate, TlsGateway, outside_address
from tests.gateway import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.gunicorn
CONTENT = bytes(range(256)) * 8192


@pytest.fixture(scope="module", params=["app.web.worker.GatewayWorker", "gthread"])
def gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[TlsGateway]:
    directory = tmp_path_factory.mktemp("tls")
    certificate = Certificate(directory / "certificate")
    with TlsGateway(directory, certificate, worker_class=request.param) as running:
        running.make_home("alice")
        yield running


def test_files_go_both_ways_and_the_location_is_https(gateway: TlsGateway) -> None:
    put = gateway.request(
        "PUT", "/f/file/content", params={"path": "tls", "overwrite": "true"}, data=CONTENT,
        headers={"Content-Type": "application/octet-stream"})
    assert put.status_code == 201, put.text
    assert put.headers["Location"].startswith(f"{gateway.url}/")
    assert put.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert gateway.request("GET", "/f/file/content", params={"path": "tls"}).content == CONTENT


def test_what_is_older_than_tls_1_2_is_refused(gateway: TlsGateway) -> None:
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old = gateway.certificate.context(newest=ssl.TLSVersion.TLSv1_1)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with (
        socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as plain,
        pytest.raises(ssl.SSLError),
    ):
        old.wrap_socket(plain, server_hostname="localhost")


def test_tls_1_2_has_forward_secrecy_and_authenticated_encryption(gateway: TlsGateway) -> None:
    context = gateway.certificate.context(newest=ssl.TLSVersion.TLSv1_2)
    with (
        socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        assert secured.version() == "TLSv1.2"
        cipher = secured.cipher()
        assert cipher is not None
        assert cipher[0].startswith("ECDHE-")
        assert "GCM" in cipher[0] or "CHACHA20" in cipher[0]


def test_plain_http_on_the_tls_port_gets_no_answer(gateway: TlsGateway) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
    connection.request("GET", "/healthz")
    try:
        assert connection.getresponse().status == 400
    except (http.client.BadStatusLine, ConnectionError):
        pass
    finally:
        connection.close()


@pytest.mark.parametrize("secured", [True, False])
def test_passwords_from_outside_come_by_https_only(
    tmp_path_factory: pytest.TempPathFactory, *, secured: bool,
) -> None:
    directory = tmp_path_factory.mktemp("outside")
    everywhere = ["--bind", "0.0.0.0:0"]
    with outside_address() as address:
        certificate = Certificate(directory / "certificate", address)
        made = (TlsGateway(directory, certificate, gunicorn_args=everywhere) if secured
                else Gateway(directory, gunicorn_args=everywhere))
        with made as gateway:
            scheme = "https" if secured else "http"
            gateway.url = f"{scheme}://{address}:{_port_for_all(gateway)}"
            answer = gateway.request("GET", "/users/me")
            assert gateway.audit()[-1]["address"] == address
    if secured:
        assert answer.status_code == 200
    else:
        assert answer.status_code == 403
        assert "HTTPS" in answer.json()["error"][0]


def _port_for_all(gateway: Gateway) -> int:
    """Return the port on all addresses that the kernel chose, from gunicorn's own words."""
    listening = next(line for line in gateway.logged().splitlines() if "Listening at" in line)
    return int(listening.rpartition("0.0.0.0:")[2].split()[0].rstrip(","))
