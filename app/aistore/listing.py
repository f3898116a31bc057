"""Listings of a bucket: one page at once (2021), or by a task whose id is asked about (2020).

A task is but a note that this user asked for this bucket: each question with its id is answered by
the page that the question describes, so that any worker can. Pages follow each other by their last
name, whatever changes meanwhile.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

import msgpack
from werkzeug import Response

from app.aistore import times
from app.aistore.bucket_props import Access, props_of
from app.aistore.call import as_json, as_text
from app.aistore.digests import known_digest
from app.aistore.operation import Operation
from app.aistore.properties import PLACE
from app.aistore.provider import provider_of
from app.cache.files import CachedFiles
from app.core.job_errors import NoSuchJob

if TYPE_CHECKING:
    from app.aistore.call import AIStoreCall
    from app.core.objects import Entry, ObjectInfo

MSGPACK = "application/msgpack"
MAX_PAGE = 1000
TASKS = "aistore-listings"
TASK_SECONDS = 3600.0
_IS_CACHED = 1 << 6
"""The flag of an entry whose object is in the cache (AIStore's cmn.EntryIsCached)."""
_DEFAULT_PROPS = "name,size"
_SHORT = {"name": "n", "size": "s", "checksum": "cs", "atime": "a", "version": "v",
          "target_url": "t", "copies": "c", "flags": "f", "bucket": "bucket"}
"""The names that members of an entry have in MessagePack."""


class _Page(NamedTuple):
    """Entries as they are told, and the last name if there are more."""

    entries: list[dict[str, Any]]
    token: str


def list_now(call: AIStoreCall) -> Response:
    """Answer a page of the bucket's objects."""
    page = _page(call)
    uuid = call.value.text("uuid") or secrets.token_hex(5)
    entries, token = page
    if call.headers.get("Accept", "").split(";")[0].strip() == MSGPACK:
        short = [{_SHORT[name]: int(value) if name == "size" else value
                  for name, value in entry.items()} for entry in entries]
        packed = msgpack.packb({"UUID": uuid, "Entries": short, "ContinuationToken": token})
        return Response(packed, content_type=MSGPACK)
    return as_json({"uuid": uuid, "entries": entries, "continuation_token": token})


def list_by_task(call: AIStoreCall) -> Response:
    """Begin a listing (202 and its id), or answer a page of one that was begun."""
    task = call.value.text_or_number("taskid")
    if task in ("", "0"):
        _question(call)
        return as_text(_begun(call), 202)
    note = call.services.store.get(TASKS, task)
    if note != _note(call):
        raise NoSuchJob(task)
    page = _page(call, "copies")
    return as_json({"entries": page.entries, "pagemarker": page.token})


def _begun(call: AIStoreCall) -> str:
    """Return the id of a new task, in digits: clients of 2020 may take it for a number."""
    task = str(10**17 + secrets.randbelow(9 * 10**17))
    call.services.store.put(TASKS, task, _note(call), ttl=TASK_SECONDS)
    return task


def _note(call: AIStoreCall) -> dict[str, Any]:
    return {"user": call.principal.name, "bucket": call.bucket}


class _Question(NamedTuple):
    """What a message asks for: up to `size` names after `after`, told with `props`."""

    prefix: str
    after: str
    size: int
    props: set[str]
    layout: str


def _question(call: AIStoreCall) -> _Question:
    """Return what the message asks for; 0 and more than MAX_PAGE names are MAX_PAGE.

    Raises what the listing would: for the bucket, for what may be done, for the message.
    """
    value = call.value
    after = value.text("continuation_token") or value.text("pagemarker") or value.text(
        "start_after")
    size = min(value.integer("pagesize", "page_size") or MAX_PAGE, MAX_PAGE)
    props = (value.text("props") or _DEFAULT_PROPS).lower().split(",")
    question = _Question(value.text("prefix"), after, size, {word.strip() for word in props},
                         times.layout_of(value.text("time_format")))
    provider_of(call)
    call.objects.bucket(call.bucket)
    props_of(call.objects, call.bucket).require(
        Access.LIST, call.objects.bucket_path(call.bucket))
    return question


def _page(call: AIStoreCall, *always: str) -> _Page:
    """Return the page that the message asks for; its entries have the properties `always` too."""
    question = _question(call)
    page = call.objects.list(call.bucket, prefix=question.prefix, after=question.after,
                             limit=question.size, etags=False)
    props = {*question.props, *always}
    sums: dict[str, ObjectInfo] = {}
    if "checksum" in props:
        sums = {one.key: one for one in call.objects.details(call.bucket, page.entries)}
    files = CachedFiles(call.services.fs_of(call.principal),
                        call.services.cache)
    teller = _Teller(call, props, question.layout, files)
    return _Page([teller.told(one, sums.get(one.key)) for one in page.entries],
                 page.next_after or "")


class _Teller(NamedTuple):
    """Tells of objects the `props` that were asked for, times in this `layout`."""

    call: AIStoreCall
    props: set[str]
    layout: str
    files: CachedFiles

    def told(self, entry: Entry, info: ObjectInfo | None) -> dict[str, Any]:
        """Return what is told of one object; never a version: HDFS counts none."""
        status, props = entry.status, self.props
        told: dict[str, Any] = {"name": entry.key}
        if status is None:
            return told
        if "size" in props:
            told["size"] = str(0 if status.is_directory else status.length)
        if info is not None and (checksum := known_digest(info)[1]):
            told["checksum"] = checksum
        if "atime" in props and status.access_time > 0:
            told["atime"] = times.written(status.access_time, self.layout)
        if "bucket" in props:
            told["bucket"] = self.call.bucket
        if props & {"target_url", "targeturl"}:
            origin = self.call.exchange.origin
            told["target_url"] = f"{origin.scheme}://{origin.authority}"
        if "copies" in props:
            told["copies"] = max(1, status.replication)
        if self.files.is_cached(status):
            told["flags"] = _IS_CACHED
        return told


OPERATIONS = (
    Operation("bucket.list", ("POST",), PLACE, list_now, ("list", "listobj"), harmless=True),
    Operation("bucket.list-by-task", ("POST",), PLACE, list_by_task, ("listobjects",),
              harmless=True),
)
