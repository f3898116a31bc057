"""A cluster behind HTTPS as the source of a mount: a real HttpFS behind nginx, an own authority."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.conftest import HADOOP
from tests.contract.client import OCTETS, fresh_name
from tests.gateway import Gateway
from tests.hadoop.probe import webhdfs
from tests.live.tls_front import Authority, TlsFront

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests

    from tests.hadoop.cluster import Cluster

pytestmark = list(HADOOP)
CONTENT = os.urandom(3 << 20)


class Place(NamedTuple):
    """A gateway over its own backend, the cluster, and what leads there by TLS."""

    gateway: Gateway
    hadoop: Cluster
    front: TlsFront

    def mount(self, path: str, source: str) -> requests.Response:
        return self.gateway.request(
            "POST", f"/api/v1/paths/{path}/mount", user="admin", params={"src": source})

    def ask(self, method: str, path: str, operation: str) -> dict[str, Any]:
        """Ask the cluster itself, past gateway and TLS."""
        return webhdfs(self.hadoop.namenode_url, method, path, op=operation,
                       **{"user.name": "alice"})

    def call(self, method: str, url: str, status: int, data: bytes | None = None,
             **params: Any) -> requests.Response:
        answer = self.gateway.request(
            method, url, params=params, data=data, headers=OCTETS if data else None)
        assert answer.status_code == status, answer.text
        return answer


def gateway_at(directory: Path, hadoop: Cluster, front: TlsFront, ca_file: Path | str) -> Gateway:
    return Gateway(directory, superuser=hadoop.superuser, settings={"backend": {
        "clusters": [f"secure={front.url}"], "ca_file": str(ca_file), "retry_deadline": 1,
        "embedded_superuser": hadoop.superuser}})


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def place(
    hadoop: Cluster, authority: Authority, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("swebhdfs")
    with (
        TlsFront(directory / "nginx", hadoop.httpfs_url, authority) as front,
        gateway_at(directory / "gateway", hadoop, front, authority.file) as gateway,
    ):
        gateway.make_home("alice")
        yield Place(gateway, hadoop, front)


@pytest.mark.parametrize("named", ["secure", "localhost"])
def test_files_are_written_and_read_in_a_cluster_behind_tls(place: Place, named: str) -> None:
    source, path = f"/user/alice/{fresh_name('source')}", f"/user/alice/{named}"
    place.ask("PUT", source, "MKDIRS")
    at = place.front.authority if named == "localhost" else named
    mounted = place.mount(path, f"swebhdfs://{at}{source}")
    assert mounted.status_code == 200, mounted.text
    before = place.front.requests()

    place.call("PUT", "/f/file/content", 201, CONTENT, path=f"{path}/new/file")
    place.call("POST", "/f/file/content", 201, b"more", path=f"{path}/new/file")
    assert place.call("GET", "/f/file/content", 200, path=f"{path}/new/file").content == (
        CONTENT + b"more")
    place.call("PUT", "/f/name", 201, path=f"{path}/new/file", destination=f"{path}/moved")
    listed = place.call("GET", "/f/listing", 200, path=path).json()["result"]["statuses"]
    assert [one["pathSuffix"] for one in listed] == ["moved", "new"]

    there = place.ask("GET", f"{source}/moved", "GETFILESTATUS")["FileStatus"]
    assert (there["length"], there["owner"]) == (len(CONTENT) + 4, "alice")
    assert place.front.requests() > before

    place.call("DELETE", "/f/file", 204, path=f"{path}/moved")
    left = place.ask("GET", source, "LISTSTATUS")
    assert [one["pathSuffix"] for one in left["FileStatuses"]["FileStatus"]] == ["new"]
    answer = place.gateway.request(
        "POST", f"/api/v1/paths/{path}/unmount", user="admin")
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("trusted", ["the system's", "another's"])
def test_a_cluster_that_another_authority_vouches_for_is_not_talked_to(
    hadoop: Cluster, authority: Authority, tmp_path: Path, trusted: str,
) -> None:
    ca_file: Path | str = "" if trusted == "the system's" else Authority(
        tmp_path / "other").file
    with (
        TlsFront(tmp_path / "nginx", hadoop.httpfs_url, authority) as front,
        gateway_at(tmp_path / "gateway", hadoop, front, ca_file) as gateway,
    ):
        gateway.make_home("alice")
        answer = Place(gateway, hadoop, front).mount(
            "/user/alice/secure", "swebhdfs://secure/user/alice")
        assert answer.status_code >= 500
        assert "CERTIFICATE_VERIFY_FAILED" in gateway.logged()
        listed = gateway.request("GET", "/f/listing", params={"path": "/user/alice"})
        assert listed.json()["result"]["statuses"] == []
        assert front.requests() == 0
