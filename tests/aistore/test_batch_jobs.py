"""The work of jobs on many objects by itself: what counts as done, and what as failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.aistore import batch_jobs
from app.aistore.batch_jobs import CHUNK, _through
from app.core.errors import AccessDenied, UpstreamUnavailable
from app.core.identity import Principal
from app.core.job_errors import JobAborted
from app.core.object_errors import NoSuchBucket, NoSuchKey
from app.jobs.record import Job
from app.jobs.running import Running

if TYPE_CHECKING:
    from collections.abc import Callable

ALICE = Principal("alice", "alice")
STORE: Any = None


def run(
    act: Callable[[str], None], total: int, *, cursor: Any = None, tries: int = 0,
    redone: int = 0, **spec: Any,
) -> Job:
    """Return the job after `act` was done with the names n0, n1, … behind `cursor`."""
    names = [f"n{number}" for number in range(total)]
    job = Job("id", "delete", "alice", "bucket", {"selection": {"names": names}, **spec},
              cursor=cursor, tries=tries)
    running = Running(job, ALICE)
    _through(running, STORE, act, redone=redone)
    return running.job


def only(*there: str) -> Callable[[str], None]:
    """Return what fails with all names but these."""
    def act(name: str) -> None:
        if name not in there:
            raise NoSuchKey(f"/b/{name}")

    return act


def test_what_is_missing_counts_as_failed() -> None:
    job = run(only("n1", "n150"), 200, redone=1000)
    assert (job.objects, job.failed, job.total, job.cursor) == (2, 198, 200, 200)
    assert job.errors[0] == "n0: no such key: /b/n0"
    assert len(job.errors) == 20


@pytest.mark.parametrize("again", [{"cursor": 0}, {"cursor": 64}, {"tries": 1}])
def test_what_the_last_run_has_done_counts_as_done(again: dict[str, Any]) -> None:
    begin = again.get("cursor", 0)
    job = run(only("n100", "n102"), 200, redone=1000, **again)
    # Up to the first that is there; among its chunk too.
    assert job.objects == 100 - begin + 2
    assert job.failed == 200 - begin - job.objects
    assert job.errors[0].startswith("n101:")


def test_no_more_counts_as_done_than_a_run_can_have_done() -> None:
    job = run(only(), 5 * CHUNK, cursor=0, redone=2 * CHUNK)
    assert (job.objects, job.failed) == (2 * CHUNK, 3 * CHUNK)
    job = run(only(), 5 * CHUNK, cursor=0)
    assert (job.objects, job.failed) == (0, 5 * CHUNK)


def test_one_refusal_ends_nothing_a_missing_bucket_does() -> None:
    def denied(name: str) -> None:
        if name == "n1":
            raise AccessDenied("/b/n1")

    job = run(denied, 3)
    assert (job.objects, job.failed, job.errors) == (2, 1, ("n1: permission denied: /b/n1",))

    def vanished(_name: str) -> None:
        raise NoSuchBucket("/b")

    with pytest.raises(NoSuchBucket):
        run(vanished, 3)


def test_what_the_cluster_refuses_for_a_while_is_tried_again(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_jobs, "_PAUSES", (0.0, 0.0))
    left = {"n1": 2}

    def act(name: str) -> None:
        if left.get(name, 0):
            left[name] -= 1
            raise UpstreamUnavailable("away")

    assert run(act, 3).objects == 3
    left["n1"] = 3
    with pytest.raises(UpstreamUnavailable):
        run(act, 3)


def test_an_aborted_job_ends_and_so_does_a_late_one() -> None:
    seen: list[str] = []
    job = Job("id", "delete", "alice", "bucket", {"selection": {"names": ["n"] * 1000}})
    running = Running(job, ALICE)

    def act(name: str) -> None:
        seen.append(name)
        running.end("the job was aborted")

    with pytest.raises(JobAborted):
        _through(running, STORE, act)
    assert len(seen) <= CHUNK
    with pytest.raises(batch_jobs.DeadlinePassed):
        run(only(), 3, deadline=1)


def test_a_template_goes_on_at_its_cursor() -> None:
    seen: set[str] = set()
    spec = {"selection": {"template": "a{1..3}/{00..99}"}}
    running = Running(Job("id", "delete", "alice", "bucket", spec, cursor=250, total=300), ALICE)
    _through(running, STORE, seen.add)
    assert seen == {f"a3/{number}" for number in range(50, 100)}
    assert (running.job.objects, running.job.cursor) == (50, 300)
