"""AIStore's cluster: two gateways over one state store."""

from __future__ import annotations

import json
import os
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.aistore.clusters import Member, two
from tests.aistore.conftest import error_of
from tests.contract.client import CONTENT, OCTETS, Files, visible_and_hidden
from tests.contract.wire import Wire
from tests.gateway import wait_for
from tests.state.servers import PostgresServer, RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.gunicorn
NET = {"node_ip_addr": "172.16.175.41", "daemon_port": "8083",
       "direct_url": "http://172.16.175.41:8083"}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Member, Member]]:
    """Yield two gateways of which tests withdraw and return one, and kill none."""
    with two(tmp_path_factory.mktemp("cluster")) as both:
        both[0].gateway.make_home("alice")
        yield both


@pytest.fixture
def pair(started: tuple[Member, Member]) -> tuple[Member, Member]:
    """Return both in service, the first one primary."""
    for each in started:
        each.admin.call("POST", "cluster/register/", {"daemon_id": each.id})
    assert started[0].put(f"cluster/proxy/{started[0].id}") == 200
    for each in started:
        wait_for("who is primary", lambda each=each: primary(each) == started[0].id)
        wait_for("ready", lambda each=each: each.ready() == 200)
    return started


def primary(told_by: Member) -> str:
    """Return the id of the primary gateway."""
    return str(told_by.what("smap")["proxy_si"]["daemon_id"])


def test_both_are_proxy_and_target_in_one(pair: tuple[Member, Member]) -> None:
    one, other = pair
    for each in pair:
        smap = each.what("smap")
        assert set(smap) == {"tmap", "pmap", "non_electable", "proxy_si", "version", "uuid",
                             "creation_time"}
        assert set(smap["tmap"]) == set(smap["pmap"]) == {one.id, other.id}
        assert smap["non_electable"] == {}
        for member_ in pair:
            net = {"node_ip_addr": "127.0.0.1", "daemon_port": str(member_.gateway.port),
                   "direct_url": member_.gateway.url}
            assert smap["tmap"][member_.id] == {
                "daemon_id": member_.id, "daemon_type": "target", "public_net": net,
                "intra_control_net": net, "intra_data_net": net, "flags": 0}
        assert smap["proxy_si"] == smap["pmap"][one.id]
        assert int(smap["version"]) > 0
        snode = each.what("snode")
        assert snode == {**smap["tmap"][each.id], "daemon_type": "proxy"}
    assert one.what("smap") == other.what("smap")


def test_drained_and_returned(pair: tuple[Member, Member]) -> None:
    one, other = pair
    version = int(one.what("smap")["version"])
    with Wire(other.gateway) as wire:
        wire.send_head("PUT", f"{CONTENT}?path=whole&overwrite=true",
                       [*OCTETS.items(), ("Transfer-Encoding", "chunked")])
        wire.send_chunk(b"con")
        gone = one.admin.call("DELETE", f"cluster/daemon/{other.id}")
        assert (gone.status_code, gone.content) == (200, b"")
        wait_for("not ready", lambda: other.ready() == 503)
        told = other.gateway.request("GET", "/readyz", user=None).text
        assert "taken out of service" in told
        smap = one.what("smap")
        assert set(smap["tmap"]) == {one.id}
        assert smap["non_electable"] == {other.id: ""}
        assert int(smap["version"]) > version
        assert one.ready() == 200
        wire.send_chunk(b"tent")
        wire.send_chunk(b"")
        assert wire.answer().status == 201
    read = one.gateway.request("GET", "/f/file/content", params={"path": "whole"})
    assert read.content == b"content"
    # All of a node is sent, as the generated client does; the id is what counts.
    snode = {"daemon_id": other.id, "public_net": NET, "intra_control_net": NET,
             "intra_data_net": NET}
    back = one.admin.call("POST", "cluster/register/", snode)
    assert (back.status_code, back.content) == (200, b"")
    wait_for("ready again", lambda: other.ready() == 200)
    tmap = one.what("smap")["tmap"]
    assert tmap[other.id]["public_net"]["direct_url"] == other.gateway.url


def test_who_is_withdrawn_is_not_primary(pair: tuple[Member, Member]) -> None:
    one, other = pair
    assert other.admin.call("DELETE", f"cluster/daemon/{one.id}").status_code == 200
    assert primary(one) == primary(other) == other.id
    refused = error_of(other.admin.call("PUT", f"cluster/proxy/{one.id}"), 400)
    assert refused == f"New primary proxy {one.id} is withdrawn"
    assert other.what("status")["snode"]["daemon_id"] == other.id
    assert (one.what("status")["status"], other.what("status")["status"]) == ("withdrawn", "")


def test_another_primary(pair: tuple[Member, Member]) -> None:
    one, other = pair
    assert one.put(f"cluster/proxy/{other.id}") == 200
    assert primary(one) == primary(other) == other.id
    # A proxy that is primary may be named again.
    assert one.put(f"cluster/proxy/{other.id}") == 200


def test_unknown_nodes(pair: tuple[Member, Member]) -> None:
    admin = pair[0].admin
    unknown = admin.call("DELETE", "cluster/daemon/15205%3A8083")
    assert error_of(unknown, 404) == "Unknown node 15205:8083"
    conjured = admin.call("POST", "cluster/register/", {
        "daemon_id": "43888:8083", "public_net": NET, "intra_control_net": NET,
        "intra_data_net": NET})
    assert error_of(conjured, 404) == "Unknown node 43888:8083"
    assert "daemon_id" in error_of(admin.call("POST", "cluster/register", {}), 400)
    primary_ = admin.call("PUT", "cluster/proxy/43888%3A8083")
    assert error_of(primary_, 400).startswith("New primary proxy 43888:8083 not present in the")
    assert set(pair[0].what("smap")["pmap"]) == {each.id for each in pair}


def test_statistics_and_system_of_all(pair: tuple[Member, Member]) -> None:
    one, other = pair
    for name in ("a", "b"):
        put = other.gateway.request("PUT", "/f/file/content", data=b"12345", params={
            "path": name, "overwrite": "true"}, headers=OCTETS)
        assert put.status_code == 201, put.text
    read = other.gateway.request("GET", "/f/file/content", params={"path": "a"})
    assert read.content == b"12345"
    missing = other.gateway.request("GET", "/f/file/content", params={"path": "none"})
    assert missing.status_code == 404

    def heard() -> bool:
        core = one.what("stats", "cluster")["target"][other.id]["core"]
        return bool(core["put.n"] >= 2 and core["get.n"] >= 2 and core["err.get.n"] >= 1)

    wait_for("the other's figures", heard)
    stats = one.what("stats", "cluster")
    assert set(stats["target"]) == {one.id, other.id}
    core = stats["target"][other.id]["core"]
    assert core["get.ns"] // 1000 == core["get.µs"] > 0
    assert core["up.ns.time"] > 0
    [(where, capacity)] = stats["target"][one.id]["capacity"].items()
    assert where == "embedded:/"
    assert int(capacity["used"]) > 0 < int(capacity["avail"])
    assert 0 < capacity["usedpct"] == capacity["pct_used"] <= 100
    assert {"get.n", "put.n", "err.n", "kalive.µs.max", "kalive.ns.max"} <= set(stats["proxy"])
    sysinfo = one.what("sysinfo", "cluster")
    assert set(sysinfo["proxy"]) == set(sysinfo["target"]) == {one.id, other.id}
    for told in sysinfo["target"].values():
        assert 10_000_000 < told["mem_used"] < told["mem_avail"] * 100
        assert 0 <= told["pct_cpu_used"] <= 100
        assert 0 < int(told["fs_used"]) < int(told["fs_capacity"])
        assert "fs_live_nodes" not in told  # A local directory has no DataNodes.
    assert one.what("mountpaths", "cluster") == {"targets": {
        each.id: {"available": [], "disabled": []} for each in pair}}


def test_a_setting_of_all_and_of_one(pair: tuple[Member, Member]) -> None:
    one, other = pair

    def beats(each: Member) -> str:
        return str(each.what("config")["periodic"]["stats_time"])

    def level(each: Member) -> str:
        return str(each.what("config")["log"]["level"])

    assert one.put("cluster/", action="setconfig", name="stats_time", value="1s") == 200
    wait_for("both", lambda: [beats(each) for each in pair] == ["1s", "1s"])
    assert one.put("daemon/", action="setconfig", name="log.level", value="DEBUG") == 200
    wait_for("its other workers, too", lambda: {level(one) for _ in range(8)} == {"DEBUG"})
    assert level(other) == "INFO"
    by_query = other.admin.call("PUT", "cluster/setconfig", {"action": "setconfig"},
                                **{"periodic.stats_time": "300ms", "log.level": "INFO"})
    assert by_query.status_code == 200, by_query.text
    wait_for("both again", lambda: [beats(each) for each in pair] == ["300ms", "300ms"])
    wait_for("the level, too", lambda: {level(one) for _ in range(8)} == {"INFO"})


@pytest.mark.parametrize("place", ["cluster", "daemon"])
@pytest.mark.parametrize(("message", "told"), [
    ({"name": "backend.url", "value": "http://elsewhere"}, "cannot be changed at run time"),
    ({"name": "stats_time", "value": "soon"}, "a duration from 200ms to 1h"),
    ({"name": "log.level", "value": "LOUD"}, "`DEBUG`, `INFO`"),
    ({"name": "stats_time"}, "value"), ({"value": "1s"}, "name")])
def test_settings_that_are_refused(
    pair: tuple[Member, Member], place: str, message: dict[str, str], told: str,
) -> None:
    refused = pair[0].admin.call("PUT", place, {"action": "setconfig", **message})
    assert told in error_of(refused, 400)


@pytest.mark.parametrize("server", [PostgresServer, RedisServer], ids=["postgres", "redis"])
def test_who_is_killed_vanishes_and_another_is_primary(
    tmp_path: Path, server: type[PostgresServer | RedisServer],
) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(server()).url()
        one, other = stack.enter_context(two(tmp_path, state=url))
        password = url.split("@")[0].rsplit(":", 1)[1]
        assert password
        assert password not in json.dumps(one.what("config"))
        kill_one_amid_an_upload(one, other)


def kill_one_amid_an_upload(one: Member, other: Member) -> None:
    """Kill the primary gateway: the other takes its place, and sweeps what it left."""
    one.gateway.make_home("alice")
    assert primary(other) == one.id
    files = Files(other.gateway, "embedded", "/user/alice/shared")
    files.call("PUT", "/f/directory", 201, path=files.directory)
    with Wire(one.gateway) as wire:
        wire.send_head("PUT", f"{CONTENT}?path={files.at('left')}",
                       [*OCTETS.items(), ("Transfer-Encoding", "chunked")])
        for _ in range(8):
            wire.send_chunk(bytes(1 << 18))
        wait_for("a hidden file", lambda: visible_and_hidden(files) == ["?"])
        workers = one.gateway.workers()
        for pid in (one.gateway.master, *workers):
            os.kill(pid, signal.SIGKILL)
        wait_for("who is left", lambda: set(other.what("smap")["tmap"]) == {other.id})
        assert primary(other) == other.id
        wait_for("its leftovers to be removed", lambda: not visible_and_hidden(files), seconds=60)
    assert set(other.what("stats", "cluster")["target"]) == {other.id}
