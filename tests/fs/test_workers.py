"""Leases: who counts as alive, whatever the background work waits for."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from app.core.errors import StorageFault
from app.fs import workers as module
from app.fs.workers import Workers
from app.state.sqlite import SqliteStore
from tests.gateway import wait_for

if TYPE_CHECKING:
    from pathlib import Path

LEASE = 1.0


def test_a_worker_lives_while_its_background_work_waits_for_a_slow_cluster(
    tmp_path: Path,
) -> None:
    begun, over = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        over.wait(30)

    with closing(SqliteStore(tmp_path / "state.db")) as store:
        busy = Workers(store, lease=LEASE, interval=0.1, every_beat=wait)
        other = Workers(store, lease=LEASE, interval=0.1, every_beat=lambda: None)
        busy.start()
        try:
            assert begun.wait(10)
            until = time.monotonic() + 2 * LEASE
            while time.monotonic() < until:
                assert other.is_alive(busy.own_id)
                time.sleep(0.02)
        finally:
            over.set()
            busy.stop()


def test_threads_that_come_first_together_are_one_worker(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "state.db")) as store:
        for _ in range(20):
            one = Workers(store, lease=LEASE, interval=0.1, every_beat=lambda: None)
            other = Workers(store, lease=LEASE, interval=0.1, every_beat=lambda: None)
            together = threading.Barrier(8)

            def ask(one: Workers = one, together: threading.Barrier = together) -> str:
                together.wait(10)
                return one.own_id

            with ThreadPoolExecutor(8) as threads:
                ids = {asked.result() for asked in [threads.submit(ask) for _ in range(8)]}
            assert len(ids) == 1
            assert all(other.is_alive(known) for known in ids)
            one.stop()


def test_background_work_that_fails_is_tried_again(tmp_path: Path) -> None:
    beats: list[None] = []
    third = threading.Event()

    def fail() -> None:
        beats.append(None)
        if len(beats) == 3:
            third.set()
        raise RuntimeError("on purpose")

    with closing(SqliteStore(tmp_path / "state.db")) as store:
        workers = Workers(store, lease=LEASE, interval=0.05, every_beat=fail)
        workers.start()
        try:
            assert third.wait(10)
        finally:
            workers.stop()


def test_a_lease_that_was_given_back_is_that_of_no_living_worker(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "state.db")) as store:
        gone = Workers(store, lease=LEASE, interval=0.1, every_beat=lambda: None)
        gone.start()
        other = Workers(store, lease=LEASE, interval=0.1, every_beat=lambda: None)
        assert other.is_alive(gone.own_id)
        gone.stop()
        assert not other.is_alive(gone.own_id)


def test_a_process_that_lives_on_this_host_may_be_late_with_its_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Workers, "_keep", lambda _self, _stop: None)
    with closing(SqliteStore(tmp_path / "state.db")) as store:
        late = Workers(store, lease=LEASE, interval=0.1, every_beat=lambda: None)
        other = Workers(store, lease=LEASE, interval=0.1, every_beat=lambda: None)
        late.start()
        monkeypatch.setattr(module, "_host_key", lambda: "another host")
        try:
            assert other.is_alive(late.own_id)
            wait_for("the end of the lease", lambda: not other.is_alive(late.own_id))
            monkeypatch.undo()
            assert other.is_alive(late.own_id)
        finally:
            late.stop()


def test_a_worker_that_starts_while_the_store_is_away_has_a_lease_once_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_AWAY_SECONDS", 0.02)
    asked: list[None] = []
    beaten = threading.Event()

    def fail(*_: object, **__: object) -> None:
        asked.append(None)
        raise StorageFault("away")

    with closing(SqliteStore(tmp_path / "state.db")) as store:
        early = Workers(store, lease=LEASE, interval=0.1, every_beat=beaten.set)
        other = Workers(store, lease=LEASE, interval=0.1, every_beat=lambda: None)
        with monkeypatch.context() as away:
            away.setattr(store, "put", fail)
            early.start_when_possible()
            wait_for("several attempts", lambda: len(asked) > 2)
            with pytest.raises(StorageFault):
                _ = early.own_id
            assert not beaten.is_set()
        assert beaten.wait(10)
        assert other.is_alive(early.own_id)
        early.stop()
