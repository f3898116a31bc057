"""Downloads: start by both years' requests, status and list, cancel, abort, remove."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from app.aistore import download_requests as requests
from app.aistore import download_status as status
from app.aistore.bucket_props import props_of
from app.aistore.call import as_json, empty
from app.aistore.download_jobs import NEEDED, guard_of
from app.aistore.fields import Fields
from app.aistore.operation import Operation
from app.core.download_errors import DownloadStopped
from app.core.errors import InvalidParameter, InvalidRequest, MissingParameter, printable
from app.core.job_errors import NoSuchJob
from app.core.paths import parent_of
from app.downloads import records
from app.downloads.account import Account
from app.downloads.orders import checked_headers
from app.downloads.work import KIND
from app.fs.placing import status_or_none
from app.jobs.record import may_see
from app.web.patterns import compiled

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug import Response

    from app.aistore.call import AIStoreCall
    from app.downloads.plan import Plan
    from app.jobs.record import Job

    Read = Callable[[Fields], Plan]

PLACE = ("download",)
_TYPES: dict[str, Read] = {
    "single": requests.single, "multi": requests.multi, "range": requests.template}
_NO_ID = "ID not specified"


def start(call: AIStoreCall) -> Response:
    """Start a download of the `type` that the request names (2021)."""
    kind = call.fields.text("type")
    if kind == "cloud":
        requests.item_of(Fields({"from_cloud": True}))
    if not kind:
        raise MissingParameter("type", ", ".join(_TYPES))
    if kind not in _TYPES:
        raise InvalidParameter("type", kind, ", ".join(_TYPES))
    return _begun(call, _TYPES[kind])


def start_single(call: AIStoreCall) -> Response:
    """Start a download of one object (2020)."""
    return _begun(call, requests.single)


def start_multi(call: AIStoreCall) -> Response:
    """Start a download of a map or a list of links (2020)."""
    return _begun(call, requests.multi)


def start_list(call: AIStoreCall) -> Response:
    """Start a download of links that differ in a number (2020)."""
    return _begun(call, requests.listing)


def tell(call: AIStoreCall) -> Response:
    """Tell of one download, by its id or by one of its objects; without either, list them all."""
    fields = _asked(call)
    job_id, regex = fields.text("id", "uuid"), fields.text("regex")
    if job_id and regex:
        raise InvalidParameter("regex", regex, "a regular expression without an id")
    if job_id:
        job = _job(call, job_id)
    elif fields.has("link"):
        found = _by_object(call, fields)
        if found is None:
            raise NoSuchJob(fields.text("link"))
        job = found[0]
    else:
        return _list(call, regex)
    active = fields.flag("only_active_tasks", "only_active")
    return as_json(status.detailed(call.services.store, job, only_active=active))


def cancel(call: AIStoreCall) -> Response:
    """End a download by its id, or the download of one object; what is over cannot be ended."""
    fields = _asked(call)
    job_id = fields.text("id", "uuid")
    if job_id:
        job = _job(call, job_id)
        if job.state.over:
            raise InvalidRequest(f"the download is over already: {printable(job_id)}")
        return _aborted(call, job)
    found = _by_object(call, fields) if fields.has("link") else None
    if found is None:
        raise InvalidRequest(_NO_ID)
    job, number = found
    if job.state.over or Account(job.cursor).has(number):
        raise InvalidRequest(f"the download of {printable(fields.text('link'))} is over already")
    if job.spec["plan_total"] == 1:
        return _aborted(call, job)
    records.cancel(call.services.store, job.id, number)
    return empty()


def abort(call: AIStoreCall) -> Response:
    """End a download; one that is over stays as it is."""
    return _aborted(call, _job(call, _id(call)))


def remove(call: AIStoreCall) -> Response:
    """Forget a download that is over."""
    job = _job(call, _id(call))
    call.services.jobs.remove(job.id)
    records.remove(call.services.store, job.spec["kept"])
    return empty()


# --- starting


def _begun(call: AIStoreCall, read: Read) -> Response:
    """Begin what the request asks for. Raises whatever can be known to be wrong now."""
    fields, settings = call.fields, call.services.settings.download
    guard = guard_of(settings)
    guard.require_enabled()
    bucket = requests.bucket_of(fields)
    path = call.objects.bucket(bucket).path
    call.principal.require_write(path)
    props_of(call.objects, bucket).require(NEEDED, path)
    plan = read(fields)
    if plan.total > settings.max_objects:
        raise InvalidRequest(f"the download has {plan.total} objects; at most"
                             f" {settings.max_objects} are allowed (setting download.max_objects)")
    plan.check(guard.check_host)
    orders = requests.orders_of(fields)
    headers = checked_headers(fields.members("headers"))
    _require_place(call, bucket, plan.item(0).name)
    spec = {
        "kept": records.keep(call.services.store, plan, headers), "plan_total": plan.total,
        "orders": orders._asdict(), "description": requests.description(fields, bucket, plan)}
    job = call.services.jobs.start(KIND, call.principal, spec, bucket=bucket)
    return as_json({"id": job.id})


def _require_place(call: AIStoreCall, bucket: str, name: str) -> None:
    """Raise AccessDenied unless HDFS lets the caller make an object of this name."""
    place = call.objects.locate(bucket, name)
    files = call.services.fs_of(call.principal)
    directory = parent_of(place.path)
    while directory != place.bucket and status_or_none(files, directory) is None:
        directory = parent_of(directory)
    files.check_access(directory, "-wx")


# --- finding


def _asked(call: AIStoreCall) -> Fields:
    """Return the members of the body, and the parameters of the query beside them."""
    return Fields({**{name: call.param(name) for name in call.query}, **call.message})


def _id(call: AIStoreCall) -> str:
    job_id = _asked(call).text("id", "uuid")
    if not job_id:
        raise InvalidRequest(_NO_ID)
    return job_id


def _job(call: AIStoreCall, job_id: str) -> Job:
    """Return a download that the caller may see. Raises NoSuchJob."""
    job = call.services.jobs.get(job_id)
    if job.kind != KIND or not may_see(call.principal, job):
        raise NoSuchJob(job_id)
    return job


def _jobs(call: AIStoreCall, bucket: str | None = None) -> list[Job]:
    """Return the downloads that the caller may see, the latest first."""
    everybody = "admin" in call.principal.roles
    user = None if everybody else call.principal.name
    return call.services.jobs.all(kind=KIND, user=user, bucket=bucket)[::-1]


def _by_object(call: AIStoreCall, fields: Fields) -> tuple[Job, int] | None:
    """Return the latest download of an object, and its number there; one under way before all."""
    item = requests.item_of(fields)
    jobs = _jobs(call, requests.bucket_of(fields))
    for job in sorted(jobs, key=lambda job: job.state.over):
        try:
            number = records.kept(call.services.store, job.spec["kept"]).plan.find(item)
        except DownloadStopped:
            continue  # forgotten at this moment
        if number is not None:
            return job, number
    return None


def _list(call: AIStoreCall, regex: str) -> Response:
    """List downloads: an array where the request has a body (2021), else by their ids (2020)."""
    pattern = compiled(regex)
    store, found = call.services.store, []
    for job in _jobs(call):
        if pattern.search(job.spec["description"]):
            found.append(status.listed(store, job))
        time.sleep(0)  # others have their turn
    environ = call.exchange.environ
    if environ.get("CONTENT_LENGTH", "0") not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ:
        return as_json(found)
    return as_json({one["id"]: one for one in found})


def _aborted(call: AIStoreCall, job: Job) -> Response:
    call.services.jobs.abort(job.id)
    records.close(call.services.store, job.id, job.spec["kept"],
                  call.services.settings.jobs.kept_seconds)
    return empty()


OPERATIONS = (
    Operation("download", ("POST",), PLACE, start, json=True),
    Operation("download-single", ("POST",), (*PLACE, "single"), start_single, json=True),
    Operation("download-multi", ("POST",), (*PLACE, "multi"), start_multi, json=True),
    Operation("download-list", ("POST",), (*PLACE, "list"), start_list, json=True),
    Operation("download-status", ("GET",), PLACE, tell, json=True, harmless=True),
    Operation("download-cancel", ("DELETE",), PLACE, cancel, json=True),
    Operation("download-abort", ("DELETE",), (*PLACE, "abort"), abort, json=True),
    Operation("download-remove", ("DELETE",), (*PLACE, "remove"), remove, json=True),
)
