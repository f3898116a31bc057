"""Multipart uploads: begun, filled, completed, aborted."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from app.core.errors import InvalidRequest, PreconditionFailed
from app.core.object_errors import NoSuchUpload
from app.s3 import copying, preconditions
from app.s3.checksums import COMPOSITE, DEFAULT, FULL_OBJECT, KINDS, kind_named
from app.s3.completion import Completion
from app.s3.description import described, refuse_unsupported
from app.s3.errors import invalid_argument
from app.s3.form import document, location
from app.s3.incoming import Content, checksum_headers, headers_of
from app.s3.patience import patiently
from app.s3.xml import answer, empty
from app.web.conditions import seconds_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug import Response

    from app.core.objects import Upload
    from app.s3.call import S3Call

LAST_PART = 10_000
LEAST_PART = 5 * 1024 * 1024
INITIATED = "x-amz-if-match-initiated-time"
ALGORITHM, TYPE = "x-amz-checksum-algorithm", "x-amz-checksum-type"


def create_multipart_upload(call: S3Call) -> Response:
    """Begin an upload; its headers describe the object that it will become."""
    headers = headers_of(call)
    meta = described(headers)
    algorithm, kind_of_sum = checksum_asked(headers)
    upload = call.objects.uploads.create(
        call.bucket, call.key, meta, algorithm, kind_of_sum)
    response = document(call, "InitiateMultipartUploadResult", [
        ("Bucket", call.bucket), ("Key", call.key), ("UploadId", upload.upload_id)])
    if algorithm:
        response.headers[ALGORITHM] = algorithm
        response.headers[TYPE] = upload.checksum_type
    return response


def checksum_asked(headers: Mapping[str, str]) -> tuple[str, str]:
    """Return the kind and type of checksum that an upload shall have, two "" for not said.

    Raises InvalidRequest for what does not go together.
    """
    check_type(headers)
    given, kind_of_sum = headers.get(ALGORITHM), headers.get(TYPE, "").upper()
    if given is None:
        if kind_of_sum:
            raise InvalidRequest(f"The {TYPE} header can only be used with the {ALGORITHM}"
                                 " header.")
        return "", ""
    algorithm = kind_named(given, ALGORITHM)
    kind = KINDS[algorithm]
    default = COMPOSITE if kind.composite else FULL_OBJECT
    kind_of_sum = kind_of_sum or default
    if not (kind.full_object if kind_of_sum == FULL_OBJECT else kind.composite):
        raise InvalidRequest(f"The {kind_of_sum} checksum type cannot be used with the"
                             f" {algorithm.lower()} checksum algorithm.")
    return algorithm, kind_of_sum


def check_type(headers: Mapping[str, str]) -> None:
    """Raise InvalidRequest for a type of checksum that does not exist."""
    if headers.get(TYPE, FULL_OBJECT).upper() not in (FULL_OBJECT, COMPOSITE):
        raise InvalidRequest(f"Value for {TYPE} header is invalid.")


def upload_part(call: S3Call) -> Response:
    """Store the body as one part of an upload."""
    number = part_number(call)
    headers = headers_of(call)
    refuse_unsupported(headers)
    upload = _upload(call)
    content = Content(call, headers, [upload.checksum_algorithm or DEFAULT])
    _check_kind(upload, content.sent_kind)
    part = call.objects.uploads.put_part(
        call.bucket, call.key, upload, number, content.pieces(),
        lambda: (content.etag, content.checksums))
    told = content.sent_kind or upload.checksum_algorithm or DEFAULT
    return empty(200, {"ETag": f'"{part.etag}"',
                       **checksum_headers({told: part.checksums[told]}, "")})


def upload_part_copy(call: S3Call) -> Response:
    """Store an object's content, or a range of it, as one part of an upload."""
    number = part_number(call)
    headers = headers_of(call)
    refuse_unsupported(headers)
    copying.parse_source(headers[copying.SOURCE])
    upload = _upload(call)
    source = copying.source_of(call, headers)
    wanted = copying.range_of(headers.get(f"{copying.SOURCE}-range"), source.size)
    copied = copying.Copied(call.objects, source, upload.checksum_algorithm or DEFAULT, wanted)

    def work() -> Response:
        part = call.objects.uploads.put_part(
            call.bucket, call.key, upload, number, copied.pieces(), copied.part)
        told = part.checksums if upload.checksum_algorithm else {}
        return answer("CopyPartResult", copying.result_fields(part.etag, part.modified, told))

    return patiently(call.exchange, work)


def complete_multipart_upload(call: S3Call) -> Response:
    """Make the object of the parts that the body names."""
    headers = headers_of(call)
    check_type(headers)
    completion = Completion.read(call, headers)
    upload: str | Upload = call.param("uploadId")
    # It may be done already: asked again, the store answers with what it became.
    with suppress(NoSuchUpload):
        upload = _upload(call)
        completion.check(upload)
    precondition = preconditions.for_write(headers, call.resource)

    def work() -> Response:
        info = call.objects.uploads.complete(
            call.bucket, call.key, upload, completion.claims,
            least_part=LEAST_PART if call.rooted else 0, precondition=precondition,
            verify=completion.verify)
        meta = info.meta
        sums = [(f"Checksum{kind}", value) for kind, value in meta.checksums.items()]
        if sums:
            sums.append(("ChecksumType", meta.checksum_type))
        return document(call, "CompleteMultipartUploadResult", [
            ("Location", location(call)), ("Bucket", call.bucket), ("Key", call.key),
            ("ETag", f'"{meta.etag}"'), *([] if call.plain else sums)])

    return patiently(call.exchange, work)


def abort_multipart_upload(call: S3Call) -> Response:
    """Remove an upload and its parts."""
    initiated = headers_of(call).get(INITIATED)
    if initiated is not None and seconds_of(initiated) != _upload(call).initiated // 1000:
        raise PreconditionFailed(INITIATED)
    call.objects.uploads.abort(call.bucket, call.key, call.param("uploadId"))
    return empty(204)


def part_number(call: S3Call) -> int:
    """Return the part that the query names. Raises S3Error (InvalidArgument)."""
    text = call.param("partNumber")
    if text.isascii() and text.isdecimal() and len(text) < len("1000000") and (
            1 <= int(text) <= LAST_PART):
        return int(text)
    raise invalid_argument("partNumber", text, f"Part number must be an integer between 1 and"
                                               f" {LAST_PART}, inclusive.")


def _upload(call: S3Call) -> Upload:
    upload: Upload = call.objects.uploads.upload(call.bucket, call.key, call.param("uploadId"))
    return upload


def _check_kind(upload: Upload, sent: str) -> None:
    """Raise InvalidRequest where a part comes without the checksum that its upload needs."""
    algorithm = upload.checksum_algorithm
    missing = not sent and upload.checksum_type == COMPOSITE
    if algorithm and (missing or sent not in ("", algorithm)):
        raise InvalidRequest(
            f"Checksum Type mismatch occurred, expected checksum Type: {algorithm.lower()}, actual"
            f" checksum Type: {sent.lower() or 'null'}")
