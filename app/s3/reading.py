"""GetObject and HeadObject."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from werkzeug import Response

from app.core.errors import InvalidRequest
from app.core.model import ByteRange
from app.s3.checksums import COMPOSITE
from app.s3.conditions import not_modified, range_counts
from app.s3.errors import S3Error, invalid_argument
from app.s3.incoming import checksum_headers
from app.s3.xml import XML_TYPE
from app.web import accel, ranges
from app.web.conditions import last_modified_of
from app.web.object_content import answered

if TYPE_CHECKING:
    from app.core.objects import ObjectInfo, ObjectMeta
    from app.s3.call import S3Call

DEFAULT_TYPE = "binary/octet-stream"
MAX_PARTS = 10_000
OVERRIDES = {f"response-{name}": name for name in (
    "content-type", "content-language", "expires", "cache-control", "content-disposition",
    "content-encoding")}
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_MAX_DIGITS = 9
_WHOLE, _PARTIAL, _NOT_MODIFIED = 200, 206, 304


def head_object(call: S3Call) -> Response:
    """Answer the headers of GetObject; nothing is opened."""
    response, _, _ = _head(call)
    return response


def get_object(call: S3Call) -> Response:
    """Stream the object, or the bytes of a Range or of a part."""
    return answered(lambda: _head(call), call.objects, partial(
        accel.handed_over, call.exchange, call.services.settings.web.accel))


def _head(call: S3Call) -> tuple[Response, ObjectInfo, ByteRange | None]:
    """Return the answer without its body, the object, and what to open of it, if anything."""
    call.check_version()
    _refuse_customer_keys(call)
    overrides = _overrides(call)
    info = call.objects.info(call.bucket, call.key)
    if not_modified(call.headers, info):
        return Response(None, _NOT_MODIFIED, _described(call, info)), info, None
    number = _part_number(call, info)
    wanted = _part(info, number) if number else _range(call, info)
    partial = wanted is not None and wanted.length > 0
    wanted = wanted or ByteRange(0, info.size)
    headers = _described(call, info)
    headers["Content-Length"] = str(wanted.length)
    if partial:
        headers["Content-Range"] = f"bytes {wanted.offset}-{wanted.last}/{info.size}"
    if number and info.meta.part_sizes:
        headers["x-amz-mp-parts-count"] = str(len(info.meta.part_sizes))
    for name, value in overrides.items():
        headers[name] = _sendable(value)
    if call.headers.get("x-amz-checksum-mode") == "ENABLED":
        headers |= _checksums(info.meta, number, whole=wanted.length == info.size)
    response = Response(None, _PARTIAL if partial else _WHOLE, headers)
    return response, info, wanted if wanted.length else None


def _described(call: S3Call, info: ObjectInfo) -> dict[str, str]:
    """Return the headers that tell of an object whatever is read of it.

    Those that the object or the query may set have their lower-case names.
    """
    meta = info.meta
    # What a client copies must not have a Cache-Control that nobody gave it.
    call.exchange.own_caching = True
    headers = {"ETag": f'"{meta.etag}"', "Last-Modified": last_modified_of(info.status),
               "Accept-Ranges": "bytes", "content-type": DEFAULT_TYPE}
    for name, value in meta.headers.items():
        headers[name] = _sendable(value)
    if call.plain and headers["content-type"] == DEFAULT_TYPE:
        headers["content-type"] = XML_TYPE  # as Alluxio's proxy calls everything
    for name, value in meta.user.items():
        headers[f"x-amz-meta-{name}"] = _sendable(value)
    if meta.tags:
        headers["x-amz-tagging-count"] = str(len(meta.tags))
    if not call.rooted or call.caller.scheme == "basic":
        # A page among the objects must not act with what the browser sends along by itself: the
        # password that it remembers, or the session of others at the same origin.
        headers["Content-Security-Policy"] = "sandbox"
    return headers


def _checksums(meta: ObjectMeta, number: int, *, whole: bool) -> dict[str, str]:
    """Return the headers with the checksum of what is read: part `number`, or the object (0)."""
    checksums = meta.checksums if whole else {}
    if number and meta.part_checksums:
        checksums = dict.fromkeys(meta.checksums, meta.part_checksums[number - 1])
    elif number and meta.checksum_type == COMPOSITE:
        checksums = {}  # that of the object is none of these bytes, even where they are all
    return checksum_headers(checksums, meta.checksum_type)


def _range(call: S3Call, info: ObjectInfo) -> ByteRange | None:
    header = call.headers.get("range")
    if not header or not range_counts(call.headers, info):
        return None
    return ranges.from_header(header, info.size)


def _part_number(call: S3Call, info: ObjectInfo) -> int:
    """Return the number of the part that `partNumber` names, 0 where it is not given."""
    text = call.param("partNumber")
    if "partNumber" not in call.query:
        return 0
    if call.headers.get("range"):
        raise InvalidRequest("Cannot specify both Range header and partNumber query parameter")
    if not (text.isascii() and text.isdecimal()) or not (
            len(text) <= _MAX_DIGITS and 1 <= int(text) <= MAX_PARTS):
        raise invalid_argument("partNumber", text, "Part number must be an integer between 1 and"
                                                   f" {MAX_PARTS}, inclusive")
    number, count = int(text), len(info.meta.part_sizes) or 1
    if number > count:
        raise S3Error("InvalidPart", f"The object has {count} parts.", PartNumber=text)
    return number


def _part(info: ObjectInfo, number: int) -> ByteRange:
    """Return the bytes of a part, which may have none; a plain object is one part."""
    sizes = info.meta.part_sizes or (info.size,)
    return ByteRange(sum(sizes[:number - 1]), sizes[number - 1])


def _overrides(call: S3Call) -> dict[str, str]:
    """Return the headers that the query names; only who signs may choose them."""
    given = {header: call.param(name) for name, header in OVERRIDES.items() if name in call.query}
    if given and not call.caller.signed:
        raise InvalidRequest("Request specific response headers cannot be used for anonymous GET"
                             " requests.")
    for header, value in given.items():
        if _CONTROL.search(value):
            raise invalid_argument(f"response-{header}", value, "Header value has a control"
                                                                " character")
    return given


def _sendable(value: str) -> str:
    """Return a header's value in the characters that WSGI has for bytes."""
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode().decode("latin-1")
    return value


def _refuse_customer_keys(call: S3Call) -> None:
    if "x-amz-server-side-encryption-customer-algorithm" in call.headers:
        raise S3Error("NotImplemented", "encryption with keys of customers is not implemented"
                                        " here; HDFS has encryption zones")
