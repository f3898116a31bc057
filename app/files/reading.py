"""Operations that tell about files: home directory, status, checksum, listing, summary."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from app.files.api import LIMIT, PATH, PATH_OR_HOME, START_AFTER, STATUS_SCHEMA, api
from app.web.answers import enveloped, streamed_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug import Response

    from app.core.model import FileStatus
    from app.fs.listing import Listing
    from app.web.operations import Call


def status_json(status: FileStatus) -> dict[str, Any]:
    """Return a status as the file API writes it."""
    return {
        "type": status.type,
        "pathSuffix": status.path_suffix,
        "permission": status.permission,
        "length": status.length,
        "blockSize": status.block_size,
        "accessTime": status.access_time,
        "modificationTime": status.modification_time,
        "owner": status.owner,
        "group": status.group,
        "replication": status.replication,
    }


@api.operation(
    "GET", "/home-directory", "Get the home directory.",
    result={"type": "object", "properties": {"path": {"type": "string"}}})
def home_directory(call: Call) -> Response:
    """Answer the home directory as HDFS names it."""
    return enveloped(call, {"path": call.files.home()})


@api.operation(
    "GET", "/file/status", "Get the status of a file or directory.", PATH_OR_HOME,
    result={"type": "object", "properties": {"status": STATUS_SCHEMA}})
def file_status(call: Call) -> Response:
    """Answer the status, its `pathSuffix` empty."""
    return enveloped(call, {"status": status_json(call.files.status(call[PATH_OR_HOME]))})


@api.operation(
    "GET", "/file/checksum", "Get HDFS's checksum of a file.", PATH,
    result={"type": "object", "properties": {"checksum": {"type": "object", "properties": {
        "algorithm": {"type": "string"},
        "bytes": {"type": "string", "description": "The checksum as hex digits."},
        "length": {"type": "integer", "description": "Bytes of the checksum."}}}}})
def file_checksum(call: Call) -> Response:
    """Answer the checksum; equal files of equal block layout have equal ones."""
    checksum = call.files.checksum(call[PATH])
    return enveloped(call, {"checksum": {
        "algorithm": checksum.algorithm, "bytes": checksum.value, "length": checksum.length}})


@api.operation(
    "GET", "/file/summary", "Get what a subtree holds and its quotas.", PATH_OR_HOME,
    result={"type": "object", "properties": {"summary": {
        "type": "object",
        "properties": {name: {"type": "integer"} for name in (
            "directoryCount", "fileCount", "length", "quota", "spaceConsumed", "spaceQuota")}}}})
def file_summary(call: Call) -> Response:
    """Answer the content summary; quotas are -1 where none is set."""
    summary = call.files.summary(call[PATH_OR_HOME])
    return enveloped(call, {"summary": {
        "directoryCount": summary.directory_count,
        "fileCount": summary.file_count,
        "length": summary.length,
        "quota": summary.quota,
        "spaceConsumed": summary.space_consumed,
        "spaceQuota": summary.space_quota,
    }})


@api.operation(
    "GET", "/listing", "List the children of a directory.", PATH_OR_HOME, LIMIT, START_AFTER,
    result={"type": "object", "properties": {
        "statuses": {"type": "array", "items": STATUS_SCHEMA},
        "next": {"type": ["string", "null"], "description": (
            "With `limit`: the `start-after` of the next page, null where nothing follows.")}}})
def listing(call: Call) -> Response:
    """Answer the children in HDFS's order, a million of them at the memory of a thousand."""
    found = call.files.listing(call[PATH_OR_HOME], call[START_AFTER], call[LIMIT])
    pieces = _listing_json(found, limited=call[LIMIT] is not None)
    return streamed_json(call, pieces, short=found.is_short)


def _listing_json(found: Listing, *, limited: bool) -> Iterator[bytes]:
    lead = '{"status":"SUCCESS","result":{"statuses":['
    for page in found:
        text = json.dumps([status_json(status) for status in page], separators=(",", ":"))
        yield (lead + text[1:-1]).encode()
        lead = ","
    end = "" if lead == "," else lead
    following = f',"next":{json.dumps(found.next_start)}' if limited else ""
    yield f'{end}]{following}}},"error":null}}'.encode()
