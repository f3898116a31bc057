"""Who may mount what where, and how the workers hear of it."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from app.core import errors
from app.core.mounts import LAST_RUN_TIME_ID, HoldsMount, Mount
from app.core.path_globs import parse
from app.core.path_rules import Layer, PathForbidden, PathRules
from app.core.paths import HdfsPath
from app.fs.clusters import addresses, other_clusters
from app.fs.mounts import Mounts
from app.settings import BackendSettings
from app.state.sqlite import SqliteStore
from tests.fs.mounting import OTHER, names, superuser, write

if TYPE_CHECKING:
    from pathlib import Path

    from app.state.store import Store
    from tests.fs.mounting import World

CLUSTERS = next(each.metadata["kind"] for each in fields(BackendSettings)
                if each.name == "clusters")


def test_only_admins_mount(world: World) -> None:
    source = world.source()
    for who in (world.mounting("alice"), world.mounting(superuser()),
                world.mounting("alice", roles=frozenset({"other"}))):
        for call in (lambda who=who: who.mount(world.at("m"), f"/{source}", read_only=False),
                     lambda who=who: who.unmount(world.at("m")),
                     lambda who=who: who.unmount_below(world.at("m"))):
            with pytest.raises(errors.AccessDenied):
                call()
    reader = world.mounting(superuser(), roles=frozenset({"admin"}), read_only=True)
    with pytest.raises(errors.ReadOnlyPrincipal):
        reader.mount(world.at("m"), f"webhdfs://{OTHER}{source}", read_only=True)
    assert not world.mounts.table()


def test_what_is_kept_of_a_mount(world: World) -> None:
    source = world.source()
    mount = world.admin().mount(
        world.at("m"), f"swebhdfs://{OTHER}{source}/", read_only=True)
    assert mount == Mount(world.at("m"), OTHER, source, read_only=True, mount_id=1,
                          since=mount.since)
    assert abs(mount.since / 1000 - time.time()) < 60
    assert list(Mounts(world.store, world.own, {}).table()) == [mount]
    here, there = world.at("m", "f"), HdfsPath(f"{source}/f")
    assert world.mounts.location(here) == world.there.location(there)
    assert world.mounts.location(world.at("x")) == world.own.location(world.at("x"))
    assert world.backend.location(here) == world.there.location(there)


def test_a_source_is_named_in_several_ways(world: World) -> None:
    admin = world.admin()
    world.own.as_user("alice").mkdirs(world.at("d", "e"))
    numbers = itertools.count()
    for text in (world.at("d"), f"{world.at('d')}/../d/", f"webhdfs://own:1{world.at('d')}",
                 f"WEBHDFS://OWN:1{world.at('d')}"):
        mount = admin.mount(world.at(f"m{next(numbers)}"), text, read_only=False)
        assert (mount.cluster, mount.source) == ("", world.at("d"))
        assert names(world.fs(), mount.path) == ["e"]
    for text in (f"webhdfs://{OTHER}", f"webhdfs://{OTHER}/"):
        mount = admin.mount(world.at(f"m{next(numbers)}"), text, read_only=False)
        assert (mount.cluster, mount.source) == (OTHER, "/")
    # A path in a mount is one of that mount's cluster.
    inner = admin.mount(world.at("inner"), f"{mount.path}{world.source()}", read_only=False)
    assert (inner.cluster, inner.source) == (OTHER, world.source())
    for text in ("relative", "", "hdfs://own:1/d", "webhdfs://unknown:1/d", "file:///etc",
                 f"http://{OTHER}/d", "webhdfs:///d", "swebhdfs://own:1/",
                 f"webhdfs://{OTHER}/.reserved/.inodes/16385",
                 f"webhdfs://{OTHER}/d/.snapshot/s"):
        with pytest.raises(errors.InvalidParameter):
            admin.mount(world.at("new"), text, read_only=False)
    with pytest.raises(errors.InvalidPath):
        admin.mount(world.at("new"), f"webhdfs://{OTHER}/a/../../b", read_only=False)


def test_a_source_is_a_directory_that_the_admin_may_list(world: World) -> None:
    source = world.source()
    write(world.there.as_user("alice"), HdfsPath(f"{source}/f"))
    admin = world.admin()
    for name, fault in (("none", errors.PathNotFound), ("f", errors.NotADirectory)):
        with pytest.raises(fault):
            admin.mount(world.at("m"), f"webhdfs://{OTHER}{source}/{name}", read_only=False)
    world.there.as_user("alice").set_permission(source, "700")
    bob = world.mounting("bob", roles=frozenset({"admin"}))
    with pytest.raises(errors.AccessDenied):
        bob.mount(world.at("m"), f"webhdfs://{OTHER}{source}", read_only=False)
    assert not world.mounts.table()


def test_where_can_be_mounted(world: World) -> None:
    admin, text = world.admin(), f"webhdfs://{OTHER}{world.source()}"
    own = world.own.as_user("alice")
    write(own, world.at("f"))
    own.mkdirs(world.at("d"))
    for path, fault in (
        ("/", errors.AlreadyExists), (world.at("f"), errors.AlreadyExists),
        (world.at("d"), errors.AlreadyExists), (world.at("no", "parent"), errors.PathNotFound),
        (world.at(".snapshot"), errors.InvalidPath),
        (world.at("d", ".snapshot", "m"), errors.InvalidPath),
        ("/.reserved/m", errors.InvalidPath), (world.at(".httpfs-proxy-x"), errors.InvalidPath),
        (world.at("a:b"), errors.InvalidPath), ("/..", errors.InvalidPath),
    ):
        with pytest.raises(fault):
            admin.mount(path, text, read_only=False)
    with pytest.raises(errors.NotADirectory):
        admin.mount(world.at("f", "m"), text, read_only=False)
    admin.mount(world.at("m"), text, read_only=False)
    with pytest.raises(errors.AlreadyExists):
        admin.mount(world.at("m"), text, read_only=True)
    world.mounted(world.at("m", "inner"), world.source("inner"))
    assert [mount.path for mount in world.mounts.table()] == [
        world.at("m"), world.at("m", "inner")]


def test_nothing_is_mounted_inside_itself(world: World) -> None:
    admin = world.admin()
    world.own.as_user("alice").mkdirs(world.at("d"))
    for source in ("/", world.area, world.at("d")):
        with pytest.raises(errors.Conflict):
            admin.mount(world.at("d", "m"), source, read_only=False)
    source = world.source()
    world.mounted(world.at("m"), source)
    with pytest.raises(errors.Conflict):
        world.mounted(world.at("m", "again"), source)
    with pytest.raises(errors.Conflict):
        world.mounted(world.at("m", "again"), world.lies)
    assert len(list(world.mounts.table())) == 1


def test_rules_judge_a_source_by_every_path_that_it_has_here(world: World) -> None:
    for name in ("source", "source/secret", "source/open", "elsewhere"):
        world.source(name)
    first = world.mounted(world.at("m"), HdfsPath(f"{world.lies}/source")).path
    denied = (parse(f"{first}/secret"),)
    ruled = world.mounting(superuser(), roles=frozenset({"admin"}),
                           rules=PathRules((Layer(deny=(denied, denied)),)))
    far = f"webhdfs://{OTHER}{world.lies}"
    for source in (f"{first}/secret", first, far, f"{far}/source", f"{far}/source/secret",
                   f"{far}/elsewhere"):
        with pytest.raises(PathForbidden):
            ruled.mount(world.at("again"), source, read_only=True)
    for number, source in enumerate((f"{first}/open", f"{far}/source/open")):
        ruled.mount(world.at(f"open-{number}"), source, read_only=True)
    world.mounted(HdfsPath(f"{first}/secret/m"), world.source("inner"))
    with pytest.raises(PathForbidden):
        ruled.unmount_below(world.area)
    assert ruled.unmount_below(world.at("open-0")) == 1


def test_a_confined_admin_stays_inside(world: World) -> None:
    own = world.own.as_user(superuser())
    own.mkdirs(world.at("room", "d"))
    own.mkdirs(world.at("outside"))
    confined = world.admin(world.at("room"))
    mount = confined.mount("/m", "/d", read_only=False)
    assert (mount.path, mount.cluster, mount.source) == (
        world.at("room", "m"), "", world.at("room", "d"))
    with pytest.raises(errors.Conflict):
        confined.mount("/d/m", "/", read_only=False)
    for source in (f"webhdfs://{OTHER}{world.source()}", f"webhdfs://own:1{world.at('outside')}",
                   "webhdfs://own:1/"):
        with pytest.raises(errors.AccessDenied):
            confined.mount("/n", source, read_only=False)
    world.mounted(world.at("room", "other"), world.source())
    with pytest.raises(errors.AccessDenied):
        confined.mount("/n", "/other", read_only=False)
    with pytest.raises(errors.InvalidPath):
        confined.mount("/../m", "/d", read_only=False)
    with pytest.raises(errors.PathNotFound):
        confined.unmount("/outside")
    confined.unmount("/m")
    assert confined.unmount_below("/other") == 1


def test_a_confined_admin_does_not_unmount_the_own_room(world: World) -> None:
    world.mounted(world.at("room"), world.source())
    confined = world.admin(world.at("room"))
    for unmount in (confined.unmount, confined.unmount_below):
        with pytest.raises(errors.AccessDenied):
            unmount("/")
    world.admin().unmount(world.at("room"))


def test_unmounting(world: World) -> None:
    admin = world.admin()
    with pytest.raises(errors.PathNotFound):
        admin.unmount(world.at("m"))
    world.mounted(world.at("m"), world.source())
    world.mounted(world.at("m", "inner"), world.source("inner"))
    world.mounted(world.at("n"), world.source("n"))
    with pytest.raises(HoldsMount):
        admin.unmount(world.at("m"))
    with pytest.raises(errors.PathNotFound):
        admin.unmount(world.at("m", "else"))
    assert admin.unmount_below(world.at("m")) == 2
    assert admin.unmount_below(world.at("m")) == 0
    assert [mount.path for mount in world.mounts.table()] == [world.at("n")]
    admin.unmount(world.at("n"))
    assert not world.mounts.table()


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with closing(SqliteStore(tmp_path / "state.db")) as made:
        yield made


def registry(store: Store, fresh_seconds: float = 0.0) -> Mounts:
    return Mounts(store, None, {}, fresh_seconds=fresh_seconds)  # type: ignore[arg-type]


def test_numbers_go_round(store: SqliteStore) -> None:
    mounts = registry(store)
    given = [mounts.add(HdfsPath(f"/{i}"), "", HdfsPath("/s"), read_only=False).mount_id
             for i in range(3)]
    mounts.remove(HdfsPath("/0"))
    given.append(mounts.add(HdfsPath("/0"), "", HdfsPath("/s"), read_only=False).mount_id)
    assert given == [1, 2, 3, 4]
    record = store.get("mounts", "table")
    assert record is not None
    store.put("mounts", "table", {**record, "last": LAST_RUN_TIME_ID})
    assert mounts.add(HdfsPath("/9"), "", HdfsPath("/s"), read_only=False).mount_id == 1
    assert mounts.add(HdfsPath("/10"), "", HdfsPath("/s"), read_only=False).mount_id == 5


def test_many_mount_at_once(store: SqliteStore) -> None:
    def mount(i: int) -> str:
        try:
            return str(registry(store).add(HdfsPath(f"/{i % 5}"), "", HdfsPath("/s"),
                                           read_only=False).mount_id)
        except errors.AlreadyExists:
            return "exists"

    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(mount, range(20)))
    assert sorted(results) == ["1", "2", "3", "4", "5", *["exists"] * 15]


def test_who_mounts_answers_when_all_have_seen_it(store: SqliteStore) -> None:
    one, other = registry(store, 0.3), registry(store, 0.3)
    stop, wrong = threading.Event(), []
    answered: dict[str, float] = {}

    def look() -> None:
        while not stop.is_set():
            asked = time.monotonic()
            seen = bool(other.table())
            for what, expected in (("mount", True), ("unmount", False)):
                due = what in answered and (what == "unmount" or "begun" not in answered)
                if due and asked > answered[what] and seen is not expected:
                    wrong.append(what)
            time.sleep(0.002)

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        one.add(HdfsPath("/m"), "", HdfsPath("/s"), read_only=False)
        answered["mount"] = time.monotonic()
        time.sleep(0.1)
        answered["begun"] = time.monotonic()
        one.remove(HdfsPath("/m"))
        answered["unmount"] = time.monotonic()
        time.sleep(0.1)
        stop.set()
        looking.result()
    assert not wrong
    assert not one.table()
    assert not other.table()


def test_the_store_is_asked_once_a_second_at_most(store: SqliteStore) -> None:
    asked: list[str] = []

    class Asked:
        def get(self, space: str, key: str) -> Any:
            asked.append(space)
            return store.get(space, key)

    mounts = registry(Asked(), 1.0)  # type: ignore[arg-type]
    began = time.monotonic()
    while time.monotonic() < began + 0.5:
        mounts.table()
    assert asked == ["mounts"]


def test_what_was_known_is_kept_while_the_store_is_away(store: SqliteStore) -> None:
    away = False

    class Away:
        def get(self, space: str, key: str) -> Any:
            if away:
                raise errors.StorageFault("away")
            return store.get(space, key)

    registry(store).add(HdfsPath("/m"), "", HdfsPath("/s"), read_only=False)
    mounts = registry(Away())  # type: ignore[arg-type]
    assert [mount.path for mount in mounts.table()] == ["/m"]
    away = True
    assert [mount.path for mount in mounts.table()] == ["/m"]
    with pytest.raises(errors.StorageFault):
        registry(Away()).table()  # type: ignore[arg-type]
    away = False
    registry(store).remove(HdfsPath("/m"))
    assert not mounts.table()


def test_nobody_waits_for_a_store_that_somebody_waits_for(store: SqliteStore) -> None:
    away, waiting, over = threading.Event(), threading.Event(), threading.Event()

    class Slow:
        def get(self, space: str, key: str) -> Any:
            if not away.is_set():
                return store.get(space, key)
            if mounts.is_known_away:
                waiting.set()
                over.wait(10)
            raise errors.StorageFault("away")

    class Known(Mounts):
        is_known_away = False

    mounts = Known(Slow(), None, {}, fresh_seconds=0.0)  # type: ignore[arg-type]
    assert not mounts.table()
    away.set()
    mounts.table()
    mounts.is_known_away = True
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(mounts.table)
        assert waiting.wait(10)
        began = time.monotonic()
        assert not mounts.table()
        assert time.monotonic() - began < 5
        assert not waits.done()
        over.set()
        assert not waits.result()


def test_clusters_by_settings() -> None:
    settings = BackendSettings(
        url=("http://NN1:9870", "https://nn2:9871"), read_timeout=7.0,
        clusters=CLUSTERS.parse(
            ["far=http://far-1:9870;http://far-2:9870/", "safe=https://safe:9871"]))
    clusters = other_clusters(settings)
    assert {name: one.location(HdfsPath("/f")) for name, one in clusters.items()} == {
        "far": "webhdfs://far-1:9870/f", "safe": "swebhdfs://safe:9871/f"}
    assert addresses(settings) == {
        "webhdfs://nn1:9870": "", "swebhdfs://nn2:9871": "", "webhdfs://far-1:9870": "far",
        "webhdfs://far-2:9870": "far", "swebhdfs://safe:9871": "safe"}
    assert addresses(BackendSettings()) == {}
    for one in clusters.values():
        one.close()
    with pytest.raises(ValueError, match="'a' stands twice"):
        CLUSTERS.parse("a=http://x:1, a=http://y:1")
