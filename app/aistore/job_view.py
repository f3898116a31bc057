"""Jobs as AIStore's extended actions (`what=xaction`): names of 2020 and 2021 beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.aistore.batch_jobs import COPY, DELETE, EVICT, PREFETCH, SUMMARY
from app.aistore.rebalance import REBALANCE
from app.aistore.times import written
from app.core.errors import InvalidParameter
from app.jobs.record import JobState

if TYPE_CHECKING:
    from app.aistore.call import AIStoreCall
    from app.jobs.record import Job

_KINDS = (REBALANCE, PREFETCH, DELETE, EVICT, COPY, SUMMARY, "download", "sort")
_STATUS = {
    JobState.QUEUED: "Queued", JobState.RUNNING: "InProgress", JobState.FINISHED: "Completed",
    JobState.FAILED: "Failed", JobState.ABORTED: "Aborted",
}


def cluster_xactions(call: AIStoreCall) -> dict[str, Any]:
    """Return the jobs of the kind that `props` names, or all, below the gateways that run them.

    A job that any gateway may run is the primary one's. Raises InvalidParameter.
    """
    primary = call.services.nodes.map().primary.id
    kind, jobs = _wanted(call)
    by_node: dict[str, list[Job]] = {primary: []}
    for job in jobs:
        by_node.setdefault(job.node or primary, []).append(job)
    return {"kind": kind, "target": {
        node: _statistics(kind, mine) for node, mine in by_node.items()}}


def daemon_xactions(call: AIStoreCall) -> dict[str, Any]:
    """Return the same of this gateway alone. Raises InvalidParameter."""
    nodes = call.services.nodes
    kind, jobs = _wanted(call)
    own = [job for job in jobs if (job.node or nodes.map().primary.id) == nodes.own_id]
    return {"kind": kind, **_statistics(kind, own)}


def _wanted(call: AIStoreCall) -> tuple[str, list[Job]]:
    kind = call.param("props")
    if kind and kind not in _KINDS:
        raise InvalidParameter("props", kind, f"one of {', '.join(_KINDS)}")
    return kind, call.services.jobs.all(kind=kind or None)


def _statistics(kind: str, jobs: list[Job]) -> dict[str, Any]:
    told: dict[str, Any] = {"xactionDetails": [details(job) for job in jobs]}
    if kind == PREFETCH:
        told |= {"numFilesPrefetched": sum(job.objects for job in jobs),
                 "numBytesPrefetched": sum(job.bytes for job in jobs)}
    return told


def details(job: Job) -> dict[str, Any]:
    """Return one job; a time that is not yet is empty. Bytes and objects are those done.

    `obj_total` is how many there are to do, -1 where nobody knows.
    """
    began, ended = (written(at, "RFC3339Nano") if at else "" for at in (job.started, job.ended))
    return {
        "id": job.id, "kind": job.kind, "bucket": job.bucket, "provider": "ais",
        "startTime": began, "start_time": began, "endTime": ended, "end_time": ended,
        "status": _STATUS[job.state], "aborted": job.state is JobState.ABORTED,
        "obj_count": job.objects, "obj_total": job.total, "bytes_count": job.bytes,
        "err_count": job.failed, "errors": list(job.errors),
    }
