"""GetObjectAttributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import InvalidRequest
from app.s3.errors import invalid_argument
from app.s3.incoming import headers_of
from app.s3.xml import answer
from app.web.conditions import last_modified_of

if TYPE_CHECKING:
    from werkzeug import Response

    from app.core.objects import ObjectMeta
    from app.s3.call import S3Call
    from app.s3.xml import Field

HEADER = "x-amz-object-attributes"
NAMES = ("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize")
MAX_PARTS = 1000


def get_object_attributes(call: S3Call) -> Response:
    """Answer those attributes that the header names."""
    call.check_version()
    asked = [name.strip() for name in headers_of(call).get(HEADER, "").split(",") if name.strip()]
    if not asked:
        raise InvalidRequest(f"The {HEADER} header specifying the attributes to be retrieved is"
                             " either missing or empty")
    if any(name not in NAMES for name in asked):
        raise invalid_argument(HEADER, ",".join(asked), "Invalid attribute name specified.")
    info = call.objects.info(call.bucket, call.key)
    told: dict[str, Field | None] = {
        "ETag": ("ETag", info.meta.etag),
        "Checksum": _checksum(info.meta),
        "ObjectParts": _parts(call, info.meta) if "ObjectParts" in asked else None,
        "StorageClass": ("StorageClass", "STANDARD"),
        "ObjectSize": ("ObjectSize", info.size),
    }
    response = answer("GetObjectAttributesResponse", [
        field for name in NAMES if name in asked and (field := told[name])])
    response.headers["Last-Modified"] = last_modified_of(info.status)
    return response


def _checksum(meta: ObjectMeta) -> Field | None:
    if not meta.checksums:
        return None
    return ("Checksum", [*((f"Checksum{kind}", value) for kind, value in meta.checksums.items()),
                         ("ChecksumType", meta.checksum_type)])


def _parts(call: S3Call, meta: ObjectMeta) -> Field | None:
    """Return the parts that the object was uploaded in; None for one that was uploaded whole."""
    after = _number(call, "x-amz-part-number-marker", 0)
    limit = min(_number(call, "x-amz-max-parts", MAX_PARTS), MAX_PARTS)
    if not meta.part_sizes:
        return None
    page = list(enumerate(meta.part_sizes, 1))[after:after + limit]
    last = page[-1][0] if page else after
    fields: list[Field] = [
        ("PartsCount", len(meta.part_sizes)), ("PartNumberMarker", after),
        ("NextPartNumberMarker", last), ("MaxParts", limit),
        ("IsTruncated", last < len(meta.part_sizes))]
    return ("ObjectParts", fields + [
        ("Part", [("PartNumber", number), ("Size", size), *_checksum_of_part(meta, number)])
        for number, size in page])


def _checksum_of_part(meta: ObjectMeta, number: int) -> list[Field]:
    if not meta.part_checksums:
        return []
    return [(f"Checksum{kind}", meta.part_checksums[number - 1]) for kind in meta.checksums]


def _number(call: S3Call, header: str, default: int) -> int:
    text = headers_of(call).get(header, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal()):
        raise invalid_argument(header, text, f"{header} must be a whole number")
    return int(text[:9])
