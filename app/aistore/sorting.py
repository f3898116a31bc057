"""Sorting: start one, its metrics, the list of all, abort, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.aistore.bucket_props import Access, props_of
from app.aistore.call import as_json, as_text, empty
from app.aistore.operation import Operation
from app.aistore.sort_spec import sort_request
from app.core.download_errors import DownloadsDisabled
from app.core.job_errors import NoSuchJob
from app.core.sort_errors import NoSuchSort
from app.jobs.record import may_see
from app.sorting.engine import require_spark
from app.sorting.metrics import metrics, node_of, summary
from app.sorting.sorting import KIND
from app.web.patterns import compiled

if TYPE_CHECKING:
    from werkzeug import Response

    from app.aistore.call import AIStoreCall
    from app.jobs.record import Job


def start(call: AIStoreCall) -> Response:
    """Start to sort; answer the id of the job."""
    request = sort_request(call.fields, call.exchange.origin.base_url)
    props_of(call.objects, request.bucket).require(Access.GET, _path(call, request.bucket))
    path = _path(call, request.output_bucket)
    props_of(call.objects, request.output_bucket).require(Access.PUT | Access.MOVE, path)
    call.principal.require_write(path)
    settings = call.services.settings
    require_spark(settings.sort)
    if request.order.startswith("http") and not settings.download.hosts:
        raise DownloadsDisabled
    job = call.services.jobs.start(
        KIND, call.principal, request.to_data(), bucket=request.output_bucket)
    return as_text(job.id)


def show(call: AIStoreCall) -> Response:
    """Answer the metrics of one sort by the node that runs it, or the list of all."""
    if not call.param("id"):
        return as_json([summary(job) for job in _listed(call)])
    job = _job(call)
    # One that has not begun, or never did, is told by whoever is asked.
    return as_json({node_of(job) or call.services.node_id: metrics(job)})


def abort(call: AIStoreCall) -> Response:
    """Have a sort end, with nothing left of it; one that is over stays as it is."""
    call.services.jobs.abort(_job(call).id)
    return empty()


def remove(call: AIStoreCall) -> Response:
    """Forget a sort that is over."""
    call.services.jobs.remove(_job(call).id)
    return empty()


def _path(call: AIStoreCall, bucket: str) -> str:
    return call.objects.bucket_path(bucket)


def _listed(call: AIStoreCall) -> list[Job]:
    wanted = compiled(call.param("regex")) if call.param("regex") else None
    jobs = [job for job in call.services.jobs.all(kind=KIND) if may_see(call.principal, job)]
    return jobs if wanted is None else [
        job for job in jobs if wanted.search(job.spec["description"])]


def _job(call: AIStoreCall) -> Job:
    """Return the sort that `id` names. Raises NoSuchSort."""
    job_id = call.param("id")
    try:
        job = call.services.jobs.get(job_id)
    except NoSuchJob:
        raise NoSuchSort(job_id) from None
    if job.kind != KIND or not may_see(call.principal, job):
        raise NoSuchSort(job_id)
    return job


OPERATIONS = (
    Operation("sort.start", ("POST",), ("sort",), start, json=True),
    Operation("sort.show", ("GET",), ("sort",), show, harmless=True),
    Operation("sort.abort", ("DELETE",), ("sort", "abort"), abort),
    Operation("sort.remove", ("DELETE",), ("sort",), remove),
)
