"""Hadoop's RPC beside WebHDFS in a real gateway: its NameNode ends, comes back, and is safe."""

from __future__ import annotations

import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.conftest import HADOOP
from tests.gateway import Gateway, wait_for
from tests.hadoop.cluster import Cluster
from tests.live.conftest import new_directory, quick_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.client import Files

pytestmark = list(HADOOP)
IN_USE, LEFT, AGAIN = (
    "is used beside WebHDFS", "WebHDFS does it all", "is used again beside WebHDFS")
CONTENT = bytes(range(256)) * 4096


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("hadoop"), httpfs=False) as made:
        made.make_user("alice")
        made.make_user("bob")
        yield made


@pytest.fixture(scope="module")
def gateway(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with quick_gateway(tmp_path_factory.mktemp("gateway"), backend=cluster.namenode_url,
                       superuser=cluster.superuser) as made:
        yield made


@pytest.fixture
def files(gateway: Gateway) -> Files:
    return new_directory(gateway, "namenode")


def told(gateway: Gateway, words: str) -> int:
    """Return how often the workers have logged something."""
    return gateway.logged().count(words)


def counted(gateway: Gateway, what: str, lane: str) -> float:
    """Return what the figures tell of the lanes of all workers."""
    text = gateway.request("GET", "/metrics", user=None).text
    found = re.search(rf'^httpfs_proxy_{what}{{lane="{lane}",\S+ (\S+)$', text, re.MULTILINE)
    assert found, text
    return float(found[1])


def test_a_namenode_that_ends_and_comes_back(cluster: Cluster, files: Files) -> None:
    gateway = files.gateway
    files.put("f", CONTENT)
    assert files.read("f") == CONTENT
    assert told(gateway, IN_USE) >= 1
    assert told(gateway, LEFT) == 0
    assert counted(gateway, "open_lanes", "rpc") >= 1
    assert counted(gateway, "open_lanes", "data") >= 1
    cluster.kill_namenode()
    refused = gateway.request("PUT", "/f/directory", params={"path": files.at("new")})
    assert refused.status_code == 503, refused.text
    cluster.start_namenode()
    # It answers before its DataNode has told it of all blocks.
    wait_for("the file is read", lambda: gateway.request(
        "GET", "/f/file/content", params={"path": files.at("f")}).content == CONTENT)
    files.put("g", CONTENT)
    # By now it may be the other worker that is asked.
    wait_for("it is used again", lambda: files.read("g") == CONTENT and told(
        gateway, IN_USE) + told(gateway, AGAIN) >= 2)
    assert told(gateway, LEFT) >= 1
    assert counted(gateway, "lost_lanes_total", "rpc") == told(gateway, LEFT)
    assert counted(gateway, "lost_lanes_total", "data") == 0
    files.call("PUT", "/f/name", 201, path=files.at("g"), destination=files.at("h"))
    assert files.read("h") == CONTENT


def test_a_namenode_in_safe_mode_is_read_and_refuses_changes(
    cluster: Cluster, files: Files,
) -> None:
    files.put("f", CONTENT)
    admin = cluster.tool("org.apache.hadoop.hdfs.tools.DFSAdmin", "-safemode")
    subprocess.run([*admin, "enter"], check=True, capture_output=True)
    try:
        assert files.read("f") == CONTENT
        for method, url, params in (
            ("PUT", "/f/directory", {"path": files.at("new")}),
            ("DELETE", "/f/file", {"path": files.at("f")}),
            ("PUT", "/f/name", {"path": files.at("f"), "destination": files.at("g")}),
        ):
            refused = files.gateway.request(method, url, params=params)
            assert refused.status_code == 503, refused.text
            assert "SafeModeException" in refused.text
    finally:
        subprocess.run([*admin, "leave"], check=True, capture_output=True)
    files.put("g", CONTENT)
    assert files.names() == ["f", "g"]


def test_a_namenode_that_hangs_is_not_waited_for_by_everybody(
    cluster: Cluster, files: Files,
) -> None:
    files.put("f", CONTENT)
    cluster.kill_namenode(signal.SIGSTOP)
    try:
        late = files.gateway.request("GET", "/f/file/status", params={"path": files.at("f")})
    finally:
        cluster.kill_namenode(signal.SIGCONT)
    assert late.status_code in (503, 504), late.text
    wait_for("calls succeed", lambda: files.gateway.request(
        "GET", "/f/file/status", params={"path": files.at("f")}).status_code == 200)
    assert files.read("f") == CONTENT
