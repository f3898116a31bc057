"""ListParts and ListMultipartUploads: what of multipart uploads is under way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from app.fs.upload_layout import is_id
from app.s3.errors import invalid_argument
from app.s3.form import document
from app.s3.times import iso_time
from app.s3.xml import answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from werkzeug import Response

    from app.core.objects import Part, Upload
    from app.s3.call import S3Call
    from app.s3.xml import Field

MOST = 1000
_LAST = 2**31 - 1
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_STANDARD: Field = ("StorageClass", "STANDARD")


def list_parts(call: S3Call) -> Response:
    """Answer the parts of an upload, the newest of each number."""
    most = min(whole_number(call, "max-parts", MOST), MOST)
    marker = whole_number(call, "part-number-marker", 0)
    upload_id = call.param("uploadId")
    upload: Upload = call.objects.uploads.upload(call.bucket, call.key, upload_id)
    parts, truncated = call.objects.uploads.parts(
        call.bucket, call.key, upload_id, after=marker, limit=most)
    head: list[Field] = [("Bucket", call.bucket), ("Key", _encoded(call, call.key)),
                         ("UploadId", upload_id)]
    if call.plain:
        return document(call, "ListPartsResult", [
            *head, _STANDARD, ("IsTruncated", truncated), *(_part(part) for part in parts)])
    return answer("ListPartsResult", [
        *head, *_people(call), _STANDARD, ("PartNumberMarker", marker),
        ("NextPartNumberMarker", parts[-1].number if parts else 0), ("MaxParts", most),
        ("IsTruncated", truncated), *_encoding(call), *_checksum(upload),
        *(_part(part, upload.checksum_algorithm) for part in parts)])


def _part(part: Part, algorithm: str = "") -> Field:
    fields: list[Field] = [
        ("PartNumber", part.number), ("LastModified", iso_time(part.modified)),
        ("ETag", f'"{part.etag}"'), ("Size", part.size)]
    if algorithm in part.checksums:
        fields.append((f"Checksum{algorithm}", part.checksums[algorithm]))
    return ("Part", fields)


def list_multipart_uploads(call: S3Call) -> Response:
    """Answer the uploads of a bucket by key and by when they began, grouped at a delimiter."""
    most = min(whole_number(call, "max-uploads", MOST), MOST)
    prefix, delimiter = call.param("prefix"), call.param("delimiter")
    key_marker = call.param("key-marker")
    upload_marker = call.param("upload-id-marker") if key_marker else ""
    if upload_marker and not is_id(upload_marker):
        raise invalid_argument("upload-id-marker", upload_marker, "Invalid uploadId marker")
    found = call.objects.uploads.uploads(
        call.bucket, prefix=prefix, after_key=key_marker, after_upload=upload_marker)
    page, prefixes, last = _page(found, most, prefix, delimiter, key_marker)
    fields: list[Field] = [
        ("Bucket", call.bucket), ("KeyMarker", _encoded(call, key_marker)),
        ("UploadIdMarker", upload_marker)]
    if last:
        fields += [("NextKeyMarker", _encoded(call, last[0])), ("NextUploadIdMarker", last[1])]
    fields += [("Prefix", _encoded(call, prefix))]
    fields += [("Delimiter", _encoded(call, delimiter))] * bool(delimiter)
    fields += [*_encoding(call), ("MaxUploads", most), ("IsTruncated", last is not None)]
    return answer("ListMultipartUploadsResult", [
        *fields, *(_upload(call, upload) for upload in page),
        *(("CommonPrefixes", [("Prefix", _encoded(call, one))]) for one in prefixes)])


def _page(
    found: Iterable[Upload], most: int, prefix: str, delimiter: str, marker: str,
) -> tuple[list[Upload], list[str], tuple[str, str] | None]:
    """Return `most` uploads and common prefixes, and where the page ends if more follow.

    The end is a key and an upload's id; the id is empty behind a common prefix.
    """
    uploads: list[Upload] = []
    prefixes: list[str] = []
    last = ("", "")
    for upload in found:
        group = _common_prefix(upload.key, prefix, delimiter)
        if group and (group == marker or group in prefixes[-1:]):
            continue
        if len(uploads) + len(prefixes) == most:
            return uploads, prefixes, last if most else None
        if group:
            prefixes.append(group)
            last = (group, "")
        else:
            uploads.append(upload)
            last = (upload.key, upload.upload_id)
    return uploads, prefixes, None


def _common_prefix(key: str, prefix: str, delimiter: str) -> str:
    """Return what `key` is grouped under, "" where it stands alone."""
    end = key.find(delimiter, len(prefix)) if delimiter else -1
    return key[:end + len(delimiter)] if end >= 0 else ""


def _upload(call: S3Call, upload: Upload) -> Field:
    return ("Upload", [
        ("Key", _encoded(call, upload.key)), ("UploadId", upload.upload_id), *_people(call),
        _STANDARD, ("Initiated", iso_time(upload.initiated)), *_checksum(upload)])


def _checksum(upload: Upload) -> list[Field]:
    if not upload.checksum_algorithm:
        return []
    return [("ChecksumAlgorithm", upload.checksum_algorithm),
            ("ChecksumType", upload.checksum_type)]


def _people(call: S3Call) -> list[Field]:
    person: list[Field] = [("ID", call.owner), ("DisplayName", call.owner)]
    return [("Initiator", person), ("Owner", person)]


def _encoded(call: S3Call, name: str) -> str:
    encoding = call.param("encoding-type")
    if encoding not in ("", "url"):
        raise invalid_argument("encoding-type", encoding,
                               "Invalid Encoding Method specified in Request")
    return quote(name, safe="/") if encoding else name


def _encoding(call: S3Call) -> list[Field]:
    encoding = call.param("encoding-type")
    return [("EncodingType", encoding)] if encoding else []


def whole_number(call: S3Call, name: str, default: int) -> int:
    """Return a parameter of the query that counts. Raises S3Error (InvalidArgument)."""
    text = call.param(name)
    if not text:
        return default
    if not _INTEGER.fullmatch(text) or int(text) > _LAST:
        raise invalid_argument(name, text,
                               f"Provided {name} not an integer or within integer range")
    if int(text) < 0:
        raise invalid_argument(name, text,
                               f"Argument {name} must be an integer between 0 and {_LAST}")
    return int(text)
