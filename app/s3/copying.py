"""CopyObject, and what UploadPartCopy shares with it: the source of a copy."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from app.core.errors import InvalidRequest, PreconditionFailed, UpstreamFault
from app.core.model import ByteRange
from app.core.object_errors import InvalidBucketName
from app.core.objects import names_of_bucket
from app.s3 import preconditions
from app.s3.checksums import COMPOSITE, DEFAULT, FULL_OBJECT, Tally, kind_named
from app.s3.conditions import not_modified
from app.s3.description import (
    refuse_unsupported,
    system_headers,
    tags_of,
    user_metadata,
)
from app.s3.errors import S3Error, invalid_argument
from app.s3.incoming import headers_of
from app.s3.patience import patiently
from app.s3.times import iso_time
from app.s3.xml import answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from werkzeug import Response

    from app.core.objects import ObjectInfo, ObjectMeta
    from app.fs.objects import ObjectStore
    from app.s3.call import S3Call
    from app.s3.xml import Field

SOURCE = "x-amz-copy-source"
METADATA, TAGGING = "x-amz-metadata-directive", "x-amz-tagging-directive"
COPY, REPLACE = "COPY", "REPLACE"
PIECE = 256 * 1024
_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_RANGE = re.compile("bytes=([0-9]{1,18})-([0-9]{1,18})")
_TO_ITSELF = ("This copy request is illegal because it is trying to copy an object to itself"
              " without changing the object's metadata, storage class, website redirect location or"
              " encryption attributes.")


def copy_object(call: S3Call) -> Response:
    """Make an object of another's content; of its own, with other metadata."""
    headers = headers_of(call)
    refuse_unsupported(headers)
    directives = {name: directive(headers, name) for name in (METADATA, TAGGING)}
    kind = kind_of_copy(headers)
    source = source_of(call, headers)
    itself = parse_source(headers[SOURCE]) == (call.bucket, call.key)
    if itself and directives[METADATA] == COPY and not (
            kind or "x-amz-storage-class" in headers):
        raise InvalidRequest(_TO_ITSELF)
    meta = described_copy(headers, source.meta, directives)
    precondition = preconditions.for_write(headers, call.resource)

    def work() -> Response:
        if itself and not kind:
            info = call.objects.set_meta(call.bucket, call.key, lambda present: replace(
                present, headers=meta.headers, user=meta.user, tags=meta.tags),
                precondition=precondition)
        else:
            copied = Copied(call.objects, source, kind or kind_of(source.meta))
            info = call.objects.put(
                call.bucket, call.key, copied.pieces(), lambda: copied.described(meta),
                precondition=precondition)
        return answer("CopyObjectResult", result_fields(
            info.meta.etag, info.status.modification_time, info.meta.checksums,
            info.meta.checksum_type))

    return patiently(call.exchange, work)


def directive(headers: Mapping[str, str], name: str) -> str:
    """Return COPY or REPLACE. Raises S3Error (InvalidArgument)."""
    value = headers.get(name, COPY)
    if value not in (COPY, REPLACE):
        kind = name.removeprefix("x-amz-").removesuffix("-directive")
        raise invalid_argument(name, value, f"Unknown {kind} directive.")
    return value


def kind_of_copy(headers: Mapping[str, str]) -> str:
    """Return the kind of checksum that the copy shall have, "" for that of the source."""
    given = headers.get("x-amz-checksum-algorithm")
    return "" if given is None else kind_named(given, "x-amz-checksum-algorithm")


def kind_of(meta: ObjectMeta) -> str:
    """Return the kind of checksum that an object has, or gets with its first copy."""
    return next(iter(meta.checksums), DEFAULT)


def described_copy(
    headers: Mapping[str, str], source: ObjectMeta, directives: Mapping[str, str],
) -> ObjectMeta:
    """Return what the copy is described by: the source's words or the request's."""
    meta = replace(source, part_sizes=(), upload="")
    user = user_metadata(headers)  # too much of it is refused even where it does not count
    if directives[METADATA] == REPLACE:
        meta = replace(meta, headers=system_headers(headers), user=user)
    if directives[TAGGING] == REPLACE:
        meta = replace(meta, tags=tags_of(headers.get("x-amz-tagging", "")))
    return meta


def source_of(call: S3Call, headers: Mapping[str, str]) -> ObjectInfo:
    """Return the object that x-amz-copy-source names, if the conditions on it hold.

    Raises S3Error (InvalidArgument, AccessDenied), NoSuchBucket, NoSuchKey, PreconditionFailed.
    """
    bucket, key = parse_source(headers[SOURCE])
    expected = headers.get("x-amz-source-expected-bucket-owner")
    if expected and call.objects.bucket(bucket).status.owner != expected:
        raise S3Error("AccessDenied")
    source: ObjectInfo = call.objects.info(bucket, key)
    if not_modified(headers, source, f"{SOURCE}-"):
        raise PreconditionFailed(f"{SOURCE}-if-none-match")
    return source


def parse_source(header: str) -> tuple[str, str]:
    """Return bucket and key of `[/]bucket/key[?versionId=null]`, percent-encoded or not."""
    path, asked, version = header.partition("?versionId=")
    if asked and version != "null":
        raise invalid_argument("versionId", version, "Invalid version id specified")
    if _BROKEN_ESCAPE.search(path):
        raise invalid_argument(SOURCE, header, "Invalid copy source encoding")
    try:
        decoded = unquote_to_bytes(path.encode("latin-1")).decode()
    except UnicodeError:
        raise invalid_argument(SOURCE, header, "Invalid copy source encoding") from None
    bucket, _, key = decoded.removeprefix("/").partition("/")
    if not key:
        raise invalid_argument(SOURCE, header, "Invalid copy source object key")
    try:
        names_of_bucket(bucket)
    except InvalidBucketName:
        raise invalid_argument(SOURCE, header, "Invalid copy source bucket name") from None
    return bucket, key


class Copied:
    """The content of a source, or a range of it, on its way into a new object or part."""

    def __init__(
        self, objects: ObjectStore, source: ObjectInfo, kind: str, wanted: ByteRange | None = None,
    ) -> None:
        self._objects = objects
        self._source = source
        self._wanted = wanted or ByteRange(0, source.size)
        self._tally = Tally([kind])

    def pieces(self) -> Iterator[bytes]:
        """Yield the content. Raises UpstreamFault when it ends early."""
        rest = self._wanted.length
        if not rest:
            return
        opened = self._objects.open(self._source, self._wanted)
        try:
            while rest:
                piece = opened.read(min(PIECE, rest))
                if not piece:
                    raise UpstreamFault(f"the source of the copy ended {rest} bytes early")
                rest -= len(piece)
                self._tally.update(piece)
                yield piece
        finally:
            opened.close()

    def described(self, meta: ObjectMeta) -> ObjectMeta:
        """Return `meta` with ETag and checksum of what was copied."""
        return replace(meta, etag=self._tally.etag, checksums=self._tally.checksums,
                       checksum_type=FULL_OBJECT)

    def part(self) -> tuple[str, dict[str, str]]:
        """Return MD5 and checksum of what was copied, as a part has them."""
        return self._tally.etag, self._tally.checksums


def result_fields(
    etag: str, modified: int, checksums: Mapping[str, str], kind_of_sum: str = "",
) -> list[Field]:
    """Return the elements of a copy's answer."""
    fields: list[Field] = [("LastModified", iso_time(modified)), ("ETag", f'"{etag}"')]
    fields += [(f"Checksum{kind}", value) for kind, value in checksums.items()]
    if checksums and kind_of_sum in (FULL_OBJECT, COMPOSITE):
        fields.append(("ChecksumType", kind_of_sum))
    return fields


def range_of(header: str | None, size: int) -> ByteRange:
    """Return the bytes that x-amz-copy-source-range names. Raises S3Error.

    InvalidArgument for what is no range, InvalidRange for one outside.
    """
    if header is None:
        return ByteRange(0, size)
    found = _RANGE.fullmatch(header)
    first, last = (int(found[1]), int(found[2])) if found else (1, 0)
    if first > last:
        raise invalid_argument(
            f"{SOURCE}-range", header,
            f"The {SOURCE}-range value must be of the form bytes=first-last where first and last"
            " are the zero-based offsets of the first and last bytes to copy")
    if last >= size:
        raise S3Error("InvalidRange", "Range specified is not valid for source object of size:"
                                      f" {size}")
    return ByteRange(first, last - first + 1)
