"""Three NameNodes and three DataNodes behind the gateway: they change and die under load."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import furnish
from tests.contract.client import CONTENT, OCTETS, visible_and_hidden
from tests.contract.wire import Wire
from tests.gateway import Gateway, wait_for
from tests.hadoop.ha import HaCluster
from tests.live.conftest import new_directory
from tests.live.slow_uploads import OLD, PIECE, Upload, started_uploads
from tests.live.worlds import HONEST, Client, Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.contract.client import Files

pytestmark = [pytest.mark.hadoop, pytest.mark.gunicorn]

SETTINGS = {
    "upload": {"lease_seconds": 2.0, "sweep_seconds": 0.5},
    "backend": {"retry_deadline": 3.0, "connect_timeout": 2.0, "read_timeout": 15.0},
}
CLIENTS = 8
DATANODES = 3
BIG = os.urandom(1 << 20) * 48
IDEMPOTENT = frozenset({"get", "list"})
# The promise: so long after a takeover the gateway is ready, and calls succeed.
RECOVERY_SECONDS = 10.0
# No promise, only patience: ten writes of each client meet the DataNode's pauses on a busy machine.
CALLS_SECONDS = 60.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HaCluster]:
    with HaCluster(tmp_path_factory.mktemp("ha"), namenodes=3, datanodes=DATANODES,
                   conf={"dfs.replication": "2"}) as running:
        running.make_user("alice")
        yield running


@pytest.fixture(scope="module")
def gateway(
    cluster: HaCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    standby_first = list(reversed(cluster.namenode_urls))
    with Gateway(tmp_path_factory.mktemp("gateway"), backend=standby_first, settings=SETTINGS,
                 superuser=cluster.superuser) as running:
        furnish(running)
        yield running


@pytest.fixture
def files(cluster: HaCluster, gateway: Gateway) -> Iterator[Files]:
    """Return the user `someone` (alice) in a new directory; afterwards all runs again."""
    yield new_directory(gateway, "namenode")
    for i, name in enumerate(("nn1", "nn2", "nn3")):
        if name not in cluster.pids:
            cluster.start_namenode(i)


@pytest.fixture
def clients(files: Files) -> Iterator[list[Client]]:
    """Return clients at work, each in its own directory."""
    several = []
    for i in range(CLIENTS):
        files.mkdir(f"client-{i}")
        several.append(Client(files.gateway.url, files.at(f"client-{i}"), i))
    for client in several:
        client.start()
    yield several
    for client in several:
        client.finish()


def seen_since(clients: list[Client], moment: float = 0.0) -> list[Seen]:
    return [seen for client in clients for seen in list(client.seen) if seen.began >= moment]


def failures(clients: list[Client], moment: float = 0.0) -> list[Seen]:
    return [seen for seen in seen_since(clients, moment) if seen.failed]


def right(clients: list[Client]) -> bool:
    """Fail as soon as any client got a wrong answer."""
    assert [client.wrong for client in clients if client.wrong] == []
    return True


def await_calls(clients: list[Client], moment: float, number: int, seconds: float) -> None:
    """Return when each client has begun and ended as many calls after `moment`, none failed."""
    def done() -> bool:
        return right(clients) and all(
            sum(not seen.failed for seen in seen_since([client], moment)) >= number
            for client in clients)

    wait_for(f"{number} good calls of each client", done, seconds=seconds)


def readiness(gateway: Gateway) -> int:
    return gateway.request("GET", "/readyz", user=None).status_code


def is_readiness(gateway: Gateway, wanted: int) -> Callable[[], bool]:
    return lambda: readiness(gateway) == wanted


def work(files: Files) -> None:
    """Make one call of each kind and look at what came of it."""
    files.put("one", OLD)
    assert files.read("one") == OLD
    files.append("one", PIECE)
    files.call("PUT", "/f/name", 201, path=files.at("one"), destination=files.at("two"))
    assert files.names() == ["two"]
    assert files.read("two") == OLD + PIECE
    files.call("DELETE", "/f/file", 204, path=files.at("two"))
    assert files.names() == []


def test_the_one_that_is_active_is_found(cluster: HaCluster, files: Files) -> None:
    assert cluster.active == 0
    work(files)
    assert readiness(files.gateway) == 200


def test_a_planned_change_fails_no_idempotent_call(
    cluster: HaCluster, files: Files, clients: list[Client]
) -> None:
    before = cluster.active
    assert before is not None
    await_calls(clients, 0, 5, CALLS_SECONDS)
    directory = new_directory(files.gateway, "namenode")
    uploads = started_uploads(directory, "slow-1", "slow-2")
    cluster.transition((before + 1) % 3)
    changed = time.monotonic()
    await_calls(clients, changed, 10, CALLS_SECONDS)
    for upload in uploads:
        upload.finish()
        upload.join(60)
        assert upload.status == 201
        assert directory.read(upload.name_in_directory) == upload.content
    for client in clients:
        client.finish()
    assert right(clients)
    assert [seen for seen in failures(clients) if seen.kind in IDEMPOTENT] == []
    assert failures(clients, changed) == []
    work(new_directory(files.gateway, "namenode"))
    cluster.transition(before)
    work(new_directory(files.gateway, "namenode"))


def test_kill_9_of_the_active_one_loses_and_doubles_nothing(
    cluster: HaCluster, files: Files, clients: list[Client]
) -> None:
    victim = cluster.active
    assert victim is not None
    await_calls(clients, 0, 10, CALLS_SECONDS)
    assert failures(clients) == []
    directory = new_directory(files.gateway, "namenode")
    in_flight = started_uploads(directory, "ends-later", "ends-without-anybody")
    cluster.kill_namenode(victim)
    killed = time.monotonic()
    in_flight[1].finish()
    wait_for("nobody is active", is_readiness(files.gateway, 503))
    refused = files.gateway.request("PUT", CONTENT, params={"path": directory.at("refused")},
                                    data=PIECE, headers=OCTETS)
    assert refused.status_code in HONEST, refused.text
    while time.monotonic() < killed + 4:
        assert readiness(files.gateway) == 503
        assert right(clients)
        time.sleep(0.1)

    cluster.transition((victim + 2) % 3, force=True)
    taken_over = time.monotonic()
    wait_for("ready again", is_readiness(files.gateway, 200), seconds=RECOVERY_SECONDS)
    await_calls(clients, taken_over, 1, RECOVERY_SECONDS)
    recovered = time.monotonic()
    in_flight[0].finish()
    await_calls(clients, recovered, 10, CALLS_SECONDS)
    for client in clients:
        client.finish()
    assert right(clients)
    assert failures(clients, taken_over + 1) == []
    assert failures(clients), "the load met no outage"
    assert_old_or_new(directory, in_flight)
    names = [upload.name_in_directory for upload in in_flight]
    wait_for("nothing else", lambda: visible_and_hidden(directory) == names, seconds=30)
    assert_nothing_hidden(files)
    work(new_directory(files.gateway, "namenode"))


@pytest.mark.parametrize("victim", range(DATANODES))
def test_a_datanode_killed_in_the_middle_of_downloads_is_not_noticed(
    cluster: HaCluster, files: Files, victim: int,
) -> None:
    names = ["a", "b", "c"]
    for name in names:
        files.put(name, BIG)
    wait_for("two replicas of each", lambda: cluster.degraded_blocks == 0)
    wires = [Wire(files.gateway, timeout=90) for _ in names]
    try:
        for name, wire in zip(names, wires, strict=True):
            wire.send_head("GET", f"{CONTENT}?path={files.at(name)}")
            assert wire.socket.recv(1, 2)  # MSG_PEEK: the first byte has come
        cluster.kill_datanode(victim)
        for wire in wires:
            got = wire.answer()
            assert (got.status, got.whole, got.body == BIG) == (200, True, True)
        # The NameNode names the dead one still.
        assert all(files.read(name) == BIG for name in names)
    finally:
        for wire in wires:
            wire.socket.close()
        cluster.start_datanode(victim)


def test_a_datanode_killed_in_the_middle_of_uploads(cluster: HaCluster, files: Files) -> None:
    names = [f"upload-{i}" for i in range(6)]
    uploads = started_uploads(files, *names)
    cluster.kill_datanode(1)
    try:
        files.put("meanwhile", PIECE)
        for upload in uploads:
            upload.finish()
        assert_old_or_new(files, uploads)
        assert [upload.status for upload in uploads].count(201), "none went on without it"
        assert files.read("meanwhile") == PIECE
        wait_for("nothing else", lambda: visible_and_hidden(files) == ["meanwhile", *names],
                 seconds=90)
    finally:
        cluster.start_datanode(1)


def assert_old_or_new(files: Files, uploads: list[Upload]) -> None:
    """Assert that each file is whole, and the new one where the upload succeeded."""
    for upload in uploads:
        upload.join(60)
        assert not upload.is_alive()
        assert upload.status == 201 or upload.status in {0, *HONEST}
        found = files.read(upload.name_in_directory)
        assert found == upload.content or (upload.status != 201 and found == OLD)


def assert_nothing_hidden(files: Files) -> None:
    """Assert that soon no hidden file is left in the directories of the clients."""
    def file_count() -> Any:
        summary = files.call("GET", "/f/file/summary", path=files.directory).json()
        return summary["result"]["summary"]["fileCount"]

    visible = sum(len(files.names(files.at(f"client-{i}"))) for i in range(CLIENTS))
    wait_for("nothing hidden", lambda: file_count() == visible, seconds=30)
