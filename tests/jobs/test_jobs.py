"""Jobs as those see them who start, watch, abort and remove them, in one worker."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from app.auth.users import User
from app.core.errors import PathNotFound, StorageFault
from app.core.job_errors import JobRunning, JobTooLarge, NoSuchJob, TooManyJobs
from app.core.paths import HdfsPath
from app.jobs import jobs as module
from app.jobs import ledger
from app.jobs.record import MAX_ERRORS, Job, JobState, may_see
from tests.gateway import wait_for
from tests.jobs.office import ADMIN, ALICE, CONFINED, Gate, Office

if TYPE_CHECKING:
    from app.core.identity import Principal
    from app.jobs.running import Running
    from tests.jobs.conftest import Clock

OVER = (JobState.FINISHED, JobState.FAILED, JobState.ABORTED)


def nothing(running: Running) -> None:
    """Do nothing."""


def test_a_job_is_done_and_tells_what_it_did(office: Office) -> None:
    def work(running: Running) -> None:
        for size in running.job.spec["sizes"]:
            running.progress(objects=1, bytes=size, total=3)

    office.kind("copy", work)
    worker = office.worker("one")
    begun = worker.start("copy", ALICE, {"sizes": [10, 20, 30]}, bucket="lake")
    done = worker.until(begun, *OVER)
    assert (done.state, done.kind, done.user, done.bucket) == (
        JobState.FINISHED, "copy", "alice", "lake")
    assert (done.objects, done.bytes, done.total, done.failed) == (3, 60, 3, 0)
    assert done.spec == {"sizes": [10, 20, 30]}
    assert 0 < done.created <= done.started <= done.ended


def test_a_job_is_written_down_before_its_id_is_told(office: Office) -> None:
    gate = Gate()
    office.kind("wait", gate)
    worker, other = office.worker("one"), office.worker("two")
    begun = worker.start("wait", ALICE, {"x": 1})
    assert other.get(begun.id).spec == {"x": 1}
    assert other.get(begun.id).state is JobState.RUNNING
    gate.go.set()
    worker.until(begun, JobState.FINISHED)


def test_no_job_begins_while_the_store_is_away(office: Office) -> None:
    begun = threading.Event()
    office.kind("wait", lambda _running: begun.set())
    worker = office.worker("one")
    worker.cable.away = True
    with pytest.raises(StorageFault):
        worker.start("wait", ALICE, {})
    worker.cable.away = False
    assert worker.all() == []
    assert not worker.busy
    assert not begun.is_set()


def test_so_many_run_at_once_and_the_others_in_the_order_they_came(office: Office) -> None:
    gates = [Gate() for _ in range(5)]
    order: list[int] = []

    def work(running: Running) -> None:
        order.append(running.job.spec["n"])
        gates[running.job.spec["n"]](running)

    office.kind("wait", work)
    worker = office.worker("one", at_once=2)
    begun = []
    for n in range(5):
        begun.append(worker.start("wait", ALICE, {"n": n}))
        wait_for("another millisecond", lambda: module.now() > begun[-1].created)
    worker.beat()
    assert [worker.get(job.id).state for job in begun] == [JobState.RUNNING] * 2 + [
        JobState.QUEUED] * 3
    for n in range(5):
        wait_for(f"job {n}", gates[n].begun.is_set)
        assert len(order) == min(n + 2, 5)
        gates[n].go.set()
        worker.until(begun[n], JobState.FINISHED)
        wait_for("room", lambda: len(worker._runs) < 2)
        worker.beat()
    assert order == [0, 1, 2, 3, 4]


def test_who_comes_now_does_not_overtake_those_who_wait(office: Office) -> None:
    gate = Gate()
    office.kind("wait", gate)
    office.kind("quick", nothing)
    worker = office.worker("one", at_once=1)
    first = worker.start("wait", ALICE, {})
    waits = worker.start("quick", ALICE, {})
    worker.beat()
    gate.go.set()
    worker.until(first, JobState.FINISHED)
    worker.idle()
    late = worker.start("quick", ALICE, {})
    assert late.state is JobState.QUEUED
    worker.beat()
    worker.until(waits, JobState.FINISHED)


def test_an_error_of_the_file_system_fails_the_job_in_words_that_fit_its_user(
    office: Office,
) -> None:
    def work(running: Running) -> None:
        running.progress(objects=2)
        raise PathNotFound("/data/room/dir/file")

    office.kind("copy", work)
    worker = office.worker("one")
    done = worker.until(worker.start("copy", CONFINED, {}), *OVER)
    assert (done.state, done.objects) == (JobState.FAILED, 2)
    assert done.errors == ("no such file or directory: /dir/file",)


def test_an_error_that_nobody_expected_tells_nothing_of_the_inside(
    office: Office, caplog: pytest.LogCaptureFixture,
) -> None:
    def work(running: Running) -> None:
        raise RuntimeError("secret of the inside")

    office.kind("copy", work)
    worker = office.worker("one")
    done = worker.until(worker.start("copy", ALICE, {}), *OVER)
    assert done.state is JobState.FAILED
    assert done.errors == (f"internal error; the log has it as job {done.id}",)
    worker.idle()
    assert "secret of the inside" in caplog.text


def test_a_record_stays_small_whatever_goes_wrong(office: Office) -> None:
    def work(running: Running) -> None:
        for n in range(1000):
            running.progress(failed=f"{n}: " + "x" * 10_000)
        raise PathNotFound("/" + "y" * 8000)

    office.kind("copy", work)
    worker = office.worker("one")
    done = worker.until(worker.start("copy", ALICE, {}), *OVER)
    assert done.failed == 1000
    assert len(done.errors) == MAX_ERRORS
    assert done.errors[0].startswith("no such file or directory: /yyy")
    assert done.errors[1].startswith("0: xxx")
    assert sum(map(len, done.errors)) < 10_000


def test_a_long_description_is_kept_and_not_written_with_each_report(office: Office) -> None:
    gate = Gate()
    names = {"names": [f"object-{n:06}" for n in range(10_000)]}
    office.kind("delete", gate)
    worker, other = office.worker("one"), office.worker("two")
    job = worker.start("delete", ALICE, names)
    assert other.get(job.id).spec == names
    assert [found.spec for found in other.all()] == [names]
    assert len(str(office.store.get(ledger.OPEN, job.id))) < 2000
    gate.go.set()
    worker.until(job, JobState.FINISHED)
    worker.idle()
    worker.remove(job.id)
    assert not [*office.store.scan(ledger.SPECS)]


def test_a_description_without_measure_is_refused(
    office: Office, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledger, "MAX_SPEC", 5000)
    office.kind("delete", nothing)
    worker = office.worker("one")
    with pytest.raises(JobTooLarge):
        worker.start("delete", ALICE, {"names": "x" * 5000})
    assert worker.all() == []
    assert not worker.busy


def test_what_a_job_was_to_do_is_not_kept_beyond_its_end_where_it_is_long(office: Office) -> None:
    office.kind("quick", nothing)
    worker = office.worker("one")
    spec = {"names": ["x" * 100] * 1000, "description": "y" * 5000}
    job = worker.until(worker.start("quick", ALICE, spec), JobState.FINISHED)
    worker.idle()
    assert worker.get(job.id).spec == {"description": "y" * 5000}


def test_one_user_leaves_room_for_the_jobs_of_others(
    office: Office, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_OF_USER", 3)
    gate = Gate()
    office.kind("wait", gate)
    worker = office.worker("one", at_once=1)
    for _ in range(3):
        worker.start("wait", ALICE, {})
    with pytest.raises(TooManyJobs, match="3 jobs of yours"):
        worker.start("wait", ALICE, {})
    others = worker.start("wait", CONFINED, {})
    worker.beat()
    with pytest.raises(TooManyJobs, match="of yours"):
        worker.start("wait", ALICE, {})
    assert worker.start("wait", CONFINED, {}).state is JobState.QUEUED
    gate.go.set()

    def through() -> bool:
        worker.beat()
        return worker.get(others.id).state is JobState.FINISHED

    wait_for("the other's job", through)


def test_of_a_kind_that_takes_much_so_many_run_at_once_and_others_beside_them(
    office: Office,
) -> None:
    gate = Gate()
    office.kind("sort", gate, at_once=1)
    office.kind("quick", nothing)
    worker = office.worker("one", at_once=3)
    first = worker.start("sort", ALICE, {})
    second = worker.start("sort", ALICE, {})
    worker.beat()
    assert (worker.get(first.id).state, worker.get(second.id).state) == (
        JobState.RUNNING, JobState.QUEUED)
    worker.until(worker.start("quick", ALICE, {}), JobState.FINISHED)
    gate.go.set()
    worker.until(first, JobState.FINISHED)
    worker.idle()
    worker.beat()
    worker.until(second, JobState.FINISHED)


def test_who_has_many_jobs_waiting_lets_others_pass(office: Office) -> None:
    order: list[str] = []
    gate = Gate()
    office.kind("wait", gate)
    office.kind("note", lambda running: order.append(running.job.user))
    worker = office.worker("one", at_once=1)
    worker.start("wait", ADMIN, {})
    for _ in range(3):
        worker.start("note", ALICE, {})
    for _ in range(2):
        worker.start("note", CONFINED, {})
    gate.go.set()
    for count in range(1, 6):
        worker.idle()
        worker.beat()
        wait_for("the next", lambda count=count: len(order) >= count)
    assert sorted(order[:2]) == ["alice", "carol"]
    assert sorted(order[2:4]) == ["alice", "carol"]


def test_there_is_an_end_to_how_many_may_wait(
    office: Office, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_OPEN", 3)
    office.kind("wait", nothing)
    worker = office.worker("one", may_run=lambda: False)
    for _ in range(3):
        worker.start("wait", ALICE, {})
    with pytest.raises(TooManyJobs):
        worker.start("wait", ALICE, {})
    worker.abort(worker.all()[0].id)
    worker.beat()
    worker.start("wait", ALICE, {})


def test_jobs_are_found_by_kind_user_and_bucket(office: Office) -> None:
    office.kind("copy", nothing)
    office.kind("delete", nothing)
    worker = office.worker("one")
    a = worker.start("copy", ALICE, {}, bucket="x")
    b = worker.start("delete", ALICE, {}, bucket="y")
    c = worker.start("copy", CONFINED, {}, bucket="y")
    worker.idle()
    assert {job.id for job in worker.all()} == {a.id, b.id, c.id}
    assert {job.id for job in worker.all(kind="copy")} == {a.id, c.id}
    assert {job.id for job in worker.all(user="alice")} == {a.id, b.id}
    assert {job.id for job in worker.all(kind="copy", bucket="y")} == {c.id}
    assert worker.all(kind="prefetch") == []


def test_jobs_are_their_users_and_the_admins() -> None:
    job = Job("1", "copy", "alice")
    assert may_see(ALICE, job)
    assert may_see(ADMIN, job)
    assert not may_see(CONFINED, job)


def test_a_running_job_is_aborted(office: Office) -> None:
    gate = Gate()
    office.kind("wait", gate)
    worker = office.worker("one")
    job = worker.start("wait", ALICE, {})
    wait_for("the beginning", gate.begun.is_set)
    assert worker.abort(job.id).state is JobState.ABORTED
    worker.idle()
    done = worker.get(job.id)
    assert (done.state, done.objects, done.errors) == (JobState.ABORTED, 0, ())
    assert done.ended >= done.started
    assert worker.abort(job.id) == done


def test_what_an_aborted_job_did_until_its_end_is_told(office: Office) -> None:
    told, aborted = threading.Event(), threading.Event()

    def work(running: Running) -> None:
        running.progress(objects=3, failed="one")
        told.set()
        aborted.wait(20)
        running.check()

    office.kind("wait", work)
    worker = office.worker("one")
    job = worker.start("wait", ALICE, {})
    assert told.wait(20)
    worker.abort(job.id)
    aborted.set()
    worker.idle()
    done = worker.get(job.id)
    assert (done.state, done.objects, done.errors) == (JobState.ABORTED, 3, ("one",))


def test_work_that_hides_its_abortion_does_not_undo_it(office: Office) -> None:
    gate = Gate()

    def work(running: Running) -> None:
        try:
            gate(running)
        except Exception:  # noqa: BLE001 what must not be done, and is done
            return

    office.kind("wait", work)
    worker = office.worker("one")
    job = worker.start("wait", ALICE, {})
    worker.abort(job.id)
    worker.idle()
    assert worker.get(job.id).state is JobState.ABORTED


def test_a_job_that_waits_is_aborted_and_never_begins(office: Office) -> None:
    begun = threading.Event()
    office.kind("wait", lambda _running: begun.set())
    elsewhere = office.worker("one", may_run=lambda: False)
    job = elsewhere.start("wait", ALICE, {})
    assert elsewhere.abort(job.id).state is JobState.ABORTED
    worker = office.worker("two")
    worker.beat()
    worker.idle()
    assert not begun.is_set()
    assert worker.get(job.id).state is JobState.ABORTED


def test_only_a_job_that_is_over_is_removed(office: Office) -> None:
    gate = Gate()
    office.kind("wait", gate)
    worker = office.worker("one")
    job = worker.start("wait", ALICE, {})
    with pytest.raises(JobRunning):
        worker.remove(job.id)
    gate.go.set()
    worker.until(job, JobState.FINISHED)
    worker.idle()
    worker.remove(job.id)
    for ask in (worker.get, worker.abort, worker.remove):
        with pytest.raises(NoSuchJob):
            ask(job.id)
    assert worker.all() == []


def test_an_aborted_job_can_be_removed_before_its_work_has_noticed(office: Office) -> None:
    held = threading.Event()

    def work(running: Running) -> None:
        held.wait(20)
        running.check()

    office.kind("wait", work)
    worker = office.worker("one")
    job = worker.start("wait", ALICE, {})
    worker.abort(job.id)
    worker.remove(job.id)
    with pytest.raises(NoSuchJob):
        worker.get(job.id)
    assert worker.all() == []
    held.set()
    worker.idle()
    worker.beat()
    with pytest.raises(NoSuchJob):
        worker.get(job.id)
    assert not [*office.store.scan(ledger.OPEN), *office.store.scan(ledger.OVER)]


def test_old_jobs_are_forgotten(office: Office, clock: Clock) -> None:
    gate = Gate()
    office.kind("wait", gate)
    office.kind("quick", nothing)
    worker = office.worker("one", kept=100.0)
    old = worker.until(worker.start("quick", ALICE, {"names": "x" * 5000}), JobState.FINISHED)
    worker.idle()
    runs = worker.start("wait", ALICE, {"names": "x" * 5000})
    clock.now += 99
    worker.beat()
    assert {job.id for job in worker.all()} == {old.id, runs.id}
    clock.now += 2
    worker.beat()
    assert [job.id for job in worker.all()] == [runs.id]
    with pytest.raises(NoSuchJob):
        worker.get(old.id)
    gate.go.set()
    worker.until(runs, JobState.FINISHED)


def test_reports_are_written_about_once_a_beat_and_not_with_each_call(office: Office) -> None:
    gate = Gate()

    def work(running: Running) -> None:
        for n in range(10_000):
            running.progress(objects=1, cursor=n)
        gate(running)

    office.kind("copy", work)
    worker, other = office.worker("one"), office.worker("two")
    job = worker.start("copy", ALICE, {})
    wait_for("all reports", lambda: worker.get(job.id).objects == 10_000)
    assert worker.cable.calls < 200
    assert other.get(job.id).objects == 0
    worker.beat()
    assert (other.get(job.id).objects, other.get(job.id).cursor) == (10_000, 9_999)
    gate.go.set()
    worker.until(job, JobState.FINISHED)


def test_a_user_who_is_gone_does_nothing_more(office: Office) -> None:
    gate = Gate()
    undone: list[tuple[str, Principal]] = []
    office.kind("wait", gate, undo=lambda running: undone.append(
        (running.job.id, running.principal)))
    worker = office.worker("one")
    runs = worker.start("wait", ALICE, {})
    elsewhere = office.worker("two", may_run=lambda: False)
    waits = elsewhere.start("wait", ALICE, {})
    wait_for("the beginning", gate.begun.is_set)
    office.users["alice"] = replace(office.users["alice"], active=False)
    for job in (runs, waits):
        worker.beat()
        done = worker.until(job, *OVER)
        assert (done.state, done.objects) == (JobState.FAILED, 0)
        assert "no longer in the users file" in done.errors[0]
    # What was kept for one that never ran goes, too; in HDFS nothing can be done for nobody.
    assert undone == [(waits.id, replace(ALICE, read_only=True))]


@pytest.mark.parametrize("moved", [
    {"root": HdfsPath("/data/other")}, {"bucket_root": HdfsPath("/data")}, {"hadoop_user": "bob"}])
@pytest.mark.parametrize("begun", [True, False])
def test_a_job_does_nothing_where_its_users_names_mean_something_else_by_now(
    office: Office, moved: dict[str, Any], *, begun: bool,
) -> None:
    gate = Gate()
    seen: list[Principal] = []
    undone: list[str] = []

    def work(running: Running) -> None:
        seen.append(running.principal)
        gate(running)

    office.kind("delete", work, resumable=True, undo=lambda running: undone.append(running.job.id))
    job = office.worker("one", may_run=lambda: begun).start("delete", ALICE, {})
    if begun:
        wait_for("the beginning", gate.begun.is_set)
    office.users["alice"] = User(replace(ALICE, **moved), "hash")
    office.living.discard("one")
    worker = office.worker("two")
    worker.beat()
    worker.beat()
    gate.go.set()
    done = worker.until(job, *OVER)
    assert (done.state, len(seen), undone) == (JobState.FAILED, int(begun), [job.id])
    assert "mean something else" in done.errors[0]


@pytest.mark.parametrize("resumable", [True, False])
def test_a_user_whose_rights_change_goes_on_with_those_or_not_at_all(
    office: Office, *, resumable: bool,
) -> None:
    gate = Gate()
    seen: list[Principal] = []

    def work(running: Running) -> None:
        seen.append(running.principal)
        gate(running)

    office.kind("wait", work, resumable=resumable)
    worker = office.worker("one")
    job = worker.start("wait", ALICE, {})
    wait_for("the beginning", gate.begun.is_set)
    lesser = replace(ALICE, read_only=True)
    office.users["alice"] = User(lesser, "hash")
    worker.beat()
    worker.idle()
    gate.go.set()
    worker.beat()
    done = worker.until(job, *OVER)
    if resumable:
        assert (done.state, seen) == (JobState.FINISHED, [ALICE, lesser])
    else:
        assert (done.state, seen) == (JobState.FAILED, [ALICE])
        assert "was changed" in done.errors[0]
