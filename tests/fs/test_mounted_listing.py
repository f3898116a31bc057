"""Directories with mount points in them: every name once, in HDFS's order, whatever is down."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import errors
from app.core.model import FileStatus, FileType, ListingPage
from app.core.mounts import Mount
from app.core.paths import HdfsPath, child_of
from app.fs import mounted_listing
from app.fs.key_order import ordered
from app.fs.key_ranges import order_key
from app.fs.listing import Listing
from app.fs.mounted import MountedBackend
from app.fs.mounts import Mounts
from tests.fs.conftest import backend_at
from tests.fs.mounting import OTHER, names, write
from tests.hadoop.daemon import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fs.mounting import World

NAMES = ["a", "b", "m", "x", "é", "m!", "m1", "😀", "\uf03a", "%41", "z"]


class Tree:
    """A cluster of one directory, listed in pages of `page` entries; all of it is also its root."""

    def __init__(self, entries: list[str], page: int) -> None:
        self._entries = sorted(entries, key=order_key)
        self._page = page
        self.user = "alice"
        self.asked = 0

    def as_user(self, _user: str) -> Any:
        return self

    def status(self, _path: HdfsPath) -> FileStatus:
        return _directory("", 7)

    def check_access(self, _path: HdfsPath, _action: str) -> None:
        return None

    def list_page(self, _path: HdfsPath, start_after: str | None = None) -> ListingPage:
        self.asked += 1
        rest = [name for name in self._entries
                if not start_after or order_key(name) > order_key(start_after)]
        return ListingPage([_directory(name, i + 1) for i, name in enumerate(rest[:self._page])],
                           max(0, len(rest) - self._page))


class Table:
    """A store with these mounts and nothing else."""

    def __init__(self, points: list[str]) -> None:
        self._mounts = [list(Mount(HdfsPath(f"/d/{name}"), OTHER, HdfsPath("/s"),
                                   read_only=False, mount_id=i + 1))
                        for i, name in enumerate(points)]

    def get(self, _space: str, _key: str) -> Any:
        return {"last": 99, "mounts": self._mounts}


def _directory(name: str, file_id: int) -> FileStatus:
    return FileStatus(FileType.DIRECTORY, name, "755", 0, 0, 0, 0, "alice", "staff", 0, file_id)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES), min_size=1),
       st.integers(1, 4), st.sampled_from([None, "", "a", "m", "m0", "é", "zz", "😀"]))
def test_every_name_is_told_once_in_hdfs_order(
    entries: set[str], points: set[str], page: int, start: str | None,
) -> None:
    own = Tree(sorted(entries), page)
    mounts: Any = Mounts(Table(sorted(points)), own, {OTHER: Tree([], 1)})  # type: ignore[arg-type]
    fs = MountedBackend(mounts).as_user("alice")
    found: list[FileStatus] = []
    after = start
    while True:
        one = fs.list_page(HdfsPath("/d"), after)
        found += one.entries
        if not one.remaining:
            break
        assert one.entries, "more is said to come after nothing"
        after = one.entries[-1].path_suffix
    told = [entry.path_suffix for entry in found]
    least = order_key(start) if start else b""
    expected = sorted((name for name in entries | points if order_key(name) > least),
                      key=order_key)
    assert told == expected
    for entry in found:
        assert (entry.file_id >> 48 > 0) == (entry.path_suffix in points)


def test_mount_points_stand_among_the_entries(world: World) -> None:
    fs = world.fs()
    for name in ("a", "c", "é", "x", "y", "z"):
        write(fs, world.at(name))
    source = world.source()
    world.there.as_user("alice").set_permission(source, "750")
    for name in ("b", "m", "ü"):
        world.mounted(world.at(name), source)
    fs = world.fs()
    expected = sorted(["a", "b", "c", "m", "x", "y", "z", "é", "ü"], key=order_key)
    assert names(fs, world.area) == expected
    assert [entry.path_suffix for page in Listing(fs, world.area, None, None)
            for entry in page] == expected
    assert [entry.path_suffix for page in Listing(fs, world.area, "b", 2)
            for entry in page] == ["c", "m"]
    entries = {entry.path_suffix: entry for entry in fs.list_page(world.area, "a").entries}
    assert entries["b"] == fs.status(world.at("b"))._replace(path_suffix="b")
    assert (entries["b"].permission, entries["b"].owner) == ("750", "alice")
    assert [text for text, _ in ordered(fs, world.area)] == [
        "a", "b/", "c", "m/", "x", "y", "z", "é", "ü/"]
    assert [text for text, _ in ordered(fs, world.area, after="c", prefix="m")] == ["m/"]


def test_what_has_the_name_of_a_mount_point_is_hidden_by_it(world: World) -> None:
    world.mounted(world.at("m"), world.source())
    write(world.own.as_user("alice"), world.at("m"), b"made by others")
    write(world.own.as_user("alice"), world.at("n"))
    fs = world.fs()
    assert names(fs, world.area) == ["m", "n"]
    assert fs.list_page(world.area).entries[0].is_directory
    assert fs.status(world.at("m")).is_directory
    assert names(fs, world.at("m")) == []
    world.admin().unmount(world.at("m"))
    assert world.fs().status(world.at("m")).length == len(b"made by others")


def test_a_regular_file_has_no_mount_points(world: World) -> None:
    fs = world.fs()
    fs.mkdirs(world.at("d"))
    world.mounted(world.at("d", "m"), world.source())
    own = world.own.as_user("alice")
    own.delete(world.at("d"))
    write(own, world.at("d"))
    assert [one.path_suffix for one in world.fs().list_page(world.at("d")).entries] == [""]


def test_a_listing_waits_for_no_dead_cluster(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mounted_listing, "PATIENCE_SECONDS", 0.5)
    dead = backend_at(f"http://127.0.0.1:{free_port()}", retry_deadline=30.0)
    world.mounted(world.at("m"), world.source())
    write(world.fs(), world.at("f"))
    mounts = Mounts(world.store, world.own, {OTHER: dead})
    backend = MountedBackend(mounts)
    began = time.monotonic()
    fs = backend.as_user("alice")
    entries = {entry.path_suffix: entry for entry in fs.list_page(world.area).entries}
    assert time.monotonic() - began < 5
    point = entries["m"]
    assert (set(entries), point.is_directory, point.owner, point.permission, point.file_id) == (
        {"f", "m"}, True, "", "0", 0)
    assert abs(point.modification_time / 1000 - time.time()) < 60
    # It is not waited for again a moment later.
    monkeypatch.setattr(mounted_listing, "PATIENCE_SECONDS", 60.0)
    began = time.monotonic()
    assert names(backend.as_user("alice"), world.area) == ["f", "m"]
    assert time.monotonic() - began < 5
    assert fs.status(world.at("f")).length == 5
    assert [text for text, _ in ordered(fs, world.area)] == ["f", "m/"]


def test_a_cluster_that_is_configured_no_longer_is_told_and_unmounted(world: World) -> None:
    world.mounted(world.at("m"), world.source())
    mounts = Mounts(world.store, world.own, {}, fresh_seconds=0.0)
    fs = MountedBackend(mounts).as_user("alice")
    assert names(fs, world.area) == ["m"]
    with pytest.raises(errors.UpstreamUnavailable, match="other"):
        fs.status(world.at("m"))
    assert mounts.location(world.at("m", "f")) == f"webhdfs://other{world.lies}/source/f"
    mounts.remove(world.at("m"))
    assert not mounts.table()


def test_a_source_that_may_not_be_seen_is_told(world: World) -> None:
    world.source("private")
    world.there.as_user("alice").mkdirs(HdfsPath(f"{world.lies}/private/inner"))
    world.there.as_user("alice").set_permission(HdfsPath(f"{world.lies}/private"), "700")
    world.mounted(world.at("m"), HdfsPath(f"{world.lies}/private/inner"))
    bob = world.fs("bob")
    assert names(bob, world.area) == ["m"]
    with pytest.raises(errors.AccessDenied) as caught:
        bob.status(world.at("m"))
    assert caught.value.path == world.at("m")


def test_reading_a_mount_points_status_costs_one_call_in_a_listing(world: World) -> None:
    world.mounted(world.at("m"), world.source())
    calls: list[str] = []
    lock = threading.Lock()

    class Counting:
        def __init__(self, inner: Any, name: str) -> None:
            self._inner, self._name = inner, name

        def as_user(self, user: str) -> Any:
            return Counting(self._inner.as_user(user), self._name)

        def __getattr__(self, name: str) -> Any:
            found = getattr(self._inner, name)
            if callable(found):
                with lock:
                    calls.append(f"{self._name}.{name}")
            return found

    mounts = Mounts(world.store, Counting(world.own, "own"),  # type: ignore[arg-type]
                    {OTHER: Counting(world.there, "there")})  # type: ignore[dict-item]
    fs = MountedBackend(mounts).as_user("alice")
    fs.list_page(world.area)
    assert calls == ["own.list_page", "there.status"]
    calls.clear()
    fs.status(child_of(world.area, "m"))
    assert calls == ["there.status"]
    calls.clear()
    MountedBackend(mounts).as_user("alice").status(world.at("m"))
    assert calls == ["own.check_access", "there.status"]
