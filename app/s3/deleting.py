"""DeleteObject and DeleteObjects."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from app.core.errors import GatewayError, PreconditionFailed
from app.core.object_errors import MalformedDocument, NoSuchBucket, NoSuchKey
from app.s3 import documents
from app.s3.conditions import matches
from app.s3.errors import code_and_message, invalid_argument
from app.s3.xml import answer, empty, text_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree.ElementTree import Element

    from werkzeug import Response

    from app.core.objects import ObjectInfo
    from app.s3.call import S3Call
    from app.s3.xml import Field

MAX_OBJECTS = 1000
AT_ONCE = 8
"""So many objects are removed at the same time: a thousand one by one would take HDFS long."""
MAX_DOCUMENT = 8 * 1024 * 1024
"""1,000 keys of 1,024 bytes, each byte perhaps an entity, and what stands around them."""


def delete_object(call: S3Call) -> Response:
    """Remove an object; one that is not there is as good as removed."""
    call.check_version()
    call.objects.delete(call.bucket, call.key, _only_if(call.headers.get("if-match"), call.key))
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
        call.objects.delete(call.bucket, key, _only_if(one.findtext("ETag"), key))
    except NoSuchBucket:
        raise
    except GatewayError as error:
        code, message = code_and_message(error, call.exchange.principal)
        fields: list[Field] = [("Key", key), ("Code", code), ("Message", message)]
        return ("Error", fields if version is None else [*fields, ("VersionId", version)])
    return ("Deleted", [("Key", key), *([("VersionId", version)] if version else [])])


def _only_if(etag: str | None, key: str) -> Callable[[ObjectInfo | None], None] | None:
    """Return what refuses to remove an object of another ETag."""
    if etag is None:
        return None

    def check(info: ObjectInfo | None) -> None:
        if info is None:
            raise NoSuchKey(key)
        if not matches(etag, info.meta.etag):
            raise PreconditionFailed("If-Match")

    return check
