"""Objects: put, get, head, rename, delete, evict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug import Response

from app.aistore.call import empty
from app.aistore.digests import DEFAULT, Digests, promised
from app.aistore.fields import Fields
from app.aistore.object_headers import (
    describe,
    describe_content,
    describe_properties,
    etag_of,
)
from app.aistore.operation import Operation
from app.core.errors import (
    BodyTooLarge,
    LengthRequired,
    PathNotFound,
    Unsupported,
)
from app.core.model import ByteRange
from app.core.object_errors import NoSuchKey
from app.core.objects import ObjectMeta
from app.web import conditions, ranges, streams
from app.web.body import RequestBody
from app.web.digests import sent_checks, stored_checks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.aistore.call import AIStoreCall
    from app.core.objects import ObjectInfo

PLACE = ("objects", "*", "**")
_TRIES = 10
_OTHER_PUTS = ("append_type", "appendty", "append_handle", "apphdl")
_OTHER_GETS = ("archpath", "uuid")
_OK, _PARTIAL, _NOT_MODIFIED = 200, 206, 304


def get(call: AIStoreCall) -> Response:
    """Stream an object, or the bytes that Range or `offset` and `length` name."""
    _refuse(call, _OTHER_GETS)
    for tries_left in reversed(range(_TRIES)):
        response, info, wanted = _head(call)
        if wanted is None:
            break
        try:
            source = call.objects.open(info, wanted)
            response.response = streams.begun(streams.content(source, wanted.length))
            break
        except (PathNotFound, NoSuchKey):
            # Replaced since it was looked at: the head must tell of the new object.
            if not tries_left:
                raise
    return response


def head(call: AIStoreCall) -> Response:
    """Tell an object's properties."""
    info = call.objects.info(call.bucket, call.key)
    if call.flag("check_cached"):
        raise NoSuchKey(info.path)
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
    kind = DEFAULT
    content = Content(call, kind)
    info = call.objects.put(
        call.bucket, call.key, content.pieces(), content.described, early=content.expected)
    response = empty()
    response.headers["ETag"] = etag_of(info)
    return response


class Content:
    """The body of a PUT: its bytes as they are, compared with what the headers promise."""

    def __init__(self, call: AIStoreCall, kind: str) -> None:
        web = call.services.settings.web
        self._limit = web.max_body
        self._body = RequestBody(call.exchange, max_bytes=self._limit, timeout=web.body_timeout)
        if self._limit and (self._body.declared or 0) > self._limit:
            raise BodyTooLarge(self._limit)
        old = call.exchange.environ.get("SERVER_PROTOCOL") == "HTTP/1.0"
        if old and self._body.declared is None:
            raise LengthRequired("a body over HTTP/1.0 needs a Content-Length")
        headers = call.headers
        self._checks = sent_checks(headers) + stored_checks(headers)
        self._digests = Digests(kind, promised(headers, kind))

    @property
    def expected(self) -> bool:
        """Tell whether the client waits for `100 Continue` before it sends."""
        return self._body.expected

    def pieces(self) -> Iterator[bytes]:
        """Yield the content. Raises InvalidRequest and BodyTooLarge."""
        size = 0
        for piece in self._body.raw():
            size += len(piece)
            if self._limit and size > self._limit:
                raise BodyTooLarge(self._limit)
            self._digests.update(piece)
            for check in self._checks:
                check.state.update(piece)
            yield piece
        self._digests.verify()
        for check in self._checks:
            check.verify()

    def described(self) -> ObjectMeta:
        """Return what is kept beside the content, when it is through."""
        return ObjectMeta(etag=self._digests.etag, digests=self._digests.kept)


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
)
