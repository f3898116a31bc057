"""Records of jobs: nothing is lost on the way to the store and back, and they stay small."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from app.jobs.record import MAX_ERRORS, Job, JobState, as_value, job_of
from app.jobs.running import Running
from app.jobs.runs import Ending, concluded
from app.state.values import decode, encode
from tests.jobs.office import ALICE

TEXTS = st.text(max_size=300)
COUNTS = st.integers(0, 2**60)
JSON = st.recursive(
    st.none() | st.booleans() | COUNTS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5)
JOBS = st.builds(
    Job, id=TEXTS, kind=TEXTS, user=TEXTS, bucket=TEXTS,
    spec=st.dictionaries(TEXTS, JSON, max_size=3), state=st.sampled_from(JobState), node=TEXTS,
    created=COUNTS, started=COUNTS, ended=COUNTS, objects=COUNTS, bytes=COUNTS,
    total=st.integers(-1, 2**60), failed=COUNTS,
    errors=st.lists(TEXTS, max_size=MAX_ERRORS).map(tuple), cursor=JSON,
    marks=st.tuples(COUNTS, COUNTS, COUNTS, st.integers(0, MAX_ERRORS)), worker=TEXTS,
    token=TEXTS, tries=COUNTS, removed=st.booleans(),
    view=st.lists(TEXTS, max_size=3).map(tuple))
REPORTS = st.lists(st.fixed_dictionaries({}, optional={
    "objects": COUNTS, "bytes": COUNTS, "total": COUNTS, "failed": TEXTS,
    "cursor": COUNTS}), max_size=50)


@settings(deadline=None)
@given(JOBS)
def test_a_job_is_the_same_after_the_store(job: Job) -> None:
    assert job_of(job.id, decode(encode(as_value(job))), job.spec) == job


@settings(deadline=None)
@given(JOBS, st.text(min_size=1))
def test_a_record_of_a_later_version_is_read_by_this_one(job: Job, name: str) -> None:
    value = {**as_value(job)}
    value.setdefault(f"new {name}", 1)
    assert job_of(job.id, value, job.spec) == job


@settings(deadline=None)
@given(REPORTS)
def test_reports_add_up(reports: list[dict[str, int | str]]) -> None:
    running = Running(Job("1", "copy", "alice"), ALICE)
    for report in reports:
        running.progress(**report)  # type: ignore[arg-type]
    job = running.job
    failed = [report for report in reports if "failed" in report]
    assert job.objects == sum(int(report.get("objects", 0)) for report in reports)
    assert job.bytes == sum(int(report.get("bytes", 0)) for report in reports)
    assert job.failed == len(failed)
    assert len(job.errors) == min(len(failed), MAX_ERRORS)
    assert all(len(text) <= 200 and text.isprintable() for text in job.errors)
    cursors = [report["cursor"] for report in reports if "cursor" in report]
    assert job.cursor == (cursors[-1] if cursors else None)


@settings(deadline=None)
@given(REPORTS, REPORTS)
def test_what_is_done_again_counts_once(
    before: list[dict[str, int | str]], after: list[dict[str, int | str]],
) -> None:
    """What came after the cursor is forgotten where the job goes on from there."""
    running = Running(Job("1", "copy", "alice", cursor=0), ALICE)
    for report in before:
        running.progress(**report)  # type: ignore[arg-type]
    running.progress(cursor="here")
    kept = running.job
    for report in after:
        report.pop("cursor", None)
        running.progress(**report)  # type: ignore[arg-type]
    again = running.job.rewound()
    assert (again.objects, again.bytes, again.failed, again.errors, again.cursor) == (
        kept.objects, kept.bytes, kept.failed, kept.errors, "here")
    assert again.state is JobState.QUEUED


@settings(deadline=None)
@given(JOBS, JOBS, st.sampled_from([*JobState, None]).filter(lambda s: s is not JobState.RUNNING),
       TEXTS)
def test_a_run_ends_its_own_job_only_and_only_once(
    stored: Job, job: Job, state: JobState | None, text: str,
) -> None:
    ending = Ending(state, text)
    other = replace(stored, token=f"{job.token}x")
    assert concluded(other, job, ending) == other
    mine = replace(stored, token=job.token)
    after = concluded(mine, job, ending)
    assert after.worker == ""
    goes_on = not mine.state.over and state in (None, JobState.QUEUED)
    assert after.cursor == job.cursor
    assert (after.objects, after.bytes, after.failed) == (
        job.marks[:3] if goes_on else (job.objects, job.bytes, job.failed))
    if mine.state.over:
        assert (after.state, after.ended, after.removed) == (
            mine.state, mine.ended, mine.removed)
    else:
        assert after.state is (state or JobState.QUEUED)
    assert len(after.errors) <= MAX_ERRORS
