"""Files and directories go when their ttl is over: these, and no others."""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from app.core import errors
from app.core.lifetimes import RECORD, Lifetime, TtlAction, encode, lifetime_of
from app.core.paths import HdfsPath
from app.fs import lifetime_sweep
from app.fs import lifetimes as module
from app.fs.lifetime_sweep import LifetimeSweep
from app.fs.lifetimes import NOTES, Lifetimes, found_by, turn
from app.fs.rhythm import UNFINISHED
from app.fs.workers import Workers
from app.state.sqlite import SqliteStore
from tests.fs.conftest import superuser
from tests.gateway import wait_for
from tests.objects.multipart_world import Wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app.fs.filesystem import WebHdfsFileSystem
    from app.fs.port import FileSystem
    from app.fs.webhdfs import WebHdfsBackend

START = 1_700_000_000_000
MINUTE = 60_000
DELETE = Lifetime(MINUTE, TtlAction.DELETE, START)
FREE = Lifetime(MINUTE, TtlAction.FREE, START)


class Clock:
    """The gateway's time, which a test moves; seconds."""

    def __init__(self) -> None:
        self.now = START / 1000

    def __call__(self) -> float:
        return self.now


class World(NamedTuple):
    """A directory of alice's, and who keeps and ends lifetimes in it."""

    backend: WebHdfsBackend
    alice: WebHdfsFileSystem
    root: WebHdfsFileSystem
    directory: HdfsPath
    store: SqliteStore
    clock: Clock
    workers: Workers
    lifetimes: Lifetimes
    sweep: LifetimeSweep

    def at(self, *names: str) -> HdfsPath:
        return HdfsPath("/".join((self.directory, *names)))

    def write(self, name: str, content: bytes = b"x") -> HdfsPath:
        path = self.at(name)
        self.alice.create(path, [content], overwrite=True)
        return path

    def keep(self, path: HdfsPath, lifetime: Lifetime, **options: Any) -> HdfsPath:
        self.lifetimes.keep(self.alice, path, self.alice.status(path), lifetime, owner="alice",
                            **options)
        return path

    def told(self, path: HdfsPath) -> Lifetime:
        return lifetime_of(self.alice.xattrs(path))

    def exists(self, path: HdfsPath) -> bool:
        try:
            self.root.status(path)
        except errors.PathNotFound:
            return False
        return True

    def notes(self) -> list[dict[str, Any]]:
        return [note for _, note in self.store.scan(NOTES)]

    def later(self, seconds: float = 61.0) -> int:
        """Let time pass; return how many ttls the sweep ended then."""
        self.clock.now += seconds
        return self.sweep.sweep()


@pytest.fixture
def world(backend: WebHdfsBackend, tmp_path: Path) -> Iterator[World]:
    directory = HdfsPath(f"/user/alice/{uuid.uuid4().hex}")
    clock = Clock()
    with closing(SqliteStore(tmp_path / "state.db")) as store:
        workers = Workers(store, lease=30.0, interval=10.0, every_beat=lambda: None)
        made = World(
            backend, backend.as_user("alice"), backend.as_user(superuser()), directory, store,
            clock, workers, Lifetimes(store, workers),
            LifetimeSweep(store, backend, workers, clock=clock))
        made.alice.mkdirs(directory, "755")
        yield made
        workers.stop()


class Behind:
    """A backend whose file systems are wrapped."""

    description = "wrapped"

    def __init__(self, backend: WebHdfsBackend, before: Callable[..., None]) -> None:
        self._backend = backend
        self._before = before

    def as_user(self, hadoop_user: str) -> FileSystem:
        return Wrapped(self._backend.as_user(hadoop_user), before=self._before)


def test_a_file_goes_when_its_ttl_is_over(world: World) -> None:
    path, other = world.keep(world.write("f"), DELETE), world.write("g")
    assert world.told(path) == DELETE
    assert world.later(59.9) == 0
    assert world.exists(path)
    assert world.later(0.1) == 1
    assert not world.exists(path)
    assert world.exists(other)
    assert not world.notes()
    assert world.later() == 0


def test_what_is_not_due_is_not_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        world.keep(world.write(f"{number}"), DELETE._replace(ttl=MINUTE * (number + 1)))
    scan, read = world.store.scan, [0]

    def counted(space: str) -> Iterator[tuple[str, Any]]:
        for found in scan(space):
            read[0] += 1
            yield found

    monkeypatch.setattr(world.store, "scan", counted)
    assert world.later(150) == 2
    assert read == [3]


def test_a_directory_goes_with_all_in_it(world: World) -> None:
    path = world.at("d")
    world.alice.mkdirs(path)
    world.keep(path, DELETE)
    world.write("d/f")
    world.alice.mkdirs(world.at("d", "e"))
    assert world.later() == 1
    assert not world.exists(path)
    assert world.exists(world.directory)


def test_a_file_that_is_freed_stays(world: World) -> None:
    path, pinned = world.write("f"), world.write("p")
    world.keep(path, FREE)
    world.keep(pinned, FREE._replace(pinned=True))
    assert world.later() == 2
    assert world.told(path) == Lifetime()
    assert RECORD not in world.alice.xattrs(path)
    assert world.told(pinned) == Lifetime(pinned=True)
    assert not world.notes()


def test_no_ttl_is_no_work(world: World) -> None:
    path = world.keep(world.write("f"), Lifetime(pinned=True))
    assert world.told(path) == Lifetime(pinned=True)
    assert not world.notes()
    world.keep(path, Lifetime())
    assert RECORD not in world.alice.xattrs(path)
    world.keep(path, Lifetime())


def test_a_file_is_found_where_it_was_moved_to(world: World) -> None:
    world.alice.mkdirs(world.at("a", "b"))
    path = world.keep(world.write("a/b/f"), DELETE)
    assert world.alice.rename(path, world.at("a", "b", "g"))
    assert world.alice.rename(world.at("a"), world.at("z"))
    assert world.told(world.at("z", "b", "g")) == DELETE
    assert world.later() == 1
    assert not world.exists(world.at("z", "b", "g"))
    assert world.exists(world.at("z", "b"))


def test_a_file_in_the_trash_is_removed_for_good_and_only_it(world: World) -> None:
    path = world.keep(world.write("f", b"old"), DELETE)
    trash = HdfsPath(f"/user/alice/.Trash/{uuid.uuid4().hex}")
    world.alice.mkdirs(trash)
    assert world.alice.rename(path, HdfsPath(f"{trash}/f"))
    world.write("f", b"new")
    assert world.later() == 1
    assert world.exists(path)
    assert world.alice.list_page(trash).entries == []


def test_another_file_of_the_same_name_stays(world: World) -> None:
    overwritten = world.keep(world.write("f"), DELETE)
    world.write("f", b"another")
    removed = world.keep(world.write("g"), DELETE)
    world.alice.delete(removed)
    world.alice.mkdirs(removed)
    assert world.later() == 0
    assert world.exists(overwritten)
    assert world.exists(removed)
    assert not world.notes()


def test_a_file_that_is_gone_is_forgotten(world: World) -> None:
    world.alice.delete(world.keep(world.write("f"), DELETE))
    assert len(world.notes()) == 1
    assert world.later() == 0
    assert not world.notes()


def test_the_last_lifetime_counts(world: World) -> None:
    longer, shorter, none = (world.keep(world.write(name), DELETE) for name in "abc")
    world.keep(longer, DELETE._replace(ttl=10 * MINUTE))
    world.keep(shorter, DELETE._replace(ttl=MINUTE // 2))
    world.keep(none, Lifetime())
    assert len(world.notes()) == 2
    assert world.later(31) == 1
    assert not world.exists(shorter)
    assert world.later(60) == 0
    assert world.exists(longer)
    assert world.later(510) == 1
    assert not world.exists(longer)
    assert world.exists(none)


def test_a_ttl_of_nothing_is_over_at_once(world: World) -> None:
    path = world.keep(world.write("f"), DELETE._replace(ttl=0))
    assert world.later(0) == 1
    assert not world.exists(path)


def test_the_clock_of_hdfs_does_not_count(world: World) -> None:
    path = world.keep(world.write("f"), DELETE)
    world.alice.set_times(path, START - 10**10, START - 10**10)
    assert world.later(59) == 0
    world.alice.set_times(path, START + 10**10, START + 10**10)
    assert world.later(1) == 1


def test_ttls_that_end_never(world: World) -> None:
    path = world.keep(world.write("f"), Lifetime(2**63 - 1, TtlAction.DELETE, START))
    assert world.later(10**9) == 0
    assert world.exists(path)


@pytest.mark.parametrize("change", ["garbage", "removed", "sooner", "delete instead of free"])
def test_what_an_hdfs_user_made_of_the_record_removes_nothing(world: World, change: str) -> None:
    path = world.keep(world.write("f"), FREE)
    record = json.loads(world.alice.xattrs(path)[RECORD])
    if change == "removed":
        world.alice.remove_xattr(path, RECORD)
    else:
        forged = {"garbage": b"{\xff", "sooner": json.dumps({**record, "ttl": 0}).encode(),
                  "delete instead of free": json.dumps(
                      {**record, "action": "DELETE"}).encode()}[change]
        world.alice.set_xattr(path, RECORD, forged, exists=True)
    assert world.later() == 0
    assert world.exists(path)
    assert not world.notes()


def test_a_record_made_up_or_copied_ends_no_other_file(world: World) -> None:
    original, copy, made_up = world.write("f"), world.write("g"), world.write("h")
    world.keep(original, DELETE)
    world.alice.set_xattr(copy, RECORD, world.alice.xattrs(original)[RECORD], exists=False)
    world.alice.set_xattr(made_up, RECORD, encode(DELETE, "0" * 16), exists=False)
    # A copied record does not lead to the note of the original either.
    world.keep(copy, Lifetime())
    assert len(world.notes()) == 1
    assert world.later() == 1
    assert not world.exists(original)
    assert world.exists(copy)
    assert world.exists(made_up)


def test_what_a_snapshot_holds_is_not_taken_for_another_of_its_name(world: World) -> None:
    path = world.keep(world.write("f", b"old"), DELETE)
    record = world.alice.xattrs(path)[RECORD]
    world.root.allow_snapshots(world.directory, allowed=True)
    world.alice.create_snapshot(world.directory, "s")
    try:
        world.alice.delete(path)
        world.write("f", b"new")
        world.alice.set_xattr(path, RECORD, record, exists=False)
        assert world.later() == 0
        assert world.exists(path)
        assert world.exists(world.at(".snapshot", "s", "f"))
        assert not world.notes()
    finally:
        world.alice.delete_snapshot(world.directory, "s")
        world.root.allow_snapshots(world.directory, allowed=False)


def test_who_may_no_longer_remove_it_is_asked_again_later(
    world: World, caplog: pytest.LogCaptureFixture,
) -> None:
    path = world.keep(world.write("f"), DELETE)
    world.root.set_owner(world.directory, superuser(), None)
    with caplog.at_level(logging.WARNING, "app.fs.lifetime_sweep"):
        assert world.later() == 0
        tries = 0
        for _ in range(60):
            assert world.later(60) == 0
            (note,) = world.notes()
            assert note["tries"] >= tries
            tries = note["tries"]
    assert 4 <= tries <= 8
    assert len(caplog.records) == 1
    assert "alice may not end it" in caplog.text
    world.root.set_owner(world.directory, "alice", None)
    assert world.later(24 * 3600) == 1
    assert not world.exists(path)
    assert not world.notes()


def test_a_directory_that_cannot_be_removed_stays(world: World) -> None:
    path = world.at("d")
    world.alice.mkdirs(path)
    world.write("d/f")
    world.keep(path, DELETE)
    world.root.allow_snapshots(path, allowed=True)
    world.alice.create_snapshot(path, "s")
    assert world.later() == 0
    assert world.exists(world.at("d", "f"))
    world.alice.delete_snapshot(path, "s")
    world.root.allow_snapshots(path, allowed=False)
    assert world.later(24 * 3600) == 1
    assert not world.exists(path)


def test_it_is_ended_as_who_set_it(world: World) -> None:
    path = world.write("f")
    world.alice.set_permission(path, "666")
    bob = world.backend.as_user("bob")
    world.lifetimes.keep(bob, path, bob.status(path), DELETE, owner="bob")
    assert world.later() == 0
    assert world.exists(path)
    world.alice.set_permission(world.directory, "777")
    assert world.later(24 * 3600) == 1
    assert not world.exists(path)


def test_keeping_what_one_may_not(world: World) -> None:
    path = world.keep(world.write("f"), DELETE)
    before = world.notes()
    world.alice.set_permission(path, "644")
    bob = world.backend.as_user("bob")
    status = bob.status(path)
    for lifetime in (DELETE._replace(ttl=5), Lifetime(), FREE):
        with pytest.raises(errors.AccessDenied):
            world.lifetimes.keep(bob, path, status, lifetime, owner="bob")
    assert world.notes() == before
    world.alice.delete(path)
    with pytest.raises(errors.PathNotFound) as caught:
        world.lifetimes.keep(world.alice, path, status, DELETE._replace(ttl=5), owner="alice")
    assert caught.value.path == path
    assert world.notes() == before


def test_a_cluster_that_is_away_is_asked_once(world: World) -> None:
    paths = [world.keep(world.write(f"f{i}"), DELETE) for i in range(20)]
    asked: list[str] = []

    def away(name: str, _arguments: object) -> None:
        asked.append(name)
        raise errors.UpstreamUnavailable("away")

    sweep = LifetimeSweep(
        world.store, Behind(world.backend, away), world.workers, clock=world.clock)
    world.clock.now += 61
    for _ in range(3):
        assert sweep.sweep() == 0
    assert asked == ["status"]
    assert len(world.notes()) == 20
    assert world.later(120) == 20
    assert not any(map(world.exists, paths))


def test_a_worker_that_dies_while_it_keeps_a_lifetime_loses_none(world: World) -> None:
    class Died(BaseException):
        pass

    def dies(at: str, *, done: bool) -> FileSystem:
        def die(name: str, _arguments: object) -> None:
            if name == at:
                raise Died
        hook: Any = {"after": die} if done else {"before": die}
        wrapped: Any = Wrapped(world.alice, **hook)
        return wrapped

    before, after = (world.keep(world.write(name), DELETE) for name in "fg")
    for path, done in ((before, False), (after, True)):
        with pytest.raises(Died):
            world.lifetimes.keep(dies("set_xattr", done=done), path, world.alice.status(path),
                                 DELETE._replace(ttl=10 * MINUTE), owner="alice")
    assert len(world.notes()) == 4
    assert world.told(before) == DELETE
    assert world.later() == 1
    assert not world.exists(before)
    assert world.exists(after)
    assert world.later(540) == 1
    assert not world.exists(after)
    assert not world.notes()


def test_an_answer_that_was_lost_loses_no_lifetime(world: World) -> None:
    def lost(name: str, _arguments: object) -> None:
        if name == "set_xattr":
            raise errors.UpstreamTimeout("no answer")

    path = world.write("f")
    wrapped: Any = Wrapped(world.alice, after=lost)
    with pytest.raises(errors.UpstreamTimeout):
        world.lifetimes.keep(
            wrapped, path, world.alice.status(path), DELETE, owner="alice")
    assert world.later() == 1
    assert not world.exists(path)


def test_who_changes_a_lifetime_and_who_ends_it_take_turns(
    world: World,
) -> None:
    path = world.keep(world.write("f"), DELETE)
    target = found_by(path, world.alice.status(path).file_id)
    with turn(world.store, world.workers, target, 0.0):
        assert world.later() == 0
        assert world.exists(path)
    reached, go_on = threading.Event(), threading.Event()

    def wait(name: str, _arguments: object) -> None:
        if name == "delete":
            reached.set()
            assert go_on.wait(20)

    sweep = LifetimeSweep(
        world.store, Behind(world.backend, wait), world.workers, clock=world.clock)
    with ThreadPoolExecutor(2) as threads:
        ending = threads.submit(sweep.sweep)
        assert reached.wait(20)
        keeping = threads.submit(world.keep, path, DELETE._replace(ttl=10 * MINUTE))
        time.sleep(0.1)
        assert not keeping.done()
        go_on.set()
        assert ending.result(20) == 1
        with pytest.raises(errors.PathNotFound):
            keeping.result(20)
    assert not world.exists(path)


def test_sweeps_at_the_same_time_end_each_ttl_once(world: World) -> None:
    paths = [world.keep(world.write(f"f{i}"), DELETE) for i in range(30)]
    world.clock.now += 61
    sweeps = [LifetimeSweep(world.store, world.backend, world.workers, clock=world.clock)
              for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        ended = list(threads.map(LifetimeSweep.sweep, sweeps))
    assert sum(ended) == 30
    assert not any(map(world.exists, paths))
    assert not world.notes()
    assert not list(world.store.scan("lifetime-turns"))


def test_servers_that_tell_no_inode_numbers(world: World) -> None:
    class Without:
        def __init__(self, fs: WebHdfsFileSystem) -> None:
            self._fs = fs

        def status(self, path: HdfsPath) -> Any:
            return self._fs.status(path)._replace(file_id=0)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._fs, name)

    class Backend:
        def as_user(self, hadoop_user: str) -> Without:
            return Without(world.backend.as_user(hadoop_user))

    sweep = LifetimeSweep(world.store, Backend(), world.workers, clock=world.clock)
    fs: Any = Without(world.alice)
    hidden, replaced, moved = (world.write(name) for name in ("hidden", "r", "m"))
    world.lifetimes.keep(
        fs, hidden, fs.status(hidden), DELETE, owner="alice", known_as=world.at("f"))
    for path in (replaced, moved):
        world.lifetimes.keep(fs, path, fs.status(path), DELETE, owner="alice")
    assert world.alice.rename(hidden, world.at("f"))
    assert world.alice.rename(moved, world.at("n"))
    world.write("r", b"another")
    world.clock.now += 61
    assert sweep.sweep() == 1
    assert not world.exists(world.at("f"))
    assert world.exists(replaced)
    assert world.exists(world.at("n"))
    assert not world.notes()


def test_known_by_the_name_that_it_gets(world: World, caplog: pytest.LogCaptureFixture) -> None:
    path = world.keep(world.write("hidden"), DELETE, known_as=world.at("f"))
    assert world.alice.rename(path, world.at("f"))
    with caplog.at_level(logging.INFO, "app.fs.lifetime_sweep"):
        assert world.later() == 1
    assert f"the ttl of {world.at('f')} is over: DELETE of alice" in caplog.text


def test_a_sweep_that_takes_too_long_goes_on_at_the_next_beat(
    world: World, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lifetime_sweep, "_BEAT_SECONDS", 0.0)
    for i in range(3):
        world.keep(world.write(f"f{i}"), DELETE)
    world.clock.now += 61
    assert [world.sweep.beat() is UNFINISHED for _ in range(4)] == [True, True, True, False]
    assert not world.notes()


def test_waiting_for_the_turn_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    path = world.write("f")
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.1)
    target = found_by(path, world.alice.status(path).file_id)
    with turn(world.store, world.workers, target, 0.0) as mine:
        assert mine
        with pytest.raises(errors.FileBusy) as caught:
            world.keep(path, DELETE)
    assert caught.value.path == path
    wait_for("the turn", lambda: not list(world.store.scan("lifetime-turns")))
    world.keep(path, DELETE)


def test_the_turn_of_a_dead_worker_is_over(world: World) -> None:
    path, other = world.keep(world.write("f"), DELETE), world.keep(world.write("g"), DELETE)
    for held in (path, other):
        target = found_by(held, world.alice.status(held).file_id)
        world.store.put("lifetime-turns", target, {"by": "x", "worker": "of long ago"})
    world.keep(other, DELETE._replace(ttl=10 * MINUTE))
    assert world.later() == 1
    assert not world.exists(path)
    assert world.exists(other)


def test_a_number_that_leads_to_another_file_ends_nothing(world: World) -> None:
    """HDFS does so where only a snapshot still holds the noted file; here on every server."""
    noted = world.alice.status(world.keep(world.write("f"), DELETE)).file_id
    other = world.write("g")
    world.alice.set_xattr(
        other, RECORD, world.alice.xattrs(world.at("f"))[RECORD], exists=False)
    led = found_by(other, world.alice.status(other).file_id)

    class Astray:
        def __init__(self, fs: WebHdfsFileSystem) -> None:
            self._fs = fs

        def __getattr__(self, name: str) -> Any:
            def call(path: HdfsPath, *arguments: Any, **options: Any) -> Any:
                assert path == found_by(path, noted)
                return getattr(self._fs, name)(led, *arguments, **options)
            return call

    class Backend:
        def as_user(self, hadoop_user: str) -> Astray:
            return Astray(world.backend.as_user(hadoop_user))

    sweep = LifetimeSweep(world.store, Backend(), world.workers, clock=world.clock)
    world.clock.now += 61
    assert sweep.sweep() == 0
    assert world.exists(other)
    assert not world.notes()
