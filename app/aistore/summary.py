"""What a bucket has in sum: objects and bytes, counted by a job."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from app.aistore import batch_jobs
from app.aistore.bucket_props import Access, props_of
from app.aistore.call import as_json, as_text
from app.aistore.operation import Operation
from app.aistore.properties import PLACE
from app.aistore.provider import AIS, provider_of
from app.core.errors import Unsupported, UpstreamFault
from app.core.job_errors import NoSuchJob
from app.jobs.record import JobState, may_see

if TYPE_CHECKING:
    from werkzeug import Response

    from app.aistore.call import AIStoreCall
    from app.jobs.record import Job

_PERCENT = 100


def summary(call: AIStoreCall) -> Response:
    """Begin to count (202 and the task's id), or tell what a task has counted; 202 until then."""
    provider_of(call)
    task = call.value.text_or_number("taskid", "uuid")
    if task in ("", "0"):
        call.objects.bucket(call.bucket)
        props_of(call.objects, call.bucket).require(
            Access.LIST, call.objects.bucket_path(call.bucket))
        job = call.services.jobs.start(
            batch_jobs.SUMMARY, call.principal, {"prefix": call.value.text("prefix")},
            bucket=call.bucket)
        return as_text(job.id, 202)
    job = call.services.jobs.get(task)
    if not may_see(call.principal, job) or (job.kind, job.bucket) != (
            batch_jobs.SUMMARY, call.bucket):
        raise NoSuchJob(task)
    if not job.state.over:
        return as_text(job.id, 202)
    if job.state is not JobState.FINISHED:
        raise UpstreamFault(f"the summary was not made: {'; '.join(job.errors)}")
    return as_json([_told(call, job)])


def _told(call: AIStoreCall, job: Job) -> dict[str, Any]:
    """Return the summary of a bucket; how much of the disks it is where HDFS tells their size."""
    told: dict[str, Any] = {
        "name": job.bucket, "provider": AIS, "namespace": {"uuid": "", "name": ""},
        "count": str(job.objects), "size": str(job.bytes)}
    with suppress(Unsupported):
        capacity = call.services.fs_of(call.principal).storage().capacity
        told["disks_size"] = str(capacity)
        told["used_pct"] = job.bytes * _PERCENT // capacity if capacity > 0 else 0
    return told


OPERATIONS = (
    Operation("bucket.summary", ("POST",), PLACE, summary, ("summarybck", "summary_bck")),
)
