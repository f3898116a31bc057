"""DeleteObject and DeleteObjects."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from app.core.errors import GatewayError, PreconditionFailed
from app.core.object_errors import MalformedDocument, NoSuchBucket, NoSuchKey
from app.s3 import documents
from app.s3.conditions import matches
from app.s3.errors import S3Error, code_and_message, invalid_argument
from app.s3.incoming import headers_of
from app.s3.xml import answer, empty, text_of
from app.web.conditions import seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree.ElementTree import Element

    from werkzeug import Response

    from app.core.objects import ObjectInfo
    from app.s3.call import S3Call
    from app.s3.xml import Field

MAX_OBJECTS = 1000
MODIFIED, SIZE = "x-amz-if-match-last-modified-time", "x-amz-if-match-size"
_OTHER_CONDITIONS = ("if-none-match", "if-modified-since", "if-unmodified-since")
_SIZE = re.compile("[0-9]{1,19}")
AT_ONCE = 8
"""So many objects are removed at the same time: a thousand one by one would take HDFS long."""
MAX_DOCUMENT = 8 * 1024 * 1024
"""1,000 keys of 1,024 bytes, each byte perhaps an entity, and what stands around them."""


def delete_object(call: S3Call) -> Response:
    """Remove an object; one that is not there is as good as removed."""
    call.check_version()
    headers = headers_of(call)
    if any(name in headers for name in _OTHER_CONDITIONS):
        raise S3Error("NotImplemented", "A header you provided implies functionality that is not"
                                        " implemented.", Supported="If-Match")
    call.objects.delete(call.bucket, call.key, _only_if(
        call.key, headers.get("if-match"), headers.get(MODIFIED), headers.get(SIZE)))
    return empty(204)


def delete_objects(call: S3Call) -> Response:
    """Remove up to 1,000 objects; each has its own outcome."""
    tree = documents.read(call, "Delete", limit=MAX_DOCUMENT, checked=True)
    wanted = tree.findall("Object")
    if not 1 <= len(wanted) <= MAX_OBJECTS:
        raise MalformedDocument(f"{len(wanted)} objects are named; allowed are 1 to {MAX_OBJECTS}")
    quiet = (tree.findtext("Quiet") or "").strip().lower() == "true"
    keys = [(text_of(one, "Key"), one) for one in wanted]
    call.objects.bucket(call.bucket)
    with ThreadPoolExecutor(min(AT_ONCE, len(keys))) as pool:
        outcomes = list(pool.map(lambda pair: _delete(call, *pair), keys))
    return answer("DeleteResult", [
        outcome for outcome in outcomes if outcome[0] == "Error" or not quiet])


def _delete(call: S3Call, key: str, one: Element) -> Field:
    version = one.findtext("VersionId")
    try:
        if version not in (None, "", "null"):
            raise invalid_argument("versionId", version or "", "Invalid version id specified")
        call.objects.delete(call.bucket, key, _only_if(
            key, one.findtext("ETag"), one.findtext("LastModifiedTime"), one.findtext("Size")))
    except NoSuchBucket:
        raise
    except GatewayError as error:
        code, message = code_and_message(error, call.exchange.principal)
        fields: list[Field] = [("Key", key), ("Code", code), ("Message", message)]
        return ("Error", fields if version is None else [*fields, ("VersionId", version)])
    return ("Deleted", [("Key", key), *([("VersionId", version)] if version else [])])


def _only_if(
    key: str, etag: str | None, modified: str | None, size: str | None,
) -> Callable[[ObjectInfo | None], None] | None:
    """Return what refuses to remove an object of another ETag, HTTP date or size.

    It refuses one that is not there only where an ETag is named, as AWS does. Raises S3Error
    (InvalidArgument) for what is no date or size.
    """
    if etag is None and modified is None and size is None:
        return None
    seconds = seconds_of(modified)
    if modified is not None and seconds is None:
        raise invalid_argument(MODIFIED, modified, "The time is no HTTP date.")
    if size is not None and not _SIZE.fullmatch(size):
        raise invalid_argument(SIZE, size, "The size is no whole number.")

    def check(info: ObjectInfo | None) -> None:
        if info is None:
            if etag is not None:
                raise NoSuchKey(key)
            return
        if etag is not None and not matches(etag, info.meta.etag):
            raise PreconditionFailed("If-Match")
        if seconds is not None and info.status.modification_time // 1000 != seconds:
            raise PreconditionFailed(MODIFIED)
        if size is not None and info.size != int(size):
            raise PreconditionFailed(SIZE)

    return check
