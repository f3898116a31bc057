"""Certificates of clients: by gunicorn's TLS, and from a proxy that is believed."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests

from tests.deploy.authority import Authority, ClientFiles
from tests.deploy.front import Certificate, Nginx, TlsGateway
from tests.gateway import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

pytestmark = pytest.mark.gunicorn
NAMES = ("email:alice@example.com", "DNS:alice.example.com", "URI:spiffe://example.com/alice")
TOLD = {"subject": "CN=alice,OU=people,O=Example",
        "names": ["DNS:alice.example.com", "email:alice@example.com",
                  "URI:spiffe://example.com/alice"]}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def alice(authority: Authority) -> ClientFiles:
    return authority.client("alice", *NAMES)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> ClientFiles:
    return Authority(tmp_path_factory.mktemp("stranger"), "Somebody else").client("alice", *NAMES)


class Telling(TlsGateway):
    """A gateway that tells the certificate of who asks."""

    def __init__(self, directory: Path, authority: Authority, must: str, **options: Any) -> None:
        super().__init__(
            directory, Certificate(directory / "certificate"), workers=1,
            application="tests.deploy.certificate_told:telling('none')", **options)
        self._environment |= {"GATEWAY_TLS_CLIENT_CA": str(authority.file),
                              "GATEWAY_TLS_CLIENT_CERT": must}

    def asked(self, client: ClientFiles | None, **headers: str) -> Any:
        cert = (str(client.certificate), str(client.key)) if client else None
        with requests.Session() as session:
            session.trust_env = False
            return session.get(self.url, cert=cert, headers=headers, timeout=30,
                               verify=str(self.certificate.file)).json()

    def _answers(self, path: str) -> bool:
        return "Booting worker" in self.logged() and "Listening at" in self.logged()


@pytest.fixture(scope="module", params=["app.web.worker.GatewayWorker", "gthread"])
def optional(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
    authority: Authority,
) -> Iterator[Telling]:
    directory = tmp_path_factory.mktemp("optional")
    with Telling(directory, authority, "optional", worker_class=request.param) as running:
        yield running


def test_a_verified_certificate_is_told(optional: Telling, alice: ClientFiles) -> None:
    assert optional.asked(alice) == TOLD


def test_who_has_none_comes_in_without(optional: Telling) -> None:
    assert optional.asked(None) is None


def test_what_another_authority_signed_ends_the_handshake(
    optional: Telling, stranger: ClientFiles,
) -> None:
    with pytest.raises(requests.ConnectionError):
        optional.asked(stranger)


def test_nobody_claims_a_certificate_by_a_header(optional: Telling, alice: ClientFiles) -> None:
    assert optional.asked(None, **escaped(alice)) is None
    assert optional.asked(None, **rfc9440(alice)) is None


def test_where_one_is_required_none_is_no_way_in(
    tmp_path: Path, authority: Authority, alice: ClientFiles,
) -> None:
    with Telling(tmp_path, authority, "required") as gateway:
        assert gateway.asked(alice) == TOLD
        with pytest.raises(requests.ConnectionError):
            gateway.asked(None)


# --- through a proxy


def der_of(client: ClientFiles) -> bytes:
    return ssl.PEM_cert_to_DER_cert(client.certificate.read_text())


def escaped(client: ClientFiles) -> dict[str, str]:
    return {"X-SSL-Client-Verify": "SUCCESS",
            "X-SSL-Client-Cert": quote(client.certificate.read_text(), safe="")}


def rfc9440(client: ClientFiles) -> dict[str, str]:
    return {"Client-Cert": f":{base64.b64encode(der_of(client)).decode()}:"}


def told(form: str, proxy: str, headers: Mapping[str, str]) -> Any:
    """Return what the gateway takes from these headers of a peer on loopback."""
    from werkzeug.test import Client  # noqa: PLC0415

    from tests.deploy.certificate_told import telling  # noqa: PLC0415

    return json.loads(Client(telling(form, proxy)).get(
        "/", headers=dict(headers), environ_base={"REMOTE_ADDR": "127.0.0.1"}).data)


@pytest.mark.parametrize(("form", "write"), [
    ("x-ssl-client-cert", escaped), ("client-cert", rfc9440)])
def test_a_trusted_proxy_tells_it_in_the_one_header_that_is_set(
    form: str, write: Any, alice: ClientFiles,
) -> None:
    headers = write(alice)
    assert told(form, "127.0.0.1", headers) == TOLD
    assert told(form, "192.0.2.1", headers) is None
    assert told("none", "127.0.0.1", headers) is None
    other = "client-cert" if write is escaped else "x-ssl-client-cert"
    assert told(other, "127.0.0.1", headers) is None


@pytest.mark.parametrize("headers", [
    {"X-SSL-Client-Verify": "FAILED:unable to verify"}, {"X-SSL-Client-Verify": "NONE"},
    {"X-SSL-Client-Cert": "no%20certificate"}, {"X-SSL-Client-Cert": "%FF"},
], ids=str)
def test_what_is_not_verified_or_no_certificate_counts_for_nothing(
    headers: dict[str, str], alice: ClientFiles,
) -> None:
    assert told("x-ssl-client-cert", "127.0.0.1", escaped(alice) | headers) is None


@pytest.mark.parametrize("value", ["", ":", "::", "x", ":%%%:", ":AAAA:", "AAAA"])
def test_what_is_no_structured_field_counts_for_nothing(value: str) -> None:
    assert told("client-cert", "127.0.0.1", {"Client-Cert": value}) is None


def test_nginx_tells_it_and_takes_out_what_clients_say(
    tmp_path: Path, authority: Authority, alice: ClientFiles, stranger: ClientFiles,
) -> None:
    application = "tests.deploy.certificate_told:telling('x-ssl-client-cert', '127.0.0.1')"
    with (
        Gateway(tmp_path / "gateway", application=application, workers=1) as gateway,
        Nginx(tmp_path / "nginx", gateway, Certificate(tmp_path / "certificate"),
              listening=f"ssl_client_certificate {authority.file};\n"
                        "    ssl_verify_client optional;") as nginx,
    ):
        files = ("--cert", alice.certificate, "--key", alice.key)
        assert json.loads(nginx.curl(*files, nginx.url)) == TOLD
        forged = [option for name, value in (escaped(alice) | rfc9440(alice)).items()
                  for option in ("--header", f"{name}: {value}")]
        assert json.loads(nginx.curl(*forged, nginx.url)) is None
        with pytest.raises((subprocess.CalledProcessError, json.JSONDecodeError)):
            json.loads(nginx.curl("--fail", "--cert", stranger.certificate,
                                  "--key", stranger.key, nginx.url))
