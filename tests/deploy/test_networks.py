"""Networks mapped to users behind nginx: a plain port for Alluxio's clients, as the README says."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.deploy.front import Certificate, Nginx, outside_address, program
from tests.gateway import REPOSITORY, Gateway, wait_for
from tests.hadoop.daemon import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.gunicorn
LINE = "listen 10.20.0.1:39999;"
ROOT_STATUS = "/api/v1/paths///get-status"


class Front(NamedTuple):
    """nginx in front of a gateway, with a plain port of its own."""

    nginx: Nginx
    gateway: Gateway
    port: int

    def status(self, path: str, *arguments: str, address: str = "127.0.0.1") -> str:
        """Ask the plain port as whoever has this address; return the HTTP status."""
        done = subprocess.run(
            [program("curl"), "--silent", "--max-time", "60", "--output", "/dev/null",
             "--write-out", "%{http_code}", "--request", "POST", "--path-as-is", *arguments,
             f"http://{address}:{self.port}{path}"], check=True, capture_output=True, text=True)
        return done.stdout


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    directory, port = tmp_path_factory.mktemp("front"), free_port()
    settings = {"web": {"trusted_proxies": ["127.0.0.1"]},
                "auth": {"networks": ["127.0.0.0/8=other"]}}
    assert f"\n    {LINE}\n" in (REPOSITORY / "deploy" / "README.md").read_text()
    listening = LINE.replace("10.20.0.1:39999", f"0.0.0.0:{port}")
    with Gateway(directory / "gateway", settings=settings) as gateway, Nginx(
            directory / "nginx", gateway, Certificate(directory / "certificate"),
            listening=listening) as nginx:
        yield Front(nginx, gateway, port)


def test_a_client_of_the_network_is_known_by_its_own_address(front: Front) -> None:
    assert front.status(ROOT_STATUS) == "200"
    assert front.status("/api/v1/paths//no//such/get-status") == "500"
    line = wait_for("the audit line", lambda: next(
        (line for line in front.gateway.audit() if line["path"] == "/no/such"), None))
    assert (line["user"], line["address"]) == ("other", "127.0.0.1")


@pytest.mark.parametrize("forged", [
    "X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1", "X_Forwarded_For: 127.0.0.1",
    "X-Real-IP: 127.0.0.1"])
def test_a_client_from_elsewhere_is_a_stranger_whatever_it_says(front: Front, forged: str) -> None:
    with outside_address() as address:
        assert front.status(ROOT_STATUS, "--header", forged, address=address) == "401"
    assert front.gateway.audit()[-1]["address"] == address


def test_who_asks_past_nginx_is_a_stranger_too(front: Front) -> None:
    # The gateway cannot tell a client on loopback from its proxy that forgot to name one.
    assert front.gateway.request("POST", ROOT_STATUS, user=None).status_code == 401
    assert front.gateway.request("POST", ROOT_STATUS, user="other").status_code == 200


def test_no_password_is_taken_on_the_plain_port(front: Front) -> None:
    with outside_address() as address:
        assert front.status(ROOT_STATUS, "--user", "other:secret", address=address) == "403"


def test_the_other_dialects_want_credentials_there_as_everywhere(front: Front) -> None:
    assert front.status("/f/directory?path=x", "--request", "PUT") == "401"
    assert front.status("/api/v1/s3/bucket", "--request", "PUT") == "403"
