"""A directory whose files are erasure-coded: HDFS appends to none there, and cuts none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from tests.conftest import HADOOP, HADOOP_USERS, furnish
from tests.gateway import Gateway
from tests.hadoop.cluster import Cluster
from tests.streams.conftest import Alluxio
from tests.streams.test_transfers import on

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = list(HADOOP)
POLICY = "XOR-2-1-1024k"
DIRECTORY = "/user/alice/coded"
CONTENT = bytes(range(256)) * 12_000


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Yield a gateway over a cluster with such a directory."""
    with Cluster(tmp_path_factory.mktemp("coded"), datanodes=3, httpfs=False) as cluster:
        for user in HADOOP_USERS:
            cluster.make_user(user)
        with Gateway(tmp_path_factory.mktemp("gateway"), backend=cluster.namenode_url,
                     superuser=cluster.superuser) as running:
            furnish(running)
            made = running.request("PUT", "/f/directory", params={"path": DIRECTORY})
            assert made.status_code == 201, made.text
            for path, operation in (("/", "ENABLEECPOLICY"), (DIRECTORY, "SETECPOLICY")):
                answer = requests.put(
                    f"{cluster.namenode_url}/webhdfs/v1{path}", timeout=30, params={
                        "op": operation, "ecpolicy": POLICY, "user.name": cluster.superuser})
                assert answer.status_code == 200, answer.text
            yield running


def read(gateway: Gateway, name: str) -> bytes:
    """Return the content of a file there."""
    answer = gateway.request("GET", "/f/file/content", params={"path": f"{DIRECTORY}/{name}"})
    assert answer.status_code == 200, answer.text
    return answer.content


def test_a_file_is_written_replaced_and_appended_to(coded: Gateway) -> None:
    for method, more, content in (("PUT", {}, CONTENT), ("PUT", {"overwrite": "true"}, b"new"),
                                  ("POST", {}, CONTENT)):
        answer = coded.request(
            method, "/f/file/content", params={"path": f"{DIRECTORY}/file", **more}, data=content,
            headers={"Content-Type": "application/octet-stream"})
        assert answer.status_code == 201, answer.text
    assert read(coded, "file") == b"new" + CONTENT


def test_a_stream_takes_one_write_and_keeps_it(coded: Gateway) -> None:
    alluxio = Alluxio(coded)
    stream_id = alluxio.act(f"{DIRECTORY}/streamed", "create-file").json
    assert on(alluxio, stream_id, "write", CONTENT).json == len(CONTENT)
    assert on(alluxio, stream_id, "write", b"more").code == "UNIMPLEMENTED"
    assert on(alluxio, stream_id, "close").status == 200
    assert read(coded, "streamed") == CONTENT
