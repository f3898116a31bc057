"""Operations on content: download, upload, append, concatenate, truncate, archive."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from werkzeug import Response

from app.core.errors import InvalidRequest, UnsupportedMedia
from app.files.api import LENGTH, OFFSET, OVERWRITE, PATH, PERMISSION, REPLICATION, api
from app.files.names import check_replication
from app.web import accel, conditions, one_version, ranges, streams
from app.web.answers import attachment, created, no_content
from app.web.params import NameList, OneOf, Param

if TYPE_CHECKING:
    from app.core.model import ByteRange, FileStatus
    from app.web.operations import Call

OCTETS = "application/octet-stream"
SOURCES: Param[tuple[str, ...] | None] = Param(
    "sources", NameList("names of files beside the target, with commas between"),
    "Concatenate these files; they vanish.", None)
FORMAT: Param[str] = Param("format", OneOf("tar", "tar.gz", "zip"), "The kind of archive.", "tar")
_CREATED = {201: "Done; `Location` is the status URL."}
_READ = {200: "The content.", 206: "The bytes of a Range.", 304: "Not modified."}


@api.operation("HEAD", "/file/content", "Ask what a download would answer.", PATH, OFFSET, LENGTH,
               answers=_READ, media=OCTETS)
def head_content(call: Call) -> Response:
    """Answer the headers of the download to who may read it; nothing is opened."""
    response, wanted = _content_head(call)
    if wanted:
        call.files.check_read(call[PATH])
    return response


@api.operation("GET", "/file/content", "Download a file.", PATH, OFFSET, LENGTH,
               answers=_READ, media=OCTETS)
def get_content(call: Call) -> Response:
    """Stream a file, or the part that Range or offset and length ask for."""
    def fill(response: Response, wanted: tuple[FileStatus, ByteRange]) -> Response:
        status, part = wanted
        compress = response.headers.get("Content-Encoding") == "gzip"
        if not compress and accel.handed_over(
                call.exchange, call.services.settings.web.accel, response, part.length,
                partial(call.files.datanode_url, call[PATH], status, part)):
            return response
        source = call.files.open(call[PATH], status, part)
        body = streams.begun(streams.content(source, part.length))
        if compress:
            body = streams.gzipped(body, call.services.settings.web.gzip_level)
        response.response = body
        return response

    return one_version.answered(lambda: _content_head(call), fill)


def _content_head(call: Call) -> tuple[Response, tuple[FileStatus, ByteRange] | None]:
    """Return the answer without its body, and what to open for the body, if anything."""
    header = call.headers.get("Range")
    by_parameters = call[OFFSET] is not None or call[LENGTH] is not None
    ranges.refuse_both(header, parameters=by_parameters)
    status = call.files.file_status(call[PATH])
    compress = not header and streams.accepts_gzip(call.headers.get("Accept-Encoding", ""))
    etag = conditions.etag_of(status, conditions.GZIP_SUFFIX if compress and status.length else "")
    if conditions.not_modified(call.headers, status, etag):
        return _described(Response(status=304), status, etag), None
    part = ranges.from_parameters(call[OFFSET] or 0, call[LENGTH], status.length)
    response = Response(status=200, content_type=OCTETS)
    if header and conditions.range_applies(call.headers, status, etag):
        asked = ranges.from_header(header, status.length)
        if asked:
            part = asked
            response.status_code = 206
            response.headers["Content-Range"] = f"bytes {part.offset}-{part.last}/{status.length}"
    _described(response, status, etag)
    if compress and part.length:
        response.headers["Content-Encoding"] = "gzip"
        response.automatically_set_content_length = False  # it would be 0 for HEAD
    else:
        response.headers["Content-Length"] = str(part.length)
    return response, (status, part) if part.length else None


def _described(response: Response, status: FileStatus, etag: str) -> Response:
    response.headers["ETag"] = etag
    response.headers["Last-Modified"] = conditions.last_modified_of(status)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Vary"] = "Accept-Encoding"
    return response


@api.operation("PUT", "/file/content", "Upload a file.", PATH, OVERWRITE, REPLICATION, PERMISSION,
               answers=_CREATED, body="The content; gzip with Content-Encoding: gzip.")
def put_content(call: Call) -> Response:
    """Create or replace the file by the body, atomically."""
    body = call.body()
    if body.content_type == "multipart/form-data":
        raise UnsupportedMedia("the content is the body itself, not a form; send it as"
                               f" {OCTETS} (curl: --upload-file)")
    factor = call[REPLICATION]
    call.files.upload(
        call[PATH], body.chunks(), overwrite=call[OVERWRITE],
        permission=call[PERMISSION] or call.services.settings.files.file_permission,
        replication=None if factor is None else check_replication(call, factor),
        precondition=conditions.for_write(call.headers),
        early=body.expected)
    return created(call, call[PATH])


@api.operation("POST", "/file/content", "Append to a file, or concatenate files to it.",
               PATH, SOURCES, answers=_CREATED,
               body=f"Append: the content to append, as {OCTETS}. Concatenate: no body.")
def post_content(call: Call) -> Response:
    """Append the body, or the files named by `sources`."""
    sources = call[SOURCES]
    body = call.body(wanted=sources is None)
    if sources is None:
        if body.content_type != OCTETS:
            raise UnsupportedMedia(
                f"to append, send the content as Content-Type: {OCTETS}, not"
                f" '{body.content_type}'; to concatenate, name 'sources' and send no body")
        call.files.append(call[PATH], body.chunks(), conditions.for_write(call.headers))
    else:
        if body.present or body.content_type:
            raise InvalidRequest("parameter 'sources' concatenates files; a body or a"
                                 " Content-Type with it is not allowed")
        call.files.concat(call[PATH], sources, conditions.for_write(call.headers))
    return created(call, call[PATH])


@api.operation("DELETE", "/file/content", "Truncate a file to zero length.", PATH,
               answers={204: "Done."})
def truncate(call: Call) -> Response:
    """Cut the file."""
    call.files.truncate(call[PATH], conditions.for_write(call.headers))
    return no_content()


@api.operation("GET", "/archive", "Download a directory as one archive.", PATH, FORMAT,
               answers={200: "The archive."}, media=OCTETS)
def archive(call: Call) -> Response:
    """Stream the directory; what breaks in the middle breaks the connection."""
    made = call.files.archive(call[PATH])
    kind = call[FORMAT]
    body = streams.begun(made.zip() if kind == "zip" else made.tar())
    if kind == "tar.gz":
        body = streams.gzipped(body, call.services.settings.web.gzip_level)
    media = {"tar": "application/x-tar", "tar.gz": "application/gzip", "zip": "application/zip"}
    response = Response(body, content_type=media[kind])
    response.headers["Content-Disposition"] = attachment(f"{made.name}.{kind}")
    return response
