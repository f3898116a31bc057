"""AIStore's daemon: what one gateway tells of itself, and what admins do to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from app.aistore.config_view import own
from app.aistore.table import OPERATIONS
from app.settings import NodeSettings, Settings, WebSettings
from tests.aistore.clusters import Member, member
from tests.aistore.conftest import AIStore, error_of
from tests.contract.client import OCTETS
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.gunicorn
BALANCER = """#!/bin/sh
echo "$@" > {arguments}
while [ ! -e {go} ]; do sleep 0.05; done
echo "the cluster is balanced"
echo "or is it" >&2
exit $(cat {go})
"""


class World:
    """A gateway with a cache and a balancer that ends when, and as, a test says."""

    def __init__(self, directory: Path) -> None:
        self.disks = [directory / name for name in ("disk1", "disk2")]
        self.go, self.arguments = directory / "go", directory / "arguments"
        script = directory / "balancer"
        script.write_text(BALANCER.format(arguments=self.arguments, go=self.go))
        script.chmod(0o700)
        self.member = member(
            directory, "one", node={"balancer": f"{script} -threshold '5 %'"},
            cache={"mountpaths": [str(self.disks[0])]})

    @property
    def admin(self) -> AIStore:
        """An admin who talks to the gateway."""
        return self.member.admin

    def mountpath(self, method: str, action: str, path: Path | str) -> Any:
        """Do something to a mountpath."""
        return self.admin.call(
            method, "daemon/mountpaths", {"action": action, "value": str(path)})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Yield the gateway with a cache."""
    made = World(tmp_path_factory.mktemp("daemon"))
    with made.member.gateway:
        made.member.gateway.make_home("alice")
        yield made


@pytest.fixture(scope="module")
def plain(embedded_aistore: Any) -> Member:
    """Return a gateway as it is without settings."""
    return Member(embedded_aistore)


# --- admins alone


def test_all_that_concerns_gateways_is_for_admins(plain: Member) -> None:
    operations = [each for each in OPERATIONS if each.place[0] in ("cluster", "daemon")]
    assert len(operations) >= 16
    before = plain.what("smap")
    for each in operations:
        place = "/".join("some-id" if part == "*id" else part for part in each.place)
        for action in each.actions or ("",):
            message = {"action": action, "name": "stats_time", "value": "1s"}
            asked = plain.admin.as_user("someone").call(each.methods[0], place, message)
            assert error_of(asked, 403) == (
                "permission denied: it is for users with the role admin"), each
            nobody = plain.admin.as_user(None).call(each.methods[0], place, message)
            assert nobody.status_code == 401, each
    assert plain.what("smap") == before
    assert plain.ready() == 200


# --- what it tells


def test_each_subject_has_its_shape(world: World) -> None:
    told = world.member.what
    snode = told("snode")
    assert snode == told("daemoninfo")
    status = told("status")
    assert set(status) >= {"snode", "daemon_stats", "capacity", "sys_info", "smap_version",
                           "status"}
    assert status["snode"] == snode
    assert status["smap_version"] == told("smap")["version"]
    stats = told("stats")
    assert set(status["daemon_stats"]) <= set(stats)
    assert set(stats["capacity"]) == {"embedded:/", str(world.disks[0])}
    assert stats["core"]["get.n"] == stats["get.n"]
    sysinfo = told("sysinfo")
    assert set(sysinfo) == {"mem_used", "mem_avail", "pct_mem_used", "pct_cpu_used", "fs_used",
                            "fs_capacity", "pct_fs_used"}
    assert told("mountpaths") == {"available": [str(world.disks[0])], "disabled": []}
    for rates in told("disk").values():
        assert set(rates) == {"RBps", "WBps", "Util"}


def test_the_configuration_is_that_of_the_gateway(world: World) -> None:
    config = world.member.what("config")
    assert config["periodic"] == {"stats_time": "300ms"}
    assert config["fspaths"] == {str(world.disks[0]): ""}
    assert config["rebalance"] == {"enabled": True}
    assert config["proxy"]["primary_url"] == world.member.gateway.url
    assert config["net"]["l4"]["port"] == str(world.member.gateway.port)
    assert config["gateway"]["node"]["lease_seconds"] == 3.0
    assert config["gateway"]["backend"]["url"] == [
        f"embedded://{world.member.gateway.directory.parent}/hdfs"]
    assert "balancer" not in config["gateway"]["node"]


@pytest.mark.parametrize("url", [
    "redis://user:secret@store.example.net/0", "postgresql://user:secret@store.example.net/db",
    "redis://:sec/ret@store.example.net", "rediss://secret@h?ssl_ca_certs=/x"])
def test_the_configuration_has_no_secrets(url: str) -> None:
    settings = Settings(
        state_url=url, web=WebSettings(public_url="https://user:secret@files.example.net/x"),
        node=NodeSettings(url="https://secret@n@ode.example.net", balancer="hdfs secret"))
    told = json.dumps(own(settings))
    assert "secret" not in told
    assert "sec/ret" not in told
    assert "files.example.net" in told
    assert "backend" in own(settings)


def test_buckets_and_what_is_set_for_them(ais: AIStore) -> None:
    admin = Member(ais.gateway).admin
    first = admin.call("GET", "daemon/", what="bmd").json()
    assert first == admin.call("GET", "daemon/", what="bucketmd").json()
    assert set(first) == {"version", "uuid", "providers"}
    made = admin.bucket("POST", "of-the-admin", {"action": "createlb"})
    assert made.status_code == 200, made.text
    try:
        second = admin.call("GET", "daemon/", what="bmd").json()
        assert int(second["version"]) > int(first["version"])
        of_2020, of_2021 = second["providers"]["ais"][""], second["providers"]["ais"]["@#"]
        assert of_2020 == of_2021
        assert of_2020["of-the-admin"]["cksum"]["type"] == "xxhash"
    finally:
        gone = admin.bucket("DELETE", "of-the-admin", {"action": "destroylb"})
    assert gone.status_code == 200, gone.text


def test_what_nobody_tells(plain: Member) -> None:
    for what in ("bogus", ""):
        daemon = error_of(plain.admin.call("GET", "daemon/", what=what), 400)
        assert daemon == f"Invalid GET /daemon request: unrecognized what={what}"
    for what in ("smap", "bogus", "config"):
        cluster = error_of(plain.admin.call("GET", "cluster/", what=what), 400)
        assert cluster == f"unexpected GET request, invalid param 'what': [{what}]"
    refused = plain.admin.call("GET", "cluster/", what="xaction", props="bogus")
    assert "rebalance, prefetch" in error_of(refused, 400)
    for place in ("cluster", "daemon"):
        unknown = plain.admin.call("PUT", place, {"action": "bogus"})
        assert error_of(unknown, 400) == "unexpected action message <- JSON [{bogus  <nil>}]"


# --- mountpaths


def settled(world: World, mountpaths: dict[str, list[str]]) -> None:
    """Wait until each worker has seen what one of them changed."""
    def told() -> bool:
        return all(
            world.member.what("mountpaths") == mountpaths
            and world.member.what("mountpaths", "cluster")["targets"] == {
                world.member.id: mountpaths} for _ in range(4))

    wait_for("the mountpaths in all workers", told)


def test_mountpaths_come_and_go(world: World) -> None:
    first, second = world.disks
    added = world.mountpath("PUT", "add", second)
    assert (added.status_code, added.content) == (200, b"")
    settled(world, {"available": [str(first), str(second)], "disabled": []})
    assert "already exists" in error_of(world.mountpath("PUT", "add", second), 409)
    off = world.mountpath("POST", "disable", second)
    assert (off.status_code, off.content) == (200, b"")
    again = world.mountpath("POST", "disable", second)
    assert (again.status_code, again.content) == (204, b"")
    settled(world, {"available": [str(first)], "disabled": [str(second)]})
    assert world.mountpath("POST", "enable", second).status_code == 200
    assert world.mountpath("POST", "enable", second).status_code == 204
    gone = world.mountpath("DELETE", "remove", second)
    assert (gone.status_code, gone.content) == (200, b"")
    settled(world, {"available": [str(first)], "disabled": []})
    for method, action in (("POST", "enable"), ("POST", "disable"), ("DELETE", "remove")):
        unknown = world.mountpath(method, action, second)
        assert error_of(unknown, 404) == f"mountpath {second} does not exist"


@pytest.mark.parametrize("path", ["", "relative", "/", "/a/../b", "/proc/nothing/here"])
def test_mountpaths_that_cannot_be(world: World, path: str) -> None:
    refused = world.mountpath("PUT", "add", path)
    assert error_of(refused, 400)
    assert world.member.what("mountpaths")["available"] == [str(world.disks[0])]


def test_without_a_cache_there_are_no_mountpaths_to_change(plain: Member) -> None:
    for method, action in (("PUT", "add"), ("POST", "enable"), ("POST", "disable"),
                           ("DELETE", "remove")):
        answer = plain.admin.call(
            method, "daemon/mountpaths", {"action": action, "value": "/mount/path"})
        assert "cache.mountpaths" in error_of(answer, 501)
    assert plain.what("mountpaths") == {"available": [], "disabled": []}
    assert plain.what("disk") == {}


def test_what_the_cache_did_is_told(world: World) -> None:
    gateway = world.member.gateway
    put = gateway.request("PUT", "/f/file/content", data=b"x" * 1000, headers=OCTETS,
                          params={"path": "cached", "overwrite": "true"})
    assert put.status_code == 201, put.text
    for _ in range(2):
        read = gateway.request("GET", "/f/file/content", params={"path": "cached"})
        assert len(read.content) == 1000

    def told() -> bool:
        stats = world.member.what("stats")
        return bool(stats["get.cold.n"] >= 1 and stats["get.cold.size"] >= 1000
                    and int(stats["capacity"][str(world.disks[0])]["used"]) >= 1000)

    wait_for("the cache's figures", told)


# --- rebalance


def test_rebalance_needs_a_balancer(plain: Member) -> None:
    refused = plain.admin.call("PUT", "cluster/", {"action": "rebalance"})
    assert "node.balancer" in error_of(refused, 501)
    assert plain.what("xaction", "cluster", props="rebalance")["target"] == {
        plain.id: {"xactionDetails": []}}


def rebalances(world: World) -> list[dict[str, Any]]:
    """Return what is told of the jobs, the oldest first."""
    told = world.member.what("xaction", "cluster", props="rebalance")
    assert told["kind"] == "rebalance"
    own_ = world.member.what("xaction", props="rebalance")
    # A job may end between the two.
    everywhere = told["target"][world.member.id]["xactionDetails"]
    assert [job["id"] for job in own_["xactionDetails"]] == [job["id"] for job in everywhere]
    return list(own_["xactionDetails"])


@pytest.mark.parametrize(("code", "status"), [("0", "Completed"), ("3", "Failed")])
def test_the_balancer_runs_as_a_job(world: World, code: str, status: str) -> None:
    before = len(rebalances(world))
    started = world.admin.call("PUT", "cluster/", {"action": "rebalance"})
    assert started.status_code == 200, started.text
    wait_for("the balancer", lambda: (
        world.arguments.exists() and world.arguments.read_text() == "-threshold 5 %\n"))
    job = rebalances(world)[before]
    assert (job["id"], job["status"], job["end_time"]) == (started.text, "InProgress", "")
    second = world.admin.call("PUT", "cluster/", {"action": "rebalance"})
    assert started.text in error_of(second, 409)
    world.go.write_text(code)
    wait_for("its end", lambda: rebalances(world)[before]["status"] == status)
    job = rebalances(world)[before]
    assert job["startTime"] <= job["endTime"]
    assert (job["errors"] == []) == (code == "0")
    if job["errors"]:
        assert "status 3: or is it" in job["errors"][0]
    world.go.unlink()
    world.arguments.unlink()
