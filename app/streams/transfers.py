"""Operations that move content: create-file, open-file, download-file; read, write and close."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from werkzeug import Response

from app.core.errors import InvalidParameter, PathNotFound
from app.core.lifetimes import Lifetime, TtlAction
from app.core.limit_errors import LimitReached
from app.core.model import ByteRange
from app.core.paths import HdfsPath, name_of
from app.core.stream_errors import IncompleteFile
from app.fs.stream_records import NewFile
from app.streams.errors import JSON_TYPE
from app.web import one_version, ranges, streams
from app.web.answers import attachment

if TYPE_CHECKING:
    from app.core.model import FileStatus
    from app.streams.call import AlluxioCall

OCTETS = "application/octet-stream"


def create_file(call: AlluxioCall) -> Response:
    """Answer the id of a new write stream; the file has its name when that is closed."""
    return _number(call.streams.create(call.path, _new_file(call)))


def open_file(call: AlluxioCall) -> Response:
    """Answer the id of a new read stream."""
    return _number(call.streams.open(call.path))


def write(call: AlluxioCall) -> Response:
    """Append the body, and answer how many bytes that were once HDFS has them."""
    return _number(call.streams.write(call.stream_id, call.body().chunks()))


def close(call: AlluxioCall) -> Response:
    """End a stream; what was written to it has the name of the file then."""
    call.streams.close(call.stream_id)
    response = Response(status=200)
    del response.headers["Content-Type"]
    return response


def read(call: AlluxioCall) -> Response:
    """Stream the rest of the file, which is read then; or a Range of it, which moves nothing."""
    header = call.headers.get("Range")
    found = call.streams.reading(
        call.stream_id, lambda size: ranges.from_header(header, size) if header else None)
    response = _content(found.part, found.length, ranged=found.ranged)
    if found.source:
        try:
            call.exchange.require_room(found.part.length)
        except LimitReached:
            found.source.close()
            raise
        # From its first piece on the stream moves.
        response.response = streams.begun(streams.content(found.source, found.part.length))
    return response


def download_file(call: AlluxioCall) -> Response:
    """Stream a whole file, or a Range of it; for HEAD the headers alone."""
    def head() -> tuple[Response, tuple[FileStatus, ByteRange] | None]:
        status = _complete_file(call)
        header = call.headers.get("Range")
        asked = ranges.from_header(header, status.length) if header else None
        part = asked or ByteRange(0, status.length)
        response = _content(part, status.length, ranged=asked is not None)
        response.headers["Content-Disposition"] = attachment(name_of(HdfsPath(call.path)))
        return response, (status, part) if call.exchange.method != "HEAD" and part.length else None

    return one_version.answered(head, partial(streams.of_file, call.files, call.path))


def _number(number: int) -> Response:
    return Response(str(number), content_type=JSON_TYPE)


def _content(part: ByteRange, size: int, *, ranged: bool) -> Response:
    """Return the answer that gives `part` of `size` bytes, without them."""
    response = Response(status=206 if ranged else 200, content_type=OCTETS)
    if ranged:
        response.headers["Content-Range"] = f"bytes {part.offset}-{part.last}/{size}"
    response.automatically_set_content_length = False  # it would be 0 for HEAD
    response.headers["Content-Length"] = str(part.length)
    response.headers["Accept-Ranges"] = "bytes"
    return response


def _complete_file(call: AlluxioCall) -> FileStatus:
    """Return the status of a file. Raises NotAFile, IncompleteFile while it is being written."""
    try:
        return call.files.file_status(call.path)
    except PathNotFound:
        if call.streams.written_at(call.path):
            raise IncompleteFile(call.files.real(call.path)) from None
        raise


def _new_file(call: AlluxioCall) -> NewFile:
    """Return what the options ask for. Raises InvalidParameter."""
    options, defaults = call.options, call.services.settings.streams
    return NewFile(
        permission=options.get("mode", defaults.file_permission),
        directory_permission=defaults.directory_permission,
        replication_min=_factor(call, "replicationMin", none=0),
        replication_max=_factor(call, "replicationMax", none=-1),
        block_size=options.get("blockSizeBytes", 0),
        recursive=options.get("recursive", False),
        overwrite=options.get("overwrite", False),
        lifetime=_lifetime(call))


def _factor(call: AlluxioCall, name: str, *, none: int) -> int:
    """Return a bound of the replication factor, within those configured; 0 where it is `none`."""
    given: int = call.options.get(name, none)
    files = call.services.settings.files
    if given == none:
        return 0
    if not files.replication_min <= given <= files.replication_max:
        raise InvalidParameter(
            name, str(given), f"from {files.replication_min} to {files.replication_max}")
    return given


def _lifetime(call: AlluxioCall) -> Lifetime:
    ttl = call.options.get("ttl", -1)
    return Lifetime() if ttl < 0 else Lifetime(ttl, TtlAction(call.options["ttlAction"]))
