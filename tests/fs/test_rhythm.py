"""Work that is done every so often, by one of all workers."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest

from app.core.errors import StorageFault
from app.fs.rhythm import UNFINISHED, Rhythm
from app.fs.staging import Staging
from app.settings import UploadSettings
from app.state.sqlite import SqliteStore
from tests.gateway import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from app.fs.webhdfs import WebHdfsBackend


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_at_most_once_in_its_time(clock: Clock) -> None:
    done: list[float] = []
    rhythm = Rhythm(60.0, lambda: done.append(clock.now), clock=clock)
    for _ in range(130):
        rhythm()
        clock.now += 1
    assert [moment - 1_000_000 for moment in done] == [0, 60, 120]


def test_one_of_all_workers_does_it(tmp_path: Path, clock: Clock) -> None:
    done: list[str] = []
    with closing(SqliteStore(tmp_path / "state.db", clock=clock)) as store:
        workers = [
            Rhythm(60.0, lambda n=n: done.append(n), store=store, name="x", clock=clock)
            for n in "abc"]
        other = Rhythm(60.0, lambda: done.append("other"), store=store, name="y", clock=clock)
        for _ in range(100):
            for worker in workers:
                worker()
            clock.now += 1
        other()
    assert len(done) == 3
    assert done[-1] == "other"


def test_the_next_one_does_it_when_a_worker_has_died(tmp_path: Path, clock: Clock) -> None:
    done: list[str] = []

    def die() -> None:
        raise KeyboardInterrupt

    with closing(SqliteStore(tmp_path / "state.db", clock=clock)) as store:
        dying = Rhythm(60.0, die, store=store, name="x", clock=clock)
        with pytest.raises(KeyboardInterrupt):
            dying()
        living = Rhythm(60.0, lambda: done.append("done"), store=store, name="x", clock=clock)
        living()
        assert not done
        clock.now += 60
        living()
        assert done == ["done"]


def test_what_is_unfinished_goes_on_at_once(tmp_path: Path, clock: Clock) -> None:
    answers: list[object] = [UNFINISHED, UNFINISHED, None, None]
    with closing(SqliteStore(tmp_path / "state.db", clock=clock)) as store:
        one, other = (
            Rhythm(60.0, lambda: answers.pop(0), store=store, name="x", clock=clock)
            for _ in range(2))
        for _ in range(5):
            one()
            other()
        assert len(answers) == 1


def test_who_may_not_work_does_it_only_when_it_is_left_undone(tmp_path: Path, clock: Clock) -> None:
    done: list[tuple[str, float]] = []
    hangs = False

    def work(who: str) -> None:
        if who == "chosen" and hangs:
            raise StorageFault("what it needs is away, for the chosen one alone")
        done.append((who, clock.now))

    with closing(SqliteStore(tmp_path / "state.db", clock=clock)) as store:
        chosen, other = (
            Rhythm(30.0, lambda who=who: work(who), store=store, name="x", clock=clock,
                   may_work=lambda who=who: who == "chosen") for who in ("chosen", "other"))

        def pass_seconds(count: int) -> None:
            for _ in range(count):
                other()
                with suppress(StorageFault):
                    chosen()
                clock.now += 1

        pass_seconds(600)
        assert {who for who, _ in done} == {"chosen"}
        hangs = True
        stopped = clock.now
        done.clear()
        pass_seconds(600)
        first = min(moment for who, moment in done if who == "other")
        assert 90 <= first - stopped <= 300
        hangs = False
        pass_seconds(300)
        done.clear()
        pass_seconds(600)
        assert {who for who, _ in done} == {"chosen"}


def test_of_those_who_may_each_does_its_own(tmp_path: Path, clock: Clock) -> None:
    done: list[str] = []
    with closing(SqliteStore(tmp_path / "state.db", clock=clock)) as store:
        workers = [
            Rhythm(60.0, lambda n=n: done.append(n), store=store, name="x", clock=clock, each=True,
                   may_work=lambda n=n: n != "c") for n in "abc"]
        for _ in range(70):
            for worker in workers:
                worker()
            clock.now += 1
    assert sorted(done) == ["a", "a", "b", "b"]


def test_beats_come_as_often_as_the_quickest_work_needs(
    tmp_path: Path, backend: WebHdfsBackend,
) -> None:
    done: list[str] = []
    with closing(SqliteStore(tmp_path / "state.db")) as store:
        staging = Staging(store, backend, UploadSettings(lease_seconds=300, sweep_seconds=200))
        staging.also(lambda: done.append("slow"))
        staging.every(0.05, "quick", lambda: done.append("quick"))
        staging.workers.start()
        try:
            wait_for("the quick work", lambda: done.count("quick") >= 3)
        finally:
            staging.workers.stop()
    assert done.count("slow") == 1


def test_a_worker_that_does_not_sweep_does_what_each_does(
    tmp_path: Path, backend: WebHdfsBackend,
) -> None:
    done: list[str] = []
    with closing(SqliteStore(tmp_path / "state.db")) as store:
        staging = Staging(store, backend, UploadSettings(sweep_seconds=0.5), lambda: False)
        staging.also(lambda: done.append("swept"))
        staging.every(0.05, "one", lambda: done.append("one of all"))
        staging.each(lambda: done.append("each"))
        staging.workers.start()
        try:
            wait_for("what each does", lambda: done.count("each") >= 3)
        finally:
            staging.workers.stop()
    assert set(done) == {"each"}


def test_work_that_fails_keeps_no_other_from_its_turn(
    tmp_path: Path, backend: WebHdfsBackend,
) -> None:
    done: list[str] = []

    def fail() -> None:
        done.append("failing")
        raise StorageFault("a fault of this work alone")

    with closing(SqliteStore(tmp_path / "state.db")) as store:
        staging = Staging(store, backend, UploadSettings(sweep_seconds=0.5))
        staging.also(fail)
        staging.every(0.05, "failing", fail)
        staging.every(0.05, "other", lambda: done.append("other"))
        staging.workers.start()
        try:
            wait_for("both", lambda: done.count("failing") >= 3 and done.count("other") >= 3)
        finally:
            staging.workers.stop()
