"""PutObject."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.s3 import preconditions
from app.s3.checksums import FULL_OBJECT
from app.s3.description import described
from app.s3.errors import invalid_argument
from app.s3.incoming import Content, checksum_headers, headers_of
from app.s3.xml import empty

if TYPE_CHECKING:
    from werkzeug import Response

    from app.core.objects import ObjectInfo, ObjectMeta
    from app.s3.call import S3Call


def put_object(call: S3Call) -> Response:
    """Make the body the object's content, whole or not at all."""
    for name in ("partNumber", "versionId"):
        if name in call.query:
            raise invalid_argument(name, call.param(name),
                                   f"This operation does not accept {name} without uploadId"
                                   if name == "partNumber" else "Invalid version id specified")
    headers = headers_of(call)
    meta = described(headers)
    precondition = preconditions.for_write(headers, call.resource)
    content = Content(call, headers)

    def finished() -> ObjectMeta:
        return replace(meta, etag=content.etag, checksums=content.checksums,
                       checksum_type=FULL_OBJECT)

    info = call.objects.put(call.bucket, call.key, content.pieces(), finished,
                            precondition=precondition, early=content.expected)
    return written(info)


def written(info: ObjectInfo) -> Response:
    """Return 200 with the ETag and the checksums of what is there now."""
    return empty(200, {"ETag": f'"{info.meta.etag}"',
                       **checksum_headers(info.meta.checksums, info.meta.checksum_type)})
