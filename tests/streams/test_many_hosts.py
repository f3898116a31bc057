"""Streams over several gateways, as on several hosts, that share Redis or PostgreSQL; real HDFS."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.gateway import Gateway, wait_for
from tests.state.servers import PostgresServer, RedisServer
from tests.streams.conftest import HOME, Alluxio, furnished
from tests.streams.test_transfers import UNKNOWN, closed, got, on, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.hadoop.cluster import Cluster

pytestmark = [pytest.mark.hadoop, pytest.mark.gunicorn]
IDLE = 3.0


@pytest.fixture(scope="module", params=[PostgresServer, RedisServer], ids=["postgres", "redis"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the URL of a state store on a server."""
    with request.param() as server:
        yield server.url()


@pytest.fixture(scope="module")
def hosts(
    url: str, hadoop: Cluster, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Gateway, Gateway]]:
    """Yield two gateways."""
    with ExitStack() as running:
        one, two = (running.enter_context(host(tmp_path_factory.mktemp("host"), hadoop, url))
                    for _ in range(2))
        yield one, two


def host(directory: Path, hadoop: Cluster, url: str, idle: float = 3600.0) -> Gateway:
    """Return a gateway of its own host that shares the state store."""
    return Gateway(
        directory, backend=hadoop.namenode_url, superuser=hadoop.superuser,
        settings={"state_url": url, "upload": {"sweep_seconds": 0.5},
                  "node": {"lease_seconds": 2},
                  "streams": {"idle_seconds": idle, "sweep_seconds": 0.5}})


@pytest.fixture
def first(hosts: tuple[Gateway, Gateway]) -> Alluxio:
    """Return a client of the first gateway, with an empty directory."""
    return furnished(hosts[0])


def kill(gateway: Gateway) -> None:
    """Kill a gateway, all of it, as a host that loses its power does."""
    for pid in (gateway.master, *gateway.workers()):
        os.kill(pid, signal.SIGKILL)


def test_each_request_goes_to_another_and_one_dies_between(
    first: Alluxio, hosts: tuple[Gateway, Gateway],
) -> None:
    one, two = hosts
    second = Alluxio(two)
    stream_id = opened(first)
    assert on(second, stream_id, "write", b"second, ").json == 8
    assert on(first, stream_id, "write", b"first, ").json == 7
    assert second.info(f"{HOME}/file")["completed"] is False
    kill(one)
    assert on(second, stream_id, "write", b"alone").json == 5
    one.stop()
    one.start()
    closed(first, stream_id)
    assert got(second) == b"second, first, alone"
    reading = opened(second, action="open-file")
    assert on(first, reading, "read").body == b"second, first, alone"
    assert on(second, reading, "read").body == b""
    closed(first, reading)
    assert on(second, reading, "read").message == UNKNOWN


def test_many_who_close_at_once_close_it_once(
    first: Alluxio, hosts: tuple[Gateway, Gateway],
) -> None:
    clients = [Alluxio(gateway) for gateway in hosts for _ in range(4)]
    stream_id = opened(first)
    assert on(first, stream_id, "write", b"content").json == 7
    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(lambda client: on(client, stream_id, "close"), clients))
    assert [answer.status for answer in answers].count(200) == 1
    assert {answer.code for answer in answers if answer.status != 200} <= {"INTERNAL", "ABORTED"}
    assert got(first) == b"content"


def test_what_nobody_closes_is_removed_by_another_host(
    first: Alluxio, hosts: tuple[Gateway, Gateway], url: str, hadoop: Cluster, tmp_path: Path,
) -> None:
    stream_id = opened(first, "new/deep/file", recursive=True)
    assert on(first, stream_id, "write", b"content").json == 7
    for gateway in hosts:
        gateway.stop()
    with host(tmp_path, hadoop, url, IDLE) as other:
        client = Alluxio(other)
        wait_for("the idle stream to be gone", lambda: client.act(
            f"{HOME}/new", "exists").json is False, seconds=30)
        assert on(client, stream_id, "write", b"more").message == UNKNOWN
        assert client.act(HOME, "list-status", {"recursive": True}).json == []
    for gateway in hosts:
        gateway.start()
