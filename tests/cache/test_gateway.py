"""A gateway with a cache before a real HDFS: who may read, what is fresh, what is fetched once."""

from __future__ import annotations

import hashlib
import random
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import requests

from tests.conftest import HADOOP, furnish
from tests.contract.client import CONTENT, Files, errors_of, fresh_name
from tests.contract.wire import Wire
from tests.gateway import PASSWORD, Gateway, wait_for
from tests.live.interceptor import Interceptor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hadoop.cluster import Cluster

pytestmark = list(HADOOP)
MIB = 1024**2
READERS = 50
WORKERS = 3


class Counting(Interceptor):
    """Passes everything on, and notes what was asked to be opened, as "offset+length"."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.opened: list[tuple[int, int]] = []

    def _is_it(self, piece: bytes) -> bool:
        line = piece.partition(b"\r\n")[0]
        if b"op=OPEN&" in line:
            found = [re.search(name + rb"=(\d+)", line) for name in (b"offset", b"length")]
            self.opened.append(tuple(int(one[1]) if one else 0 for one in found))
        return super()._is_it(piece)


@pytest.fixture(scope="module", params=["namenode", "httpfs"])
def upstream(hadoop: Cluster, request: pytest.FixtureRequest) -> Iterator[Counting]:
    """Yield each door of the cluster behind a proxy that counts."""
    urls = {"namenode": hadoop.namenode_url, "httpfs": hadoop.httpfs_url}
    with Counting(urls[request.param]) as counting:
        yield counting


@pytest.fixture(scope="module")
def cached(
    hadoop: Cluster, upstream: Counting, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    """Yield a gateway of several workers with a cache, whose workers may be killed."""
    directory = tmp_path_factory.mktemp("cached")
    settings = {
        "backend": {"rpc": "off"},  # what is counted is WebHDFS
        "cache": {"mountpaths": [str(directory / "disk")], "chunk_size": MIB,
                  "capacity": 512 * MIB},
        "upload": {"lease_seconds": 2.0, "sweep_seconds": 0.5}}
    with Gateway(directory, backend=upstream.url, superuser=hadoop.superuser, workers=WORKERS,
                 settings=settings) as made:
        furnish(made)
        yield made


@pytest.fixture
def files(cached: Gateway, request: pytest.FixtureRequest) -> Files:
    """Return the user `someone` (alice) with a new directory of their own."""
    door = request.node.callspec.params["upstream"]
    work = Files(cached, door, f"/user/alice/{fresh_name('cache')}")
    work.call("PUT", "/f/directory", 201, path=work.directory, permission="755")
    return work


def figure(gateway: Gateway, name: str) -> float:
    """Return a figure of /metrics, added up over its labels."""
    text = gateway.request("GET", "/metrics", user=None).text
    found = re.findall(rf"^httpfs_proxy_cache_{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
    assert found, text
    return sum(map(float, found))


def settled(gateway: Gateway, name: str, least: float) -> float:
    """Return a figure once all workers have told theirs, which makes it `least` or more."""
    return wait_for(name, lambda: (now := figure(gateway, name)) >= least and now)


def test_a_permission_that_is_revoked_is_revoked_at_once(files: Files) -> None:
    other = files.by("other")
    files.put("f", b"for both", permission="644")
    assert other.read("f") == b"for both"
    files.call("PUT", "/f/file/permission", 204, path=files.at("f"), permission="600")
    for _ in range(2 * WORKERS):
        other.get("f", 403)
    assert files.read("f") == b"for both"
    files.call("PUT", "/f/file/permission", 204, path=files.at("f"), permission="644")
    assert other.read("f") == b"for both"
    files.call("PUT", "/f/file/permission", 204, path=files.directory, permission="700")
    other.get("f", 403)


def test_a_file_that_is_gone_is_gone_at_once(files: Files) -> None:
    files.put("f", b"here")
    assert files.read("f") == b"here"
    files.call("DELETE", "/f/file", 204, path=files.at("f"))
    assert "no such file" in errors_of(files.get("f", 404))


@pytest.mark.parametrize("size", [1000, 3 * MIB])
def test_what_is_changed_behind_the_gateway_is_seen_at_once(
    files: Files, hadoop: Cluster, size: int,
) -> None:
    chance = random.Random(size)
    whole = b"first"
    files.put("f", whole)
    behind = f"{hadoop.namenode_url}/webhdfs/v1{files.at('f')}?user.name=alice&op="
    for turn in range(6):
        content = chance.randbytes(size)
        if turn % 3 == 0:
            answer = requests.put(f"{behind}CREATE&overwrite=true", data=content, timeout=60)
        elif turn % 3 == 1:
            answer = requests.post(f"{behind}APPEND", data=content, timeout=60)
            content = whole + content
        else:
            # In place, and of the same length as before.
            assert requests.post(f"{behind}TRUNCATE&newlength=0", timeout=60).json()["boolean"]
            content = chance.randbytes(len(whole))
            answer = requests.post(f"{behind}APPEND", data=content, timeout=60)
        assert answer.ok, answer.text
        for _ in range(WORKERS):
            assert files.read("f") == content
        whole = content


def test_a_snapshot_is_not_the_file_of_today(files: Files) -> None:
    files.by("admin").call(
        "PUT", "/f/snapshot", 204, path=files.directory, allowed="true")
    files.put("f", b"old " * 1000)
    assert files.read("f") == b"old " * 1000
    files.call("POST", "/f/snapshot", 201, path=files.directory, name="s")
    files.append("f", b"new")
    assert files.read("f") == b"old " * 1000 + b"new"
    assert files.read(".snapshot/s/f") == b"old " * 1000
    files.call("DELETE", "/f/file", 204, path=files.at("f"))
    assert files.read(".snapshot/s/f") == b"old " * 1000
    files.call("DELETE", "/f/snapshot", 204, path=files.directory, name="s")
    files.by("admin").call("PUT", "/f/snapshot", 204, path=files.directory, allowed="false")


def test_many_readers_at_once_over_several_workers_fetch_once(
    files: Files, cached: Gateway, upstream: Counting,
) -> None:
    content = random.Random(1).randbytes(24 * MIB)
    files.put("f", content)
    fetched = settled(cached, "fetched_bytes_total", 0)
    wanted, together = hashlib.sha256(content).digest(), threading.Barrier(READERS)
    upstream.opened.clear()

    def read(_: int) -> bool:
        together.wait(60)
        answer = requests.get(
            cached.url + CONTENT, params={"path": files.at("f")}, auth=("someone", PASSWORD),
            headers={"Accept-Encoding": "identity"}, timeout=120)
        return hashlib.sha256(answer.content).digest() == wanted

    with ThreadPoolExecutor(READERS) as pool:
        assert all(pool.map(read, range(READERS)))
    opened = [offset for offset, _ in upstream.opened]
    assert len(opened) == len(set(opened)), "no chunk was asked for twice"
    assert len(opened) <= 24
    now = settled(cached, "fetched_bytes_total", fetched + len(content))
    assert now == fetched + len(content)
    upstream.opened.clear()
    assert files.read("f") == content
    assert not upstream.opened


def test_what_a_killed_worker_was_fetching_is_fetched_by_another(
    files: Files, cached: Gateway,
) -> None:
    content = random.Random(2).randbytes(32 * MIB)
    files.put("f", content)
    for _ in range(4):
        with Wire(cached) as wire:
            wire.send_head("GET", f"{CONTENT}?path={files.at('f')}", [])
            assert wire.socket.recv(1000)
            cached.kill_worker(cached.worker_of(wire.socket))
        assert files.read("f") == content
        wait_for("a new worker", lambda: len(cached.workers()) == WORKERS)
        files.call("POST", CONTENT, 201, path=files.at("f"), data=b"x", headers={
            "Content-Type": "application/octet-stream"})
        content += b"x"
    assert files.read("f") == content


def test_clients_that_take_nothing_hold_nobody_up(files: Files, cached: Gateway) -> None:
    content = random.Random(3).randbytes(48 * MIB)
    files.put("f", content)
    idle: list[Wire] = []
    try:
        for _ in range(10):
            wire = Wire(cached)
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            wire.send_head("GET", f"{CONTENT}?path={files.at('f')}", [])
            idle.append(wire)
        for wire in idle:
            assert wire.socket.recv(1000)
        assert files.read("f") == content
    finally:
        for wire in idle:
            wire.socket.close()


def test_figures(files: Files, cached: Gateway) -> None:
    before = {name: figure(cached, name) for name in (
        "hits_total", "misses_total", "served_bytes_total", "used_bytes")}
    files.put("f", b"x" * 3 * MIB)
    for _ in range(3):
        files.read("f")
    assert settled(cached, "served_bytes_total", before["served_bytes_total"] + 9 * MIB)
    assert settled(cached, "misses_total", before["misses_total"] + 1)
    assert settled(cached, "hits_total", before["hits_total"] + 6)
    assert figure(cached, "used_bytes") >= before["used_bytes"] + 3 * MIB
    assert figure(cached, "corrupt_total") == 0
    assert figure(cached, "capacity_bytes") == 512 * MIB


@pytest.mark.slow
@pytest.mark.parametrize("upstream", ["namenode"], indirect=True, scope="module")
def test_a_gibibyte_at_constant_memory(files: Files, cached: Gateway) -> None:
    block = random.Random(4).randbytes(8 * MIB)
    digest = hashlib.sha256()

    def content() -> Iterator[bytes]:
        for number in range(128):
            piece = b"%08d" % number + block[8:]
            digest.update(piece)
            yield piece

    files.put("warm", block)
    for _ in range(2 * WORKERS):
        files.read("warm")
    files.put("large", content())
    before = cached.memory()
    for _ in range(2):
        got, peak = hashlib.sha256(), before
        answer = cached.request("GET", CONTENT, params={"path": files.at("large")}, stream=True,
                                headers={"Accept-Encoding": "identity"})
        for number, piece in enumerate(answer.iter_content(MIB)):
            got.update(piece)
            if number % 64 == 0:
                peak = max(peak, cached.memory())
        assert got.digest() == digest.digest()
        assert peak - before < 64 * MIB
    files.call("DELETE", "/f/file", 204, path=files.at("large"))
