"""A gateway before a real cluster with Kerberos: files in every dialect, and what may go wrong."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import pytest
import requests

from tests.aistore.conftest import AIStore
from tests.conftest import HADOOP, furnish
from tests.contract.client import OCTETS, Files, fresh_name
from tests.gateway import PASSWORD, Gateway, wait_for
from tests.hadoop.kdc import Kdc
from tests.hadoop.kerberos import KerberosCluster
from tests.live.kerberos_place import (
    assert_nothing_secret,
    gateway_over,
    negotiations,
    options,
    ready,
)
from tests.s3.conftest import World, world_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = list(HADOOP)
VALIDITY = 3
"""Seconds for which the NameNode takes its cookies; HttpFS does for hours."""
OWNER = "gateway/localhost"


class Place(NamedTuple):
    """A gateway of many dialects over the NameNode or HttpFS."""

    kind: str
    world: World
    cluster: KerberosCluster

    @property
    def gateway(self) -> Gateway:
        return self.world.gateway


@pytest.fixture(scope="module")
def kdc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kdc]:
    with Kdc(tmp_path_factory.mktemp("kdc")) as kdc:
        yield kdc


@pytest.fixture(scope="module")
def cluster(kdc: Kdc, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KerberosCluster]:
    with KerberosCluster(tmp_path_factory.mktemp("kerberos"), kdc, validity=VALIDITY) as cluster:
        yield cluster


@pytest.fixture(scope="module", params=["namenode", "httpfs"])
def place(
    request: pytest.FixtureRequest, cluster: KerberosCluster,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    url = cluster.namenode_url if request.param == "namenode" else cluster.httpfs_url
    directory = tmp_path_factory.mktemp("gateway")
    asked = options(cluster, url, directory)
    asked.pop("users")
    for world in world_in(directory, **asked):
        furnish(world.gateway)
        yield Place(request.param, world, cluster)
        assert_nothing_secret(world.gateway)


@pytest.fixture
def files(place: Place) -> Files:
    work = Files(place.gateway, place.kind, f"/user/alice/{fresh_name('kerberos')}")
    work.call("PUT", "/f/directory", 201, path=work.directory, permission="750")
    return work


def test_files_are_written_and_read_as_the_mapped_user(files: Files) -> None:
    content = os.urandom(3 << 20)
    files.put("f", content)
    files.append("f", b"more")
    assert files.read("f") == content + b"more"
    assert files.get("f", 206, headers={"Range": "bytes=1000-1999"}).content == content[1000:2000]
    assert files.status("f")["owner"] == "alice"
    assert files.call("GET", "/f/file/checksum", path=files.at("f")).json()["result"]
    files.call("PUT", "/f/file/xattrs", 204, path=files.at("f"), name="user.k",
               value="dg==")
    assert "user.k" in files.call("GET", "/f/file/xattrs", path=files.at("f")).text
    files.call("PUT", "/f/name", 201, path=files.at("f"), destination=files.at("g"))
    assert files.names() == ["g"]
    files.by("other").get("g", 403)
    files.by("other").put("g", b"bob", 403)
    files.call("DELETE", "/f/file", 204, path=files.at("g"))
    files.missing("g")


def test_objects_and_parts_by_s3(place: Place) -> None:
    client, bucket = place.world.client(), fresh_name("bucket")
    client.create_bucket(Bucket=bucket)
    parts = [os.urandom(5 << 20), b"the end"]
    upload = client.create_multipart_upload(Bucket=bucket, Key="joined")["UploadId"]
    named = {"Bucket": bucket, "Key": "joined", "UploadId": upload}
    done = [{"PartNumber": number, "ETag": client.upload_part(
        PartNumber=number, Body=part, **named)["ETag"]} for number, part in enumerate(parts, 1)]
    client.complete_multipart_upload(MultipartUpload={"Parts": done}, **named)
    assert client.get_object(Bucket=bucket, Key="joined")["Body"].read() == b"".join(parts)
    assert [one["Key"] for one in client.list_objects_v2(Bucket=bucket)["Contents"]] == ["joined"]


def test_streams_by_alluxio(place: Place) -> None:
    path = f"/user/alice/{fresh_name('stream')}"

    def ask(url: str, **sent: object) -> requests.Response:
        answer = place.gateway.request("POST", f"/api/v1/{url}", **sent)
        assert answer.status_code == 200, answer.text
        return answer

    stream = ask(f"paths/{path}/create-file", json={}).json()
    ask(f"streams/{stream}/write", data=b"by stream")
    ask(f"streams/{stream}/close")
    assert ask(f"paths/{path}/get-status").json()["owner"] == "alice"
    stream = ask(f"paths/{path}/open-file", json={}).json()
    assert ask(f"streams/{stream}/read").content == b"by stream"
    ask(f"streams/{stream}/close")


def test_objects_by_aistore(place: Place) -> None:
    ais, bucket = AIStore(place.gateway), fresh_name("ais")
    assert ais.call("POST", f"buckets/{bucket}", {"action": "createlb"}).status_code == 200
    assert ais.call("PUT", f"objects/{bucket}/o", data=b"an object").status_code == 200
    assert ais.call("GET", f"objects/{bucket}/o").content == b"an object"


def test_readyz_the_log_and_users_are_told_for_whom_the_gateway_may_not_act(
    cluster: KerberosCluster, tmp_path: Path,
) -> None:
    gateway = gateway_over(cluster, cluster.namenode_url, tmp_path, probe_user="carol")
    gateway.start(await_ready=False)
    try:
        said = "the cluster does not let gateway act for carol"
        wait_for("a word in the log", lambda: said in gateway.logged())
        status, text = ready(gateway)
        assert status == 502
        assert said in text
        answer = gateway.request(
            "GET", "/f/file/status", user="stranger", params={"path": "/user"})
        assert answer.status_code == 403
        assert "does not let the gateway act for this user" in answer.text
        assert gateway.request("GET", "/f/file/status", params={"path": "/user"}).ok
    finally:
        gateway.stop()


def test_one_negotiation_serves_all_that_come_at_once(
    cluster: KerberosCluster, tmp_path: Path,
) -> None:
    kdc = cluster.kdc
    before = [kdc.issued(kind, OWNER) for kind in ("AS_REQ", "TGS_REQ")]
    gateway = gateway_over(cluster, cluster.httpfs_url, tmp_path, workers=1)
    gateway.start(await_ready=False)

    def ask(_: int) -> int:
        return requests.get(f"{gateway.url}/f/file/status", params={"path": "/"},
                            auth=("someone", PASSWORD), timeout=60).status_code

    try:
        with ThreadPoolExecutor(40) as many:
            assert list(many.map(ask, range(80))) == [200] * 80
        assert negotiations(gateway) == 1
    finally:
        gateway.stop()
    assert [kdc.issued(kind, OWNER) for kind in ("AS_REQ", "TGS_REQ")] == [
        before[0] + 1, before[1] + 1]


def test_cookies_are_renewed_before_their_end(cluster: KerberosCluster, tmp_path: Path) -> None:
    with gateway_over(cluster, cluster.namenode_url, tmp_path, workers=1) as gateway:
        first, since = negotiations(gateway), time.monotonic()
        while time.monotonic() - since < 2 * VALIDITY:
            answer = gateway.request("GET", "/f/file/status", params={"path": "/user"})
            assert answer.status_code == 200, answer.text
        assert first + 2 <= negotiations(gateway) <= first + 6
        assert_nothing_secret(gateway)


def test_a_server_that_has_forgotten_its_cookies_is_negotiated_with_again(
    cluster: KerberosCluster, tmp_path: Path,
) -> None:
    path = f"/user/alice/{fresh_name('forgotten')}"
    with gateway_over(cluster, cluster.httpfs_url, tmp_path, workers=1) as gateway:

        def put(name: str, content: bytes) -> requests.Response:
            return gateway.request("PUT", "/f/file/content", params={"path": f"{path}/{name}"},
                                   headers=OCTETS, data=content)

        assert put("before", b"before").status_code == 201
        cluster.restart_httpfs("another secret")
        content = os.urandom(1 << 20)
        answer = put("after", content)
        assert answer.status_code == 201, answer.text
        read = gateway.request("GET", "/f/file/content", params={"path": f"{path}/after"})
        assert read.content == content
        assert negotiations(gateway) == 2


def test_a_gateway_starts_without_a_kdc_and_serves_when_it_is_back(
    cluster: KerberosCluster, tmp_path: Path,
) -> None:
    gateway = gateway_over(cluster, cluster.httpfs_url, tmp_path)
    cluster.kdc.kill()
    try:
        gateway.start(await_ready=False)
        assert gateway.request("GET", "/healthz", user=None).status_code == 200
        for method, url in (("GET", "/readyz"), ("GET", "/f/listing?path=/"),
                            ("GET", "/v1/objects/bucket/object"),
                            ("POST", "/api/v1/paths//user/list-status")):
            answer = gateway.request(method, url)
            assert answer.status_code >= 500, f"{url}: {answer.status_code} {answer.text}"
            assert "no KDC of the realm answers" in answer.text
        assert ready(gateway)[0] == 503
        wait_for("a word in the log", lambda: "cannot be asked as" in gateway.logged())
        assert "Cannot contact any KDC" in gateway.logged()
        assert "Traceback" not in gateway.logged()
        cluster.kdc.start()
        wait_for("ready", lambda: ready(gateway)[0] == 200)
        # Tickets in hand, nobody needs the KDC.
        cluster.kdc.kill()
        assert gateway.request("GET", "/f/listing", params={"path": "/"}).status_code == 200
    finally:
        if not cluster.kdc.running:
            cluster.kdc.start()
        gateway.stop()


def test_a_kdc_that_takes_connections_and_does_not_answer_stops_nobody(
    cluster: KerberosCluster, tmp_path: Path,
) -> None:
    gateway = gateway_over(
        cluster, cluster.httpfs_url, tmp_path, workers=1, connect_timeout=1.0)
    cluster.kdc.freeze()
    try:
        gateway.start(await_ready=False)

        def ask(path: str) -> requests.Response:
            return requests.get(gateway.url + path, auth=("someone", PASSWORD), timeout=60)

        with ThreadPoolExecutor(16) as many:
            waiting = [many.submit(ask, "/f/listing?path=/") for _ in range(16)]
            assert ask("/healthz").status_code == 200
            for one in waiting:
                answer = one.result()
                assert answer.status_code == 503
                assert "no KDC or server has answered in time" in answer.text
        cluster.kdc.thaw()
        wait_for("ready", lambda: ready(gateway)[0] == 200)
    finally:
        cluster.kdc.thaw()
        gateway.stop()
