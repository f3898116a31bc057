"""The cluster's processes killed, hung and restarted under transfers."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.conftest import HADOOP, HADOOP_USERS, furnish
from tests.contract.client import CONTENT, OCTETS, Files, visible_and_hidden
from tests.contract.wire import Wire
from tests.gateway import Gateway, wait_for
from tests.hadoop.cluster import Cluster
from tests.live.conftest import QUICK, new_directory
from tests.streams.conftest import Alluxio
from tests.streams.test_transfers import on

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = list(HADOOP)

OLD = b"the old content " * 1000
PIECE = os.urandom(1 << 18)
BIG = PIECE * 256
DOORS = ["namenode", "httpfs"]
IMPATIENT = {**QUICK, "backend": {**QUICK["backend"], "read_timeout": 4.0}}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Yield a cluster of our own: what is done to it would disturb the others."""
    with Cluster(tmp_path_factory.mktemp("broken")) as cluster:
        for user in HADOOP_USERS:
            cluster.make_user(user)
        yield cluster


@pytest.fixture(scope="module")
def gateways(
    broken: Cluster, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Gateway]]:
    """Yield a gateway by each door."""
    urls = {"namenode": broken.namenode_url, "httpfs": broken.httpfs_url}
    running = {
        door: Gateway(tmp_path_factory.mktemp(door), backend=url, settings=IMPATIENT,
                      superuser=broken.superuser)
        for door, url in urls.items()
    }
    try:
        for gateway in running.values():
            gateway.start()
            furnish(gateway)
        yield running
    finally:
        for gateway in running.values():
            gateway.stop()


@pytest.fixture(params=DOORS)
def files(gateways: dict[str, Gateway], request: pytest.FixtureRequest) -> Files:
    """Return the user `someone` with a new directory and the file `old` in it."""
    work = new_directory(gateways[request.param], request.param)
    work.put("old", OLD)
    return work


@pytest.mark.parametrize(("method", "more"), [("PUT", "&overwrite=true"), ("POST", "")],
                         ids=["overwrite", "append"])
def test_a_datanode_killed_in_the_middle_of_an_upload(
    files: Files, broken: Cluster, method: str, more: str,
) -> None:
    with Wire(files.gateway, timeout=60) as wire:
        wire.send_head(method, f"{CONTENT}?path={files.at('old')}{more}",
                       [*OCTETS.items(), ("Transfer-Encoding", "chunked")])
        for _ in range(8):
            wire.send_chunk(PIECE)
        wait_for("a hidden file", lambda: "?" in visible_and_hidden(files))
        broken.kill_datanode(0)
        try:
            refusal = refused(wire)
        finally:
            broken.start_datanode(0)
    assert refusal is None or refusal in (502, 503, 504)
    assert files.read("old") == OLD
    wait_for("only the old file", lambda: visible_and_hidden(files) == ["old"], seconds=90)
    files.append("old", b"!")
    files.put("old", b"new", overwrite="true")
    assert files.read("old") == b"new"


@pytest.mark.parametrize("files", ["namenode"], indirect=True)
def test_a_datanode_killed_in_the_middle_of_a_stream(files: Files, broken: Cluster) -> None:
    alluxio, kept = Alluxio(files.gateway), b"acknowledged, " * 1000
    stream_id = alluxio.act(files.at("streamed"), "create-file").json
    assert on(alluxio, stream_id, "write", kept).json == len(kept)
    with Wire(files.gateway, timeout=60) as wire:
        wire.send_head("POST", f"/api/v1/streams/{stream_id}/write",
                       [*OCTETS.items(), ("Transfer-Encoding", "chunked")])
        for _ in range(8):
            wire.send_chunk(PIECE)
        broken.kill_datanode(0)
        try:
            refusal = refused(wire)
        finally:
            broken.start_datanode(0)
    assert refusal in (None, 500)
    wait_for("the stream to go on", lambda: on(
        alluxio, stream_id, "write", b"and more").status == 200, seconds=120)
    assert on(alluxio, stream_id, "close").status == 200
    assert files.read("streamed") == kept + b"and more"
    wait_for("nothing hidden", lambda: visible_and_hidden(files) == ["old", "streamed"], seconds=90)


def refused(wire: Wire) -> int | None:
    """Send on until the gateway answers or closes; return the status."""
    wire.socket.settimeout(1)
    deadline = time.monotonic() + 60
    try:
        while time.monotonic() < deadline and wire.silent(0.01):
            wire.send_chunk(PIECE)
    except TimeoutError:
        pass  # the gateway takes no more: it waits for the cluster
    except OSError:
        return None
    wire.socket.settimeout(60)
    try:
        return wire.answer().status
    except OSError:
        return None


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a_datanode_killed_in_the_middle_of_a_download(
    files: Files, broken: Cluster, coding: str,
) -> None:
    files.put("big", BIG)
    with Wire(files.gateway, timeout=60) as wire:
        wire.send_head("GET", f"{CONTENT}?path={files.at('big')}", [("Accept-Encoding", coding)])
        assert wire.socket.recv(1 << 16, 2)  # MSG_PEEK: the first bytes have come
        broken.kill_datanode(0)
        try:
            got = wire.answer()
        finally:
            broken.start_datanode(0)
    assert got.status == 200
    # The socket buffers on the way hold a few megabytes, not all of it.
    assert not got.whole
    assert files.read("big") == BIG


def test_a_hanging_datanode_is_too_slow(files: Files, broken: Cluster) -> None:
    broken.kill_datanode(0, signal.SIGSTOP)
    try:
        started = time.monotonic()
        answer = files.gateway.request(
            "GET", CONTENT, params={"path": files.at("old")}, timeout=100)
        assert answer.status_code in (502, 503, 504), answer.text
        assert time.monotonic() - started < 60
    finally:
        broken.kill_datanode(0, signal.SIGCONT)
    wait_for("the content again", lambda: files.gateway.request(
        "GET", CONTENT, params={"path": files.at("old")}).content == OLD, seconds=60)


def test_a_namenode_that_goes_and_comes_back(
    gateways: dict[str, Gateway], broken: Cluster,
) -> None:
    works = [new_directory(gateways[door], door) for door in DOORS]
    for files in works:
        files.put("f", OLD)
    tags = [files.get("f").headers["ETag"] for files in works]
    broken.kill_namenode()
    try:
        for files in works:
            started = time.monotonic()
            answer = files.gateway.request(
                "GET", "/f/file/status", params={"path": files.at("f")}, timeout=100)
            assert answer.status_code in (503, 504), answer.text
            assert time.monotonic() - started < 40
            ready = files.gateway.request("GET", "/readyz", user=None)
            assert ready.status_code in (503, 504)
    finally:
        broken.start_namenode()
    for files, tag in zip(works, tags, strict=True):
        wait_for("ready again", lambda files=files: files.gateway.request(
            "GET", "/readyz", user=None).status_code == 200, seconds=60)
        answer = files.get("f")
        assert (answer.content, answer.headers["ETag"]) == (OLD, tag)
        files.put("f", b"new", overwrite="true")


def test_everything_restarted(gateways: dict[str, Gateway], broken: Cluster) -> None:
    works = [new_directory(gateways[door], door) for door in DOORS]
    for files in works:
        files.put("f", OLD)
    for gateway in gateways.values():
        gateway.stop()
    broken.kill_httpfs()
    broken.kill_namenode()
    broken.kill_datanode(0)
    broken.start_namenode()
    broken.start_datanode(0)
    broken.start_httpfs()
    for gateway in gateways.values():
        gateway.start()
    for files in works:
        assert files.read("f") == OLD
        files.append("f", b"!")
        assert files.read("f") == OLD + b"!"
