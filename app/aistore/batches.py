"""Operations on many objects of a bucket: each becomes a job, whose id is the answer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from app.aistore import batch_jobs
from app.aistore.bucket_props import Access, props_of
from app.aistore.call import as_text, empty
from app.aistore.operation import Operation
from app.aistore.properties import PLACE
from app.aistore.provider import provider_of
from app.aistore.selection import read_selection
from app.aistore.times import seconds_of
from app.core.cache_errors import CacheDisabled
from app.core.errors import GatewayError
from app.jobs.record import JobState

if TYPE_CHECKING:
    from werkzeug import Response

    from app.aistore.call import AIStoreCall
    from app.jobs.record import Job

LONGEST_WAIT = 300.0
"""Seconds for which an answer waits at most where the client asks it to."""
_FIRST_PAUSE, _LAST_PAUSE = 0.02, 0.5
_ALL = {"all": True}


class BatchFailed(GatewayError):
    """The job that the client waited for was not done."""


def delete(call: AIStoreCall) -> Response:
    """Delete a list or range of objects."""
    provider_of(call)
    selection = read_selection(call.value)
    call.objects.bucket(call.bucket)
    props_of(call.objects, call.bucket).require(
        Access.DELETE, call.objects.bucket_path(call.bucket))
    call.principal.require_write(call.objects.bucket_path(call.bucket))
    return _begun(call, batch_jobs.DELETE, selection)


def evict(call: AIStoreCall) -> Response:
    """Let the read cache forget a list or range of objects; HDFS is not touched."""
    provider_of(call)
    selection = read_selection(call.value)
    call.objects.bucket(call.bucket)
    return _begun(call, batch_jobs.EVICT, selection) if call.services.cache else empty()


def evict_bucket(call: AIStoreCall) -> Response:
    """Let the read cache forget all of a bucket; HDFS is not touched."""
    provider_of(call)
    call.objects.bucket(call.bucket)
    return _begun(call, batch_jobs.EVICT, _ALL) if call.services.cache else empty()


def prefetch(call: AIStoreCall) -> Response:
    """Bring a list or range of objects into the read cache of this node."""
    provider_of(call)
    selection = read_selection(call.value)
    call.objects.bucket(call.bucket)
    if not call.services.cache:
        raise CacheDisabled
    return _begun(call, batch_jobs.PREFETCH, selection, node=call.services.node_id)


def copy(call: AIStoreCall, target: str) -> Response:
    """Copy all objects of the bucket to another, which is there."""
    return _begun(call, batch_jobs.COPY, _ALL, to=target)


def _begun(
    call: AIStoreCall, kind: str, selection: dict[str, Any], *, node: str = "", **more: str,
) -> Response:
    """Start a job; `wait` and `deadline` of the message's value are heeded."""
    value = call.value
    wait = value.flag("wait")
    seconds = seconds_of(value.text_or_number("deadline") or "0", "deadline")
    until = int((time.time() + seconds) * 1000) if seconds else 0
    spec = {"selection": selection, "deadline": until, **more}
    job = call.services.jobs.start(
        kind, call.principal, spec, bucket=call.bucket, node=node)
    if wait:
        job = _waited(call, job, min(seconds or LONGEST_WAIT, LONGEST_WAIT))
        if job.state in (JobState.FAILED, JobState.ABORTED):
            raise BatchFailed(f"job {job.id} was not done: {'; '.join(job.errors)}")
        return as_text(job.id, 200 if job.state.over else 202)
    return as_text(job.id)


def _waited(call: AIStoreCall, job: Job, seconds: float) -> Job:
    """Return the job when it is over, or as it is when the time is."""
    end, pause = time.monotonic() + seconds, _FIRST_PAUSE
    while not job.state.over and time.monotonic() < end:
        time.sleep(pause)
        pause = min(pause * 2, _LAST_PAUSE)
        job = call.services.jobs.get(job.id)
    return job


OPERATIONS = (
    Operation("bucket.delete-objects", ("DELETE",), PLACE, delete, ("delete",)),
    Operation("bucket.evict-objects", ("DELETE",), PLACE, evict, ("evictobjects", "evictobj")),
    Operation("bucket.evict", ("DELETE",), PLACE, evict_bucket, ("evictcb",)),
    Operation("bucket.prefetch", ("POST",), PLACE, prefetch, ("prefetch",)),
)
