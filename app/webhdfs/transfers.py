"""Operations that move content: read, create, append, and the checksum of what is there.

Writing takes two steps: the first answers the URL of the second, which points back here and has a
ticket (`app.auth.errands`), so that clients who follow it without credentials are let in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from werkzeug import Response

from app.auth.errands import Errand
from app.core.errors import IsADirectory, Unsupported
from app.core.model import ByteRange
from app.web import one_version, streams
from app.webhdfs import documents
from app.webhdfs.documents import OCTETS, answer
from app.webhdfs.errors import PREFIX, io_error
from app.webhdfs.given import MAX_INT
from app.webhdfs.operation import Operation
from app.webhdfs.query import TICKET, step_query

if TYPE_CHECKING:
    from app.core.model import FileStatus
    from app.webhdfs.call import WebHdfsCall

_FLAGS = ("CREATE", "OVERWRITE", "APPEND", "SYNC_BLOCK", "LAZY_PERSIST", "NEW_BLOCK",
          "NO_LOCAL_WRITE", "SHOULD_REPLICATE", "IGNORE_CLIENT_LOCALITY", "NO_LOCAL_RACK")
_MODE = "644"


def open_file(call: WebHdfsCall) -> Response:
    """Stream a file or a part of it; `noredirect` asks for the URL that does."""
    offset = call.given.number("offset", least=0) or 0
    length = call.given.number("length", least=0)
    call.given.number("buffersize", least=1, most=MAX_INT, kind="int")
    if call.given.flag("noredirect", default=False):
        call.files.file_status(call.path)
        return answer({"Location": _step_url(call)})

    def head() -> tuple[Response, tuple[FileStatus, ByteRange] | None]:
        status = call.files.file_status(call.path)
        if offset and offset >= status.length:
            raise io_error(f"Offset={offset} out of the range [0, {status.length}); OPEN,"
                           f" path={call.path}")
        rest = status.length - offset
        part = ByteRange(offset, rest if length is None else min(rest, length))
        response = Response(content_type=OCTETS)
        response.automatically_set_content_length = False
        response.headers["Content-Length"] = str(part.length)
        return response, (status, part) if call.exchange.method != "HEAD" and part.length else None

    def fill(response: Response, wanted: tuple[FileStatus, ByteRange]) -> Response:
        # The gate would ask, too, but after the view: the caller's ticket were spent for nothing.
        call.exchange.require_room(wanted[1].length)
        return streams.of_file(call.files, call.path, response, wanted)

    return one_version.answered(head, fill)


def get_file_checksum(call: WebHdfsCall) -> Response:
    """Answer HDFS's checksum of a file; `noredirect` asks for the URL that does."""
    if call.given.flag("noredirect", default=False):
        call.files.file_status(call.path)
        return answer({"Location": _step_url(call)})
    return answer({"FileChecksum": documents.file_checksum(call.files.checksum(call.path))})


def create(call: WebHdfsCall) -> Response:
    """Answer where to send the content of a new file; there, make it."""
    given = call.given
    flags = given.words("createflag", _FLAGS, "org.apache.hadoop.fs.CreateFlag")
    for flag in flags:
        if flag not in ("CREATE", "OVERWRITE"):
            raise Unsupported(f"createflag {flag} is not supported")
    overwrite = given.flag("overwrite", default=False) or "OVERWRITE" in flags
    replication = given.short("replication", least=1)
    block_size = given.number("blocksize", least=1)
    given.number("buffersize", least=1, most=MAX_INT, kind="int")
    permission, unmasked = given.mode("permission") or _MODE, given.mode("unmaskedpermission")
    create_parent = given.flag("createparent", default=True)
    if not given.flag("data", default=False):
        call.files.check_put(call.path)
        return _redirect(call)
    body = call.body()
    call.files.put(
        call.path, body.chunks(), overwrite=overwrite, create_parent=create_parent,
        permission=permission, unmasked=unmasked, replication=replication, block_size=block_size,
        early=body.expected)
    response = _typeless(201)
    response.headers["Location"] = call.url()
    return response


def append(call: WebHdfsCall) -> Response:
    """Answer where to send what shall be appended to a file; there, append it."""
    call.given.number("buffersize", least=1, most=MAX_INT, kind="int")
    if not call.given.flag("data", default=False):
        call.files.check_put(call.path)
        if call.files.status(call.path).is_directory:
            raise IsADirectory(call.files.real(call.path))
        return _redirect(call)
    call.files.append(call.path, call.body().chunks())
    return _typeless(200)


def _redirect(call: WebHdfsCall) -> Response:
    url = _step_url(call)
    if call.given.flag("noredirect", default=False):
        return answer({"Location": url})
    response = Response(status=307, content_type=OCTETS)
    response.headers["Location"] = url
    return response


def _step_url(call: WebHdfsCall) -> str:
    """Return the URL of the second step, with what lets its caller in.

    That is the delegation token of whoever came with one, as of the NameNode: some clients go to
    that URL more than once. Else it is a ticket, but not for who came with an access token, whose
    rights are narrower than the user's: they bring that again.
    """
    query = step_query(call.exchange.query or {})
    path = f"{PREFIX}{quote(call.path, safe='/=')}"
    delegation = call.given.text("delegation")
    if delegation:
        query += "&" + urlencode({"delegation": delegation})
    elif not call.principal.token:
        ticket = call.errands.ticket(Errand(
            call.principal.name, _method(call), call.path, query))
        query += "&" + urlencode({TICKET: ticket})
    return f"{call.base_url}{path}?{query}"


def _typeless(status: int) -> Response:
    """Return an answer as DataNodes give it to what was written."""
    response = Response(status=status)
    del response.headers["Content-Type"]
    return response


def _method(call: WebHdfsCall) -> str:
    return "GET" if call.exchange.method == "HEAD" else call.exchange.method


OPERATIONS = (
    Operation("GET", "OPEN", open_file),
    Operation("GET", "GETFILECHECKSUM", get_file_checksum),
    Operation("PUT", "CREATE", create),
    Operation("POST", "APPEND", append),
)
