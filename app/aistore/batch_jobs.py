"""The work of jobs on many objects: delete, evict, prefetch, copy a bucket, sum one up.

A job goes through what is selected in order, some at a time, and notes how far it is: whichever
worker takes it up goes on from there. An object that is not there, or cannot be had, counts as
failed and is told by name (AIStore passes over what is missing); the job goes on with the next. One
that a worker deleted before it died may be named again: the first of those after a job was taken
up count as done, and what was made since under such a name stays.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from app.aistore.bucket_props import Access, props_of
from app.aistore.selection import batches, total_of
from app.cache.files import CachedFiles
from app.core.errors import Conflict, GatewayError, PathNotFound, UpstreamError
from app.core.object_errors import NoSuchBucket, NoSuchKey

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.core.objects import ObjectInfo
    from app.fs.object_guard import Precondition
    from app.fs.objects import ObjectStore
    from app.jobs.jobs import Jobs
    from app.jobs.record import Job
    from app.jobs.running import Running
    from app.web.services import Services

    Act = Callable[[str], None]

DELETE, EVICT, PREFETCH, COPY, SUMMARY = "delete", "evict", "prefetch", "copy-bucket", "summary"
AT_ONCE = 8
CHUNK = 64
_REDONE = 64 * CHUNK
"""So many names may a worker have gone through that died before it could note that."""
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
_PAGE = 1000


class DeadlinePassed(GatewayError):
    """The client wanted it done by a time that is over."""


def register(jobs: Jobs, services: Services) -> None:
    """Have the jobs of this module done."""
    kinds = {DELETE: _delete, EVICT: _evict, PREFETCH: _prefetch, COPY: _copy}
    for kind, work in kinds.items():
        jobs.register(kind, partial(work, services), resumable=True)
    jobs.register(SUMMARY, partial(_summary, services), resumable=True)


# --- the kinds


def _delete(services: Services, running: Running) -> None:
    objects, bucket = services.objects_of(running.principal), running.job.bucket
    props_of(objects, bucket).require(Access.DELETE, objects.bucket_path(bucket))

    precondition = _older_than(running.job) if _is_taken_up(running.job) else None

    def act(key: str) -> None:
        if not objects.delete(bucket, key, precondition):
            raise NoSuchKey(objects.locate(bucket, key).path)

    _through(running, objects, act, redone=_REDONE)


def _older_than(job: Job) -> Precondition:
    """Return what refuses to delete an object that was made after the job was begun.

    Its user may have seen it gone before the last run ended, or have waited for hours.
    """
    def check(info: ObjectInfo | None) -> None:
        if info and not info.status.is_directory and (
                info.status.modification_time > job.created):
            raise Conflict(info.path, "it was made after the job had begun, and stays")

    return check


def _evict(services: Services, running: Running) -> None:
    objects, bucket = services.objects_of(running.principal), running.job.bucket
    files = _cached_files(services, running)

    def act(key: str) -> None:
        running.progress(bytes=files.evict(objects.info(bucket, key).status))

    _through(running, objects, act)


def _prefetch(services: Services, running: Running) -> None:
    objects, bucket = services.objects_of(running.principal), running.job.bucket
    files = _cached_files(services, running)

    def act(key: str) -> None:
        info = objects.info(bucket, key)
        if not info.status.is_directory:
            files.prefetch(info.path, info.status, lambda size: running.progress(bytes=size))

    _through(running, objects, act)


def _copy(services: Services, running: Running) -> None:
    objects, job = services.objects_of(running.principal), running.job
    target = job.spec["to"]
    props_of(objects, target).require(Access.PUT, objects.bucket_path(target))

    def act(key: str) -> None:
        info = objects.info(job.bucket, key)
        objects.copy(info, target, key, lambda meta: meta)
        running.progress(bytes=info.size)

    _through(running, objects, act)


def _summary(services: Services, running: Running) -> None:
    """Count the objects and their bytes."""
    objects, job = services.objects_of(running.principal), running.job
    after: str | None = job.cursor or ""
    while after is not None:
        page = objects.list(
            job.bucket, prefix=job.spec["prefix"], after=after, limit=_PAGE, etags=False)
        sizes = [one.status.length for one in page.entries if one.status]
        after = page.next_after
        running.progress(objects=len(sizes), bytes=sum(sizes), cursor=after)


def _cached_files(services: Services, running: Running) -> CachedFiles:
    return CachedFiles(
        services.fs_of(running.principal), services.cache)


# --- going through


def _through(running: Running, objects: ObjectStore, act: Act, *, redone: int = 0) -> None:
    """Do `act` with every selected name.

    Up to `redone` names that are not there count as done, where the job is taken up from another
    worker, until the first that is there. Raises NoSuchBucket, DeadlinePassed, UpstreamError.
    """
    job = running.job
    lenient = redone if _is_taken_up(job) else 0
    selection = dict(job.spec["selection"])
    if job.cursor is None:
        # The next run shall know that it is not the first.
        running.progress(total=total_of(selection), cursor=0)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for batch in batches(selection, objects, job.bucket, job.cursor, CHUNK):
            _check_deadline(job.spec)
            errors = list(pool.map(partial(_attempt, running, act), batch.names))
            if lenient:
                gone = _leading_missing(errors)
                errors[:gone] = [None] * gone
                lenient = max(0, lenient - gone) if gone == len(errors) else 0
            _report(running, errors, batch.names, batch.cursor)


def _is_taken_up(job: Job) -> bool:
    """Tell whether another run may have done some of a job."""
    return job.cursor is not None or job.tries > 0


def _report(
    running: Running, errors: Sequence[GatewayError | None], names: Sequence[str], cursor: Any,
) -> None:
    for name, error in zip(names, errors, strict=True):
        if error is not None:
            running.progress(failed=f"{name}: {running.told(error)}")
    running.progress(objects=errors.count(None), cursor=cursor)


def _attempt(running: Running, act: Act, name: str) -> GatewayError | None:
    """Return why it cannot be done with this name, None where it was.

    What fails for reasons of the cluster is tried again for a while, then ends the job.
    """
    running.check()
    tries = 0
    while True:
        try:
            act(name)
        except NoSuchBucket:
            raise
        except UpstreamError:
            if tries == len(_PAUSES):
                raise
            running.wait(_PAUSES[tries])
            tries += 1
        except GatewayError as error:
            return error
        else:
            return None


def _leading_missing(errors: Sequence[GatewayError | None]) -> int:
    """Return how many of the first are missing."""
    return next((place for place, error in enumerate(errors)
                 if not isinstance(error, NoSuchKey | PathNotFound)), len(errors))


def _check_deadline(spec: Any) -> None:
    deadline = spec.get("deadline", 0)
    if deadline and time.time() * 1000 > deadline:
        raise DeadlinePassed("the deadline of the request has passed; what was done is done")
