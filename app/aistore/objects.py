"""Objects: put, get, head, rename, delete, evict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug import Response

from app.aistore.bucket_props import Access, props_of
from app.aistore.call import empty
from app.aistore.fields import Fields
from app.aistore.object_content import Content, precondition
from app.aistore.object_headers import (
    describe,
    describe_content,
    describe_properties,
    etag_of,
)
from app.aistore.operation import Operation
from app.aistore.provider import provider_of
from app.cache.files import CachedFiles
from app.core.errors import Unsupported
from app.core.model import ByteRange
from app.core.object_errors import NoSuchKey
from app.web import conditions, ranges
from app.web.object_content import answered

if TYPE_CHECKING:
    from app.aistore.bucket_props import BucketProps
    from app.aistore.call import AIStoreCall
    from app.core.objects import ObjectInfo

PLACE = ("objects", "*", "**")
_OTHER_PUTS = ("append_type", "appendty", "append_handle", "apphdl")
_OTHER_GETS = ("archpath", "uuid")
_NOT_CACHED = "is not in this gateway's cache, or not all of it"
_OK, _PARTIAL, _NOT_MODIFIED = 200, 206, 304


def get(call: AIStoreCall) -> Response:
    """Stream an object, or the bytes that Range or `offset` and `length` name."""
    _refuse(call, _OTHER_GETS)
    _allowed(call, Access.GET)
    return answered(lambda: _head(call), call.objects)


def head(call: AIStoreCall) -> Response:
    """Tell an object's properties; with `check_cached`, whether all of it is in the cache."""
    _allowed(call, Access.HEAD)
    info = call.objects.info(call.bucket, call.key)
    if call.flag("check_cached") and not _cached_files(call).is_cached(info.status):
        raise NoSuchKey(info.path, _NOT_CACHED)
    response = Response(status=_OK)
    describe(response, info)
    if conditions.not_modified(call.headers, info.status, etag_of(info)):
        response.status_code = _NOT_MODIFIED
        return response
    response.headers["Content-Length"] = str(info.size)
    describe_properties(response, call.bucket, info)
    return response


def put(call: AIStoreCall) -> Response:
    """Make the body the object's content, whole or not at all."""
    _refuse(call, _OTHER_PUTS)
    content = Content(call, _allowed(call, Access.PUT).checksum)
    info = call.objects.put(
        call.bucket, call.key, content.pieces(), content.described,
        precondition=precondition(call), early=content.expected)
    response = empty()
    response.headers["ETag"] = etag_of(info)
    return response


def rename(call: AIStoreCall) -> Response:
    """Give an object another name in its bucket; what has that name is replaced."""
    name = call.fields.required("name")
    if conditions.has_any(call.headers):
        raise Unsupported("a rename under a condition is not supported")
    _allowed(call, Access.MOVE)
    call.objects.rename(call.bucket, call.key, name)
    return empty()


def delete(call: AIStoreCall) -> Response:
    """Remove an object that is there."""
    _allowed(call, Access.DELETE)
    if not call.objects.delete(call.bucket, call.key, precondition(call)):
        raise NoSuchKey(call.objects.locate(call.bucket, call.key).path)
    return empty()


def evict(call: AIStoreCall) -> Response:
    """Let go of what is cached of an object that is there; HDFS keeps it."""
    provider_of(call)
    _cached_files(call).evict(call.objects.info(call.bucket, call.key).status)
    return empty()


def _allowed(call: AIStoreCall, access: Access) -> BucketProps:
    """Return what is set for the bucket. Raises NoSuchBucket, OperationNotAllowed.

    InvalidRequest for an unknown word for where the bucket is from.
    """
    provider_of(call)
    props = props_of(call.objects, call.bucket)
    props.require(access, call.objects.locate(call.bucket, call.key).path)
    return props


def _cached_files(call: AIStoreCall) -> CachedFiles:
    services = call.services
    return CachedFiles(services.fs_of(call.principal), services.cache)


def _head(call: AIStoreCall) -> tuple[Response, ObjectInfo, ByteRange | None]:
    """Return the answer without its body, the object, and what to open of it, if anything."""
    info = call.objects.info(call.bucket, call.key)
    response = Response(status=_OK)
    describe(response, info)
    if conditions.not_modified(call.headers, info.status, etag_of(info)):
        response.status_code = _NOT_MODIFIED
        return response, info, None
    wanted = _wanted(call, response, info)
    response.headers["Content-Length"] = str(wanted.length)
    describe_content(response, info, whole=wanted.length == info.size)
    return response, info, wanted if wanted.length else None


def _wanted(call: AIStoreCall, response: Response, info: ObjectInfo) -> ByteRange:
    """Return the bytes to send, the answer marked where Range names them."""
    header = call.headers.get("Range")
    asked = "offset" in call.query or "length" in call.query
    ranges.refuse_both(header, parameters=asked)
    if asked:
        return _by_parameters(call, info.size)
    if header and conditions.range_applies(call.headers, info.status, etag_of(info)):
        found = ranges.from_header(header, info.size)
        if found:
            response.status_code = _PARTIAL
            response.headers["Content-Range"] = f"bytes {found.offset}-{found.last}/{info.size}"
            return found
    return ByteRange(0, info.size)


def _by_parameters(call: AIStoreCall, size: int) -> ByteRange:
    """Return the range of `offset` and `length`; past the end it is empty, as at AIStore."""
    asked = Fields({name: call.param(name) for name in ("offset", "length")})
    offset = min(asked.integer("offset"), size)
    length = asked.integer("length", default=size, least=1)
    return ByteRange(offset, min(length, size - offset))


def _refuse(call: AIStoreCall, names: tuple[str, ...]) -> None:
    """Raise Unsupported where a parameter asks for another operation of AIStore's."""
    for name in names:
        if call.param(name):
            raise Unsupported(f"parameter '{name}' is not supported here")


OPERATIONS = (
    Operation("object.get", ("GET",), PLACE, get, harmless=True),
    Operation("object.head", ("HEAD",), PLACE, head, harmless=True),
    Operation("object.put", ("PUT",), PLACE, put),
    Operation("object.rename", ("POST",), PLACE, rename, actions=("rename", "renameobj")),
    Operation("object.delete", ("DELETE",), PLACE, delete, actions=("", "delete")),
    Operation("object.evict", ("DELETE",), PLACE, evict, actions=("evictobjects", "evictobj")),
)
