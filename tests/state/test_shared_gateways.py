"""Two gateways, as on two hosts, that share one state store on a server."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.contract.client import CONTENT, OCTETS, Files, visible_and_hidden
from tests.contract.wire import Wire
from tests.gateway import Gateway, wait_for

from .servers import QUOTED, PostgresServer, RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .servers import Server

pytestmark = pytest.mark.gunicorn
FAILURES = 3
BOUND = 15.0
"""Seconds; more than a call of the store may wait, for a connection and for an answer."""


@pytest.fixture(params=[PostgresServer, RedisServer], ids=["postgres", "redis"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Yield a server of this test alone."""
    with request.param() as server:
        yield server


@pytest.fixture
def url(server: Server) -> str:
    return server.url()


@pytest.fixture
def gateways(tmp_path: Path, url: str) -> Iterator[list[Gateway]]:
    """Yield two gateways over one local directory; one is told of the store by its environment."""
    shared = {"upload": {"sweep_seconds": 0.5}, "node": {"lease_seconds": 2},
              "auth": {"lockout_failures": FAILURES, "lockout_seconds": 300}}
    with ExitStack() as running:
        yield [running.enter_context(gateway) for gateway in (
            Gateway(tmp_path / "one", backend=f"embedded://{tmp_path}/hdfs",
                    settings={"state_url": url, **shared}),
            Gateway(tmp_path / "two", backend=f"embedded://{tmp_path}/hdfs",
                    settings=shared, environment={"GATEWAY_STATE_URL": url}),
        )]


def test_they_share_lockouts_and_outlive_the_store(
    server: Server, url: str, gateways: list[Gateway],
) -> None:
    one, two = gateways
    assert status(two) == 200
    for _ in range(FAILURES):
        assert status(one, auth=("other", "wrong")) == 401
    assert status(two, auth=("other", "secret")) == 429
    assert status(two, auth=("other", "secret")) == 429
    server.kill()
    began = time.monotonic()
    assert {each.request("GET", "/readyz", user=None).status_code for each in gateways} == {503}
    assert {status(each, auth=("other", "wrong")) for each in gateways} == {503}
    assert time.monotonic() - began < 4 * BOUND
    server.start()
    for gateway in gateways:
        wait_for("ready again", lambda each=gateway: each.request(
            "GET", "/readyz", user=None).status_code == 200)
        assert status(gateway, auth=("other", "secret")) == 429
    for gateway in gateways:
        logged = gateway.logged()
        assert "StorageFault" in logged
        assert QUOTED not in logged
        assert url not in logged
        assert not (gateway.directory / "data" / "state.db").exists()


def test_workers_that_start_while_the_store_is_away_serve_when_it_is_back(
    server: Server, gateways: list[Gateway],
) -> None:
    one, _ = gateways
    one.make_home("alice")
    server.kill()
    for pid in one.workers():
        one.kill_worker(pid)
    wait_for("other workers", lambda: len(one.workers()) == 2)
    wait_for("the server to listen", lambda: one.request(
        "GET", "/healthz", user=None).status_code == 200)
    assert one.request("GET", "/readyz", user=None).status_code == 503
    server.start()
    wait_for("ready", lambda: one.request("GET", "/readyz", user=None).status_code == 200)
    uploaded = one.request("PUT", "/f/file/content", params={"path": "f"}, data=b"content")
    assert uploaded.status_code == 201, uploaded.text
    assert one.request("GET", "/f/file/content", params={"path": "f"}).content == b"content"


def test_one_removes_what_the_other_staged_and_did_not_live_to_publish(
    gateways: list[Gateway],
) -> None:
    """The journal of uploads is in the store, so whoever is left looks after it."""
    one, two = gateways
    two.make_home("alice")
    files = Files(two, "embedded", "/user/alice/shared")
    files.call("PUT", "/f/directory", 201, path=files.directory)
    files.put("old", b"old")
    with Wire(one) as wire:
        wire.send_head("PUT", f"{CONTENT}?path={files.at('old')}&overwrite=true",
                       [*OCTETS.items(), ("Transfer-Encoding", "chunked")])
        for _ in range(8):
            wire.send_chunk(bytes(1 << 18))
        wait_for("a hidden file", lambda: visible_and_hidden(files) == ["old", "?"])
        workers = one.workers()
        os.kill(one.master, signal.SIGKILL)
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        assert wire.at_end()
    wait_for("only the old file", lambda: visible_and_hidden(files) == ["old"], seconds=40)
    assert files.read("old") == b"old"


def status(gateway: Gateway, **options: object) -> int:
    return gateway.request("GET", "/f/home-directory", **options).status_code
