"""Limits of the whole gateway, the default of each user, and of addresses that prove nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from defusedxml.ElementTree import fromstring
from requests.adapters import HTTPAdapter

from tests.contract.wire import Wire
from tests.gateway import PASSWORD, Gateway, wait_for
from tests.limits.conftest import SIZE, put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.gunicorn

STATUS = "/f/file/status?path=/"


class From(HTTPAdapter):
    """Connects from this address of the loopback network."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *arguments: object, **options: object) -> None:
        super().init_poolmanager(*arguments, source_address=(self._address, 0), **options)


def asked(gateway: Gateway, path: str, address: str, password: str | None = None) -> int:
    """Return the status for somebody at `address`, who is `someone` where a password is given."""
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", From(address))
        auth = ("someone", password) if password else None
        return session.get(gateway.url + path, auth=auth, timeout=30).status_code


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Yield a gateway that gives little to strangers, and a default to users."""
    settings = {"auth": {"networks": ["127.0.0.9=reader"]}, "limits": {
        "address_requests": 0.01, "address_burst": 4, "user_requests": 0.01, "user_burst": 30}}
    with Gateway(tmp_path_factory.mktemp("strict"), settings=settings) as gateway:
        yield gateway


def test_a_stranger_is_refused_alone(strict: Gateway) -> None:
    statuses = [asked(strict, STATUS, "127.0.0.2") for _ in range(6)]
    assert statuses == [401, 401, 401, 401, 429, 429]
    assert asked(strict, STATUS, "127.0.0.3") == 401, "another address"
    assert asked(strict, STATUS, "127.0.0.2", PASSWORD) == 200, "a user at the same address"


def test_who_is_known_by_their_network_is_no_stranger(strict: Gateway) -> None:
    url = f"{strict.url}/api/v1/paths///exists"
    with requests.Session() as session:
        session.mount("http://", From("127.0.0.9"))
        assert [session.post(url, timeout=30).status_code for _ in range(8)] == [200] * 8


def test_who_guesses_passwords_is_refused_before_any_is_looked_at(strict: Gateway) -> None:
    statuses = [asked(strict, STATUS, "127.0.0.4", "wrong") for _ in range(8)]
    assert statuses[:4] == [401] * 4
    assert statuses[-1] == 429


def test_every_user_has_the_default(strict: Gateway) -> None:
    answers = [strict.request("GET", STATUS, user="other") for _ in range(31)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
    assert strict.request("GET", STATUS, user="reader").status_code == 200


def test_all_together(tmp_path: Path) -> None:
    """In each dialect the gateway says 503, but for those who ask whether it lives."""
    limits = {"requests": 0.005, "burst": 4, "transfers": 1}
    settings = {"limits": limits, "s3": {"hosts": ["s3.x"]}}
    with Gateway(tmp_path, settings=settings) as gateway:
        assert gateway.make_home("alice")  # three requests
        assert put(gateway, "file", bytes(SIZE), user="someone").status_code == 201
        refused = gateway.request("GET", STATUS)
        assert refused.status_code == 503
        assert refused.json()["error"][0].startswith("the gateway has too many requests")
        assert 1 <= int(refused.headers["Retry-After"]) <= 200
        for path, headers in (("/api/v1/s3/", {}), ("/", {"Host": "s3.x"})):
            s3 = gateway.request("GET", path, headers=headers)
            assert s3.status_code == 503
            assert fromstring(s3.content).findtext("Code") == "ServiceUnavailable"
        assert gateway.request("POST", "/api/v1/paths///get-status").status_code == 503
        assert gateway.request("GET", "/v1/daemon?what=status").status_code == 503
        for _ in range(5):
            assert gateway.request("GET", "/healthz", user=None).status_code == 200
            assert gateway.request("GET", "/readyz", user=None).status_code == 200
        with Wire(gateway) as wire:
            wire.send_head("PUT", "/f/file/content?path=/user/alice/x", [
                ("Content-Length", "1000000"), ("Expect", "100-continue")])
            answer = wire.answer()
            assert (answer.status, answer.interim) == (503, [])


def test_transfers_of_all_together(tmp_path: Path) -> None:
    with Gateway(tmp_path, settings={"limits": {"transfers": 1}}) as gateway:
        gateway.make_home("alice")
        assert put(gateway, "file", bytes(SIZE), user="someone").status_code == 201
        path = "/user/alice/file"
        url = f"/f/file/content?path={path}"
        with Wire(gateway) as wire:
            wire.send_head("PUT", "/f/file/content?path=/user/alice/x", [
                ("Transfer-Encoding", "chunked"), ("Expect", "100-continue"),
                ("Content-Type", "application/octet-stream")])
            assert wire.socket.recv(100).startswith(b"HTTP/1.1 100 ")
            refused = gateway.request("GET", url, user="admin")
            assert refused.status_code == 503
            assert refused.headers["Retry-After"]
            line = gateway.audit()[-1]
            assert (line["user"], line["status"], line["path"]) == ("admin", 503, path)
        wait_for("room again", lambda: gateway.request("GET", url).status_code == 200)


def test_a_gateway_without_limits_keeps_no_counts(tmp_path: Path) -> None:
    with Gateway(tmp_path) as gateway:
        assert gateway.request("GET", STATUS).status_code == 200
        assert not (tmp_path / "data" / "limits").exists()
