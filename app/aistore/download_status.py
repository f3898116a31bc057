"""Downloads as AIStore tells of them: one object has the names of 2020 and of 2021."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.aistore.times import written
from app.downloads.account import Account
from app.downloads.records import current
from app.jobs.record import JobState

if TYPE_CHECKING:
    from app.jobs.record import Job
    from app.state.store import Store

_NEVER = "0001-01-01T00:00:00Z"


def summary(job: Job, under_way: int) -> dict[str, Any]:
    """Return a download in short; `under_way` objects are being fetched."""
    over = job.objects + job.failed
    total = job.spec["plan_total"]
    scheduled = total if job.state is JobState.FINISHED else min(over + under_way, total)
    return {
        "id": job.id, "description": job.spec["description"],
        "finished_cnt": job.objects, "scheduled_cnt": scheduled, "skipped_cnt": 0,
        "error_cnt": job.failed, "total": total, "all_dispatched": scheduled >= total,
        "aborted": job.state in (JobState.ABORTED, JobState.FAILED),
        "started_time": _time(job.started or job.created), "finished_time": _time(job.ended),
        "finished": job.objects, "scheduled": scheduled,
        "num_pending": 0 if job.state.over else total - over,
    }


def listed(store: Store, job: Job) -> dict[str, Any]:
    """Return a download as lists have it."""
    return summary(job, len(_now(store, job)))


def detailed(store: Store, job: Job, *, only_active: bool) -> dict[str, Any]:
    """Return a download with its objects: those under way, and the latest that are over."""
    tasks = _now(store, job)
    told = summary(job, len(tasks))
    _add(told, "current_tasks", [_task(task) for task in tasks])
    if not only_active:
        account = Account(job.cursor)
        _add(told, "finished_tasks", [_task(task) for task in account.finished])
        _add(told, "download_errors", [*account.errors, *_reasons(job)])
    return told


def _now(store: Store, job: Job) -> list[dict[str, Any]]:
    return [] if job.state.over else current(store, job.id)


def _reasons(job: Job) -> list[dict[str, str]]:
    """Return why a whole job failed."""
    failed = job.state is JobState.FAILED and job.errors
    return [{"name": "", "error": job.errors[0]}] if failed else []


def _add(told: dict[str, Any], name: str, entries: list[Any]) -> None:
    if entries:
        told[name] = entries


def _task(task: dict[str, Any]) -> dict[str, Any]:
    """Return one object; its bytes are text, as AIStore has them."""
    size = {"total": str(task["total"])} if task["total"] >= 0 else {}
    return {"name": task["name"], "downloaded": str(task["downloaded"]), **size,
            "start_time": _time(task["started"]), "end_time": _time(task["ended"]),
            "running": not task["ended"]}


def _time(millis: int) -> str:
    return written(millis, "RFC3339Nano") if millis else _NEVER
