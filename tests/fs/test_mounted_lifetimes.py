"""Ttls of what lies in mounts: the right file of the right cluster, as far as the mount allows."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from app.core.lifetimes import Lifetime, TtlAction
from app.core.paths import HdfsPath, child_of
from app.embedded.server import create_server
from app.fs.lifetime_sweep import LifetimeSweep
from app.fs.lifetimes import NOTES, Lifetimes
from app.fs.placing import status_or_none
from app.fs.webhdfs import WebHdfsBackend
from app.fs.workers import Workers
from app.settings import BackendSettings
from app.state.sqlite import SqliteStore
from tests.fs.conftest import superuser
from tests.fs.mounting import World, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.fs.port import Backend

START = 1_700_000_000
DELETE = Lifetime(60_000, TtlAction.DELETE, START * 1000)


class Mounted(World):
    """Two clusters, and ttls by a clock that a test moves."""

    def __init__(self, store: SqliteStore, own: Backend, there: Backend, workers: Workers) -> None:
        super().__init__(store, own, there)
        self.now = float(START)
        self.lifetimes = Lifetimes(store, workers)
        self.sweep = LifetimeSweep(store, self.backend, workers, clock=lambda: self.now)

    def keep(self, path: HdfsPath, lifetime: Lifetime = DELETE) -> HdfsPath:
        self.lifetimes.keep(self.fs(), path, self.fs().status(path), lifetime, owner="alice")
        return path

    def later(self, seconds: float = 61.0) -> int:
        self.now += seconds
        return self.sweep.sweep()

    def noted(self) -> int:
        return len(list(self.store.scan(NOTES)))


def is_there(cluster: Backend, path: HdfsPath) -> bool:
    return status_or_none(cluster.as_user(superuser()), path) is not None


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Mounted]:
    with ExitStack() as stack:
        own, there = (
            WebHdfsBackend(BackendSettings(url=("embedded:",)),
                           wsgi=create_server(tmp_path / name, superuser=superuser()))
            for name in ("own", "there"))
        stack.callback(own.close)
        stack.callback(there.close)
        store = stack.enter_context(closing(SqliteStore(tmp_path / "state.db")))
        workers = Workers(store, lease=30.0, interval=10.0, every_beat=lambda: None)
        stack.callback(workers.stop)
        yield Mounted(store, own, there, workers)


def test_a_file_of_another_cluster_goes_wherever_it_was_moved_to(world: Mounted) -> None:
    source, point = world.source("source"), world.at("point")
    world.mounted(point, source)
    fs = world.fs()
    stays, moved = write(fs, child_of(point, "f")), write(fs, child_of(point, "g"))
    same = world.own.as_user("alice")
    for number in range(30):  # files of the own cluster have the same inode numbers
        write(same, world.at(f"own-{number}"))
    world.keep(stays)
    world.keep(moved)
    assert fs.rename(moved, child_of(point, "h"))
    assert world.later() == 2
    assert world.there.as_user("alice").list_page(source).entries == []
    assert all(is_there(world.own, world.at(f"own-{number}")) for number in range(30))


def test_what_a_mount_no_longer_leads_to_stays(world: Mounted) -> None:
    first, second, point = world.source("first"), world.source("second"), world.at("point")
    world.mounted(point, first)
    world.keep(write(world.fs(), child_of(point, "f")))
    world.admin().unmount(point)
    world.mounted(point, second)
    write(world.fs(), child_of(point, "f"))
    world.later()
    assert is_there(world.there, child_of(second, "f"))
    assert not world.noted()


def test_a_file_in_a_mount_that_became_read_only_stays(world: Mounted) -> None:
    source, point = world.source("source"), world.at("point")
    world.mounted(point, source)
    world.keep(write(world.fs(), child_of(point, "f")))
    world.admin().unmount(point)
    mount = world.mounted(point, source, read_only=True)
    assert mount.read_only
    assert world.later() == 0
    assert is_there(world.there, child_of(source, "f"))


def test_a_directory_that_holds_a_mount_stays_until_it_is_unmounted(world: Mounted) -> None:
    source = world.source("source")
    write(world.there.as_user("alice"), child_of(source, "f"))
    holder = world.at("holder")
    world.fs().mkdirs(child_of(holder, "below"))
    point = child_of(child_of(holder, "below"), "point")
    world.mounted(point, source)
    world.keep(holder)
    assert world.later() == 0
    assert is_there(world.own, holder)
    assert world.noted() == 1
    world.admin().unmount(point)
    assert world.later(24 * 3600) == 1
    assert not is_there(world.own, holder)
    assert is_there(world.there, child_of(source, "f"))
