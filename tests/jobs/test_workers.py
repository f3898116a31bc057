"""Jobs among several workers: who takes them up, what becomes of them when workers die or leave."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from app.core.errors import StorageFault
from app.jobs import ledger, runs, upkeep
from app.jobs.record import JobState
from tests.gateway import wait_for
from tests.jobs.office import ALICE, LEASE, Gate, Killed, Office

if TYPE_CHECKING:
    from app.jobs.running import Running

OVER = (JobState.FINISHED, JobState.FAILED, JobState.ABORTED)
STEPS = 6
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnhandledThreadExceptionWarning")  # workers die here


class Steps:
    """Work of six steps, each noted, that can be held before one of them."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.hold_before = -1
        self.held = threading.Event()
        self.go = threading.Event()

    def __call__(self, running: Running) -> None:
        for step in range((running.job.cursor or 0), STEPS):
            while step == self.hold_before and not self.go.is_set():
                self.held.set()
                running.wait(0.01)
            self.done.append(step)
            running.progress(objects=1, bytes=step, total=STEPS, cursor=step + 1)


def test_a_job_that_may_not_run_here_waits_for_who_may(office: Office) -> None:
    steps = Steps()
    office.kind("copy", steps)
    door = office.worker("one", may_run=lambda: False)
    job = door.start("copy", ALICE, {"a": 1})
    assert job.state is JobState.QUEUED
    door.beat()
    assert door.get(job.id).state is JobState.QUEUED
    primary = office.worker("two")
    primary.beat()
    done = door.until(job, *OVER)
    assert (done.state, done.objects, done.spec) == (JobState.FINISHED, STEPS, {"a": 1})


def test_a_job_for_one_node_runs_there_and_nowhere_else(office: Office) -> None:
    steps = Steps()
    office.kind("copy", steps)
    here = office.worker("one", node="here")
    there = office.worker("two", node="there", may_run=lambda: False)
    job = here.start("copy", ALICE, {}, node="there")
    here.beat()
    assert here.get(job.id).state is JobState.QUEUED
    there.beat()
    assert here.until(job, *OVER).state is JobState.FINISHED
    assert there.start("copy", ALICE, {}, node="there").state is JobState.RUNNING
    there.idle()


def test_a_job_for_a_node_that_never_comes_is_given_up(
    office: Office, monkeypatch: pytest.MonkeyPatch,
) -> None:
    office.kind("copy", Steps())
    here = office.worker("one")
    job = here.start("copy", ALICE, {}, node="there")
    monkeypatch.setattr(upkeep, "NODE_PATIENCE_MS", -1)
    here.beat()
    done = here.get(job.id)
    assert (done.state, done.errors) == (
        JobState.FAILED, ("gateway there did not take the job up",))


def test_each_job_runs_once_however_many_look(office: Office) -> None:
    ran: Counter[str] = Counter()
    office.kind("copy", lambda running: ran.update([running.job.id]))
    door = office.worker("door", may_run=lambda: False)
    begun = [door.start("copy", ALICE, {}).id for _ in range(40)]
    workers = [office.worker(f"worker {n}") for n in range(4)]
    together = threading.Barrier(len(workers))

    def look(n: int) -> None:
        together.wait(20)
        while any(job.state is JobState.QUEUED for job in door.all()):
            workers[n].beat()

    threads = [threading.Thread(target=look, args=(n,)) for n in range(len(workers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for worker in workers:
        worker.idle()
    assert ran == Counter(begun)
    assert {job.state for job in door.all()} == {JobState.FINISHED}


def test_another_worker_goes_on_where_a_dead_one_was(office: Office) -> None:
    steps = Steps()
    steps.hold_before = 3
    office.kind("copy", steps, resumable=True)
    first, second = office.worker("one"), office.worker("two")
    job = first.start("copy", ALICE, {})
    assert steps.held.wait(20)
    first.beat()
    second.beat()
    assert second.get(job.id).worker == "one"
    first.die()
    steps.hold_before = -1
    second.beat()
    done = second.until(job, *OVER)
    assert (done.state, done.objects, done.bytes) == (JobState.FINISHED, STEPS, 15)
    second.idle()
    assert sorted(set(steps.done)) == list(range(STEPS))
    assert steps.done.count(0) == 1


def test_a_job_that_cannot_go_on_fails_in_plain_words(office: Office) -> None:
    gate = Gate()
    office.kind("sort", gate)
    first, second = office.worker("one"), office.worker("two")
    job = first.start("sort", ALICE, {})
    first.die()
    second.beat()
    done = second.get(job.id)
    assert (done.state, done.errors) == (JobState.FAILED, (upkeep.LOST,))
    assert done.ended
    gate.go.set()


@pytest.mark.parametrize("aborted", [False, True])
def test_what_a_dead_worker_left_is_undone_by_another(office: Office, *, aborted: bool) -> None:
    gate = Gate()
    undone: list[str] = []
    office.kind("sort", gate,
                undo=lambda running: undone.append(f"{running.job.id} {running.principal.name}"))
    first, second = office.worker("one"), office.worker("two")
    job = first.start("sort", ALICE, {"output": "x" * 5000})
    wait_for("the beginning", gate.begun.is_set)
    first.die()
    if aborted:
        second.abort(job.id)
    second.beat()
    second.idle()
    second.beat()
    assert undone == [f"{job.id} alice"]
    done = second.get(job.id)
    assert done.state is (JobState.ABORTED if aborted else JobState.FAILED)
    assert not [*office.store.scan(ledger.OPEN)]
    gate.go.set()


def test_a_job_that_ends_every_worker_is_given_up(office: Office) -> None:
    gate = Gate()
    office.kind("poison", gate, resumable=True)
    watcher = office.worker("watcher", may_run=lambda: False)
    job = watcher.start("poison", ALICE, {})
    for n in range(upkeep.MAX_TRIES):
        worker = office.worker(f"victim {n}")
        worker.beat()
        assert watcher.get(job.id).worker == f"victim {n}"
        worker.die()
        watcher.beat()
    done = watcher.get(job.id)
    assert (done.state, done.errors) == (JobState.FAILED, (upkeep.LOST,))
    gate.go.set()


def test_an_abort_reaches_the_worker_that_runs_the_job(office: Office) -> None:
    gate = Gate()
    office.kind("wait", gate)
    first, second = office.worker("one"), office.worker("two")
    job = first.start("wait", ALICE, {})
    assert second.abort(job.id).state is JobState.ABORTED
    first.beat()
    first.idle()
    assert first.get(job.id).state is JobState.ABORTED
    assert not [*office.store.scan(ledger.OPEN)]


def test_a_worker_that_was_taken_for_dead_leaves_the_job_to_the_next(office: Office) -> None:
    steps = Steps()
    steps.hold_before = 2
    office.kind("copy", steps, resumable=True)
    first, second = office.worker("one"), office.worker("two")
    job = first.start("copy", ALICE, {})
    assert steps.held.wait(20)
    office.living.discard("one")
    second.beat()
    assert second.get(job.id).worker == "two"
    office.living.add("one")
    first.beat()
    first.idle()
    assert second.get(job.id).state is JobState.RUNNING
    steps.go.set()
    done = second.until(job, *OVER)
    assert (done.state, done.objects, done.worker) == (JobState.FINISHED, STEPS, "")


def test_a_job_outlives_the_store_and_its_report_is_late_but_right(office: Office) -> None:
    steps = Steps()
    steps.hold_before = 3
    office.kind("copy", steps)
    first, second = office.worker("one"), office.worker("two")
    job = first.start("copy", ALICE, {})
    assert steps.held.wait(20)
    first.cable.away = True
    for _ in range(3):
        with pytest.raises(StorageFault):
            first.beat()
    assert second.get(job.id).objects == 0
    first.cable.away = False
    first.beat()
    assert second.get(job.id).objects == 3
    steps.go.set()
    assert second.until(job, *OVER).objects == STEPS


def test_the_end_of_a_job_is_written_when_the_store_is_back(
    office: Office, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runs, "_AGAIN_SECONDS", 0.01)
    steps = Steps()
    steps.hold_before = 3
    office.kind("copy", steps)
    first, second = office.worker("one"), office.worker("two")
    job = first.start("copy", ALICE, {})
    assert steps.held.wait(20)
    first.cable.away = True
    calls = first.cable.calls
    steps.go.set()
    wait_for("attempts", lambda: first.cable.calls > calls + 3)
    assert second.get(job.id).state is JobState.RUNNING
    first.cable.away = False
    done = second.until(job, *OVER)
    assert (done.state, done.objects) == (JobState.FINISHED, STEPS)


def test_after_the_store_was_away_nobody_is_taken_for_dead_at_once(office: Office) -> None:
    """Leases ran out meanwhile; who lives renews them within the time of one."""
    steps = Steps()
    steps.hold_before = 2
    office.kind("copy", steps, resumable=True)
    first, second = office.worker("one"), office.worker("two")
    job = first.start("copy", ALICE, {})
    assert steps.held.wait(20)
    second.cable.away = True
    with pytest.raises(StorageFault):
        second.beat()
    second.cable.away = False
    office.living.discard("one")
    until = time.monotonic() + LEASE / 2
    second.beat()
    if time.monotonic() < until:
        assert second.get(job.id).worker == "one"
    wait_for("patience to end", lambda: (
        second.beat(), second.get(job.id).worker)[1] != "one")
    steps.go.set()
    assert second.until(job, *OVER).objects == STEPS


def test_a_worker_that_leaves_hands_its_jobs_on(office: Office) -> None:
    steps, gate = Steps(), Gate()
    steps.hold_before = 3
    office.kind("copy", steps, resumable=True)
    office.kind("sort", gate)
    first, second = office.worker("one"), office.worker("two")
    goes, stays = first.start("copy", ALICE, {}), first.start("sort", ALICE, {})
    assert steps.held.wait(20)
    first.retire()
    wait_for("one run less", lambda: len(first._runs) == 1)
    assert second.get(goes.id).state is JobState.QUEUED
    assert second.get(goes.id).objects == 3
    assert second.get(stays.id).state is JobState.RUNNING
    assert first.start("copy", ALICE, {}).state is JobState.QUEUED
    first.beat()
    assert len(first._runs) == 1
    steps.go.set()
    second.beat()
    done = second.until(goes, *OVER)
    assert (done.state, done.objects, done.tries) == (JobState.FINISHED, STEPS, 0)
    assert first.busy
    gate.go.set()
    assert second.until(stays, *OVER).state is JobState.FINISHED
    second.idle()
    assert steps.done == [*range(STEPS), *range(STEPS)]


def test_an_aborted_job_that_waits_to_go_on_is_undone(office: Office) -> None:
    steps = Steps()
    steps.hold_before = 3
    undone: list[str] = []
    office.kind("copy", steps, resumable=True,
                undo=lambda running: undone.append(running.job.id))
    first, second = office.worker("one"), office.worker("two")
    job = first.start("copy", ALICE, {})
    assert steps.held.wait(20)
    first.retire()
    first.idle()
    second.abort(job.id)
    second.beat()
    second.idle()
    assert undone == [job.id]
    assert second.get(job.id).state is JobState.ABORTED


def test_an_unknown_kind_is_left_to_those_who_know_it(office: Office) -> None:
    """As between the workers of two versions."""
    old = office.worker("old")
    office.kind("copy", Steps(), resumable=True)
    new = office.worker("new", may_run=lambda: False)
    job = new.start("copy", ALICE, {})
    old.beat()
    assert new.get(job.id).state is JobState.QUEUED
    newer = office.worker("newer")
    newer.beat()
    assert new.until(job, *OVER).state is JobState.FINISHED


@pytest.mark.parametrize("resumable", [True, False])
def test_a_worker_may_die_at_any_of_its_calls_to_the_store(
    office: Office, *, resumable: bool,
) -> None:
    """And its job is done by another, or has failed, and nothing of it stays open."""
    steps = Steps()
    office.kind("copy", steps, resumable=resumable)
    survived = False
    for at in range(60):
        steps.done.clear()
        first, second = office.worker(f"first {at}"), office.worker(f"second {at}")
        first.cable.left = at
        job_id = ""
        try:
            job_id = first.start("copy", ALICE, {"names": "x" * 3000}).id
            first.idle()
            first.beat()
            survived = first.cable.left > 0
        except Killed:
            pass
        first.idle()
        first.die()
        for _ in range(5):
            second.beat()
            second.idle()
        found = {job.id: job for job in second.all()}
        assert not [*office.store.scan(ledger.OPEN)]
        if job_id:
            done = found[job_id]
            assert done.state is JobState.FINISHED or (
                not resumable and done.state is JobState.FAILED)
            assert set(steps.done) == set(range(STEPS))
            assert done.spec == {"names": "x" * 3000}
            if done.state is JobState.FINISHED:
                assert done.objects == STEPS
        if survived:
            break
    assert survived


@pytest.mark.parametrize("dies", [True, False])
def test_what_was_reported_after_the_cursor_is_not_counted_twice(
    office: Office, *, dies: bool,
) -> None:
    reached, go = threading.Event(), threading.Event()

    def work(running: Running) -> None:
        if running.job.cursor is None:
            running.progress(objects=1, bytes=10, failed="first", cursor=1)
        for name in ("second", "third"):
            running.progress(bytes=10, failed=name)
        reached.set()
        while not go.is_set():
            running.wait(0.01)
        running.progress(objects=2, cursor=3)

    office.kind("copy", work, resumable=True)
    first, second = office.worker("one"), office.worker("two")
    job = first.start("copy", ALICE, {})
    assert reached.wait(20)
    first.beat()
    assert second.get(job.id).bytes == 30
    if dies:
        first.die()
    else:
        first.retire()
        first.idle()
    go.set()
    second.beat()
    done = second.until(job, *OVER)
    assert (done.state, done.objects, done.bytes, done.failed) == (JobState.FINISHED, 3, 30, 3)
    assert done.errors == ("first", "second", "third")
