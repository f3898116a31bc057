"""A cluster that speaks HTTPS alone, and whose NameNode and DataNode want to see a certificate."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import UpstreamUnavailable
from app.fs.webhdfs import WebHdfsBackend
from app.settings import BackendSettings
from tests.checks.conftest import Checked, checked
from tests.conftest import HADOOP
from tests.contract.client import OCTETS, PLAIN, fresh_name
from tests.gateway import Gateway
from tests.hadoop.certificates import Authority
from tests.hadoop.https import HttpsCluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests

pytestmark = list(HADOOP)
__all__ = ["checked"]
CONTENT = os.urandom(5 << 20)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpsCluster]:
    with HttpsCluster(tmp_path_factory.mktemp("https")) as made:
        made.make_user("alice")
        yield made


def shown(cluster: HttpsCluster) -> dict[str, str]:
    """Return the settings with which the gateway may come to the NameNode and its DataNode."""
    return {"ca_file": str(cluster.authority.file),
            "client_cert": str(cluster.client.certificate), "client_key": str(cluster.client.key)}


@pytest.fixture(scope="module", params=["namenode", "httpfs"])
def gateway(
    request: pytest.FixtureRequest, cluster: HttpsCluster,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    """A gateway by each door; the other door is a cluster of its own settings, mounted at /lab."""
    direct = {"name": "lab", "url": cluster.namenode_url, **shown(cluster)}
    through = {"name": "lab", "url": cluster.httpfs_url, "client_cert": ""}
    own, url = shown(cluster), cluster.namenode_url
    if request.param == "httpfs":
        own, url = {"ca_file": own["ca_file"]}, cluster.httpfs_url
    settings = {"backend": {
        **own, "clusters": [through if request.param == "namenode" else direct],
        "mounts": ["/lab=lab:/user/alice", "/shown=lab:/user/alice:ro"]}}
    with Gateway(tmp_path_factory.mktemp(request.param), backend=url, settings=settings,
                 superuser=cluster.superuser) as made:
        yield made


@pytest.mark.parametrize("place", ["/user/alice", "/lab"])
def test_files_go_both_ways_over_tls(gateway: Gateway, place: str) -> None:
    def call(method: str, url: str, status: int, data: bytes | None = None, *,
             headers: dict[str, str] | None = None, **params: Any) -> requests.Response:
        answer = gateway.request(method, url, params=params, data=data,
                                 headers={**(OCTETS if data else {}), **(headers or {})})
        assert answer.status_code == status, answer.text
        return answer

    file, other = f"{place}/{fresh_name('file')}", f"{place}/{fresh_name('other')}"
    call("PUT", "/f/file/content", 201, CONTENT, path=file)
    call("POST", "/f/file/content", 201, b"more", path=file)
    call("PUT", "/f/file/content", 201, b" and more", path=other)
    call("POST", "/f/file/content", 201, path=file, sources=other.rpartition("/")[2])
    whole = CONTENT + b"more and more"
    assert call("GET", "/f/file/content", 200, path=file, headers=PLAIN).content == whole
    part = call("GET", "/f/file/content", 206, path=file,
                headers={"Range": f"bytes=1000000-{len(whole) - 2}", **PLAIN})
    assert part.content == whole[1000000:-1]
    last = call("GET", "/f/file/content", 206, path=file, headers={"Range": "bytes=-4", **PLAIN})
    assert last.content == b"more"
    status = call("GET", "/f/file/status", 200, path=file).json()["result"]["status"]
    assert (status["length"], status["owner"]) == (len(whole), "alice")
    call("PUT", "/f/name", 201, path=file, destination=other)
    call("DELETE", "/f/file", 204, path=other)


def test_mounts_of_the_configuration_are_told(gateway: Gateway) -> None:
    ready = gateway.request("GET", "/readyz", user=None).json()["result"]
    assert ready["mounts"] == {"/lab": "answers", "/shown": "answers"}
    assert "/shown is /user/alice of the cluster 'lab', read-only" in gateway.logged()
    answer = gateway.request("PUT", "/f/file/content", params={"path": "/shown/f"}, data=b"x",
                             headers=OCTETS)
    assert (answer.status_code, "read-only mount" in answer.text) == (403, True)


def made(cluster: HttpsCluster, **settings: Any) -> WebHdfsBackend:
    known = {each.name for each in fields(BackendSettings)}
    assert settings.keys() <= known
    return WebHdfsBackend(BackendSettings(**{
        "url": (cluster.namenode_url,), **shown(cluster), "retry_deadline": 0.0, **settings}))


def refusal(backend: WebHdfsBackend) -> str:
    with closing(backend), pytest.raises(UpstreamUnavailable) as caught:
        backend.probe(10)
    return str(caught.value)


@pytest.mark.parametrize("door", ["namenode_url", "httpfs_url"])
def test_a_server_of_another_name_or_authority_is_refused(
    cluster: HttpsCluster, tmp_path: Path, door: str,
) -> None:
    url = str(getattr(cluster, door))
    by_address = url.replace("localhost", "127.0.0.1")
    assert "its certificate is for another name" in refusal(made(cluster, url=(by_address,)))
    other = Authority(tmp_path, "other").file
    for trusted in (str(other), ""):
        assert "the authority of its certificate is none that is trusted (backend.ca_file)" in (
            refusal(made(cluster, url=(url,), ca_file=trusted)))


def test_a_client_without_the_right_certificate_is_told_so(
    cluster: HttpsCluster, tmp_path: Path,
) -> None:
    stranger = Authority(tmp_path, "other").identity("stranger")
    late = cluster.authority.identity("late", days=0.5)
    for certificate, key in (("", ""), (stranger.certificate, stranger.key),
                             (late.certificate, late.key)):
        said = refusal(made(cluster, client_cert=str(certificate), client_key=str(key)))
        assert "it takes no client without a certificate that it trusts (backend.client_cert" in (
            said), said


def test_readyz_says_what_is_wrong(cluster: HttpsCluster, tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, backend=cluster.namenode_url, settings={
        "backend": {"ca_file": str(cluster.authority.file), "retry_deadline": 1}})
    gateway.start(await_ready=False)
    try:
        answer = gateway.request("GET", "/readyz", user=None)
        assert answer.status_code == 503
        assert "it takes no client without a certificate" in answer.text
        asked = gateway.request("GET", "/f/listing", params={"path": "/"})
        assert asked.status_code == 503
        assert "it takes no client without a certificate" in asked.text
    finally:
        gateway.stop()


def test_check_says_what_is_right_and_wrong(
    cluster: HttpsCluster, checked: Checked, tmp_path: Path,
) -> None:
    url, port = cluster.namenode_url, cluster.namenode_url.rpartition(":")[2]
    said = checked(backend={"url": url, **shown(cluster), "clusters": [
        {"name": "lab", "url": cluster.httpfs_url}]})
    assert not said.wrong
    for line in (f"backend: {cluster.authority.file}: trusts 'CN=The authority'",
                 f"backend: {url}: its certificate is for localhost, valid until",
                 f"backend: {url}: WebHDFS answers",
                 f"cluster 'lab': {cluster.httpfs_url}: its certificate is for localhost"):
        assert f"ok     {line}" in said.text
    said = checked(backend={"url": f"https://127.0.0.1:{port}", **shown(cluster)})
    assert "WRONG  backend: https://127.0.0.1:" in said.text
    assert "its certificate is for another name" in said.text
    assert "it shows a certificate of 'CN=server', for localhost, by 'CN=The authority'" in (
        said.text)
    said = checked(backend={"url": url, "ca_file": str(cluster.authority.file)})
    assert "it takes no client without a certificate that it trusts (backend.client_cert" in (
        said.wrong[0])
    other = Authority(tmp_path / "other", "other")
    said = checked(backend={"url": url, **shown(cluster), "ca_file": str(other.file)})
    assert "the authority of its certificate is none that is trusted (backend.ca_file)" in (
        said.wrong[0])
