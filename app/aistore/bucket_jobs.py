"""The jobs of a bucket: looked at and ended by who began them.

AIStore ends them by `stop` at the cluster; that is for admins here, as all of the cluster is. Who
began a job asks the bucket: `status` and `stop`, with the job's id in the value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.aistore.call import as_json, empty
from app.aistore.job_view import details
from app.aistore.operation import Operation
from app.aistore.properties import PLACE
from app.core.job_errors import NoSuchJob
from app.jobs.record import may_see

if TYPE_CHECKING:
    from werkzeug import Response

    from app.aistore.call import AIStoreCall
    from app.jobs.record import Job


def status(call: AIStoreCall) -> Response:
    """Tell of the jobs of a bucket that the caller began, or of the one whose `id` is given."""
    if call.value.has("id", "uuid"):
        return as_json([details(_job(call))])
    mine = [job for job in call.services.jobs.all(bucket=call.bucket)
            if may_see(call.principal, job)]
    return as_json([details(job) for job in mine])


def stop(call: AIStoreCall) -> Response:
    """End a job of the bucket; what it has done stays done."""
    call.services.jobs.abort(_job(call).id)
    return empty()


def stop_any(call: AIStoreCall) -> Response:
    """End a job of any bucket; what it has done stays done."""
    call.services.jobs.abort(call.value.required("id", "uuid"))
    return empty()


def _job(call: AIStoreCall) -> Job:
    job = call.services.jobs.get(call.value.required("id", "uuid"))
    if job.bucket != call.bucket or not may_see(call.principal, job):
        raise NoSuchJob(job.id)
    return job


OPERATIONS = (
    Operation("bucket.jobs", ("POST",), PLACE, status, ("status",), harmless=True),
    Operation("bucket.stop-job", ("POST",), PLACE, stop, ("stop",)),
    Operation("cluster.stop-job", ("PUT",), ("cluster",), stop_any, ("stop", "xactstop"),
              admin=True),
)
