"""The answer to a plain request: its environment, and head and body in one piece.

gunicorn looks at each header of an answer by itself and writes head and body one after the other.
Here all lines are looked at together, by the same rules, and whatever is out of the ordinary goes
gunicorn's way.
"""

from __future__ import annotations

import io
import re
import time
from typing import TYPE_CHECKING, Any

from gunicorn import SERVER, SERVER_SOFTWARE
from gunicorn.http.wsgi import (
    FileWrapper,
    Response,
    WSGIErrorsWrapper,
    _make_early_hints_callback,
    create,
)
from gunicorn.util import http_date, unquote_to_wsgi_str

if TYPE_CHECKING:
    from app.web.plain import PlainRequest
    from app.web.worker import JoiningSocket

_LINES = re.compile(
    r"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\x21-\x7e\x80-\xff](?:[ \t\x21-\x7e\x80-\xff]*"
    r"[\x21-\x7e\x80-\xff])?\r\n)*")
_STATUS = re.compile(r"[2-5][0-9]{2} [ \x21-\x7e]*")
_JOIN_BELOW = 16 * 1024
_BARE = frozenset({"204", "304"})
_HOPS = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailers",
    "transfer-encoding", "upgrade", "server", "date"})


class Errors(io.RawIOBase):
    """The `wsgi.errors` of a worker: where gunicorn's errors go by the time of writing."""

    def __init__(self, cfg: Any) -> None:
        super().__init__()
        self._cfg = cfg

    def write(self, data: Any) -> int:
        """Write text."""
        WSGIErrorsWrapper(self._cfg).write(data)
        return len(data)


class _Clock:
    """The Date of answers, made once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._text = ""

    def __call__(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._text, self._second = http_date(second), second
        return self._text


_date = _Clock()


class PlainResponse(Response):  # type: ignore[misc]
    """gunicorn's response, which joins what it can."""

    status: str | None
    headers_sent: bool
    _lines: str | None = None
    _joined = 0

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None,
                       ) -> Any:
        """Take status and headers (PEP 3333)."""
        if exc_info and not self.headers_sent:
            # What was said before is no part of this answer.
            self.headers, self.response_length, self._lines = [], None, None
        if exc_info or self.status is not None or self.req.method == "HEAD":
            return super().start_response(status, headers, exc_info)
        length = _length_of(headers)
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
        if (length is None or status[:3] in _BARE or not _STATUS.fullmatch(status)
                or lines.count("\n") != len(headers) or not _LINES.fullmatch(lines)):
            return super().start_response(status, headers)
        self.status = status
        self.status_code = int(status[:3])
        self.headers = headers
        self.response_length = length
        self._lines = lines
        self._joined = min(length, _JOIN_BELOW)
        return self.write

    def write(self, arg: bytes) -> None:
        """Send a piece of the body, with the head before the first."""
        if self._lines is None or self.headers_sent or len(arg) > self._joined:
            super().write(arg)
            return
        connection = "close" if self.should_close() else "keep-alive"
        head = (f"HTTP/1.1 {self.status}\r\nServer: {SERVER}\r\nDate: {_date()}\r\n"
                f"Connection: {connection}\r\n{self._lines}\r\n")
        self.headers_sent = True
        self.sent = len(arg)
        self.sock.sendall(head.encode("latin-1") + arg)


def _length_of(headers: list[tuple[str, str]]) -> int | None:
    """Return the Content-Length; None where there is none, or anything between two hops."""
    length = None
    for name, value in headers:
        lower = name.lower()
        if lower in _HOPS:
            return None
        if lower == "content-length":
            if length is not None or not (value.isascii() and value.isdecimal()):
                return None
            length = int(value)
    return length


def begun(
    request: PlainRequest, sock: JoiningSocket, client: Any, server: Any, errors: Errors,
) -> tuple[Response, dict[str, Any]]:
    """Return response and environment of a request, as gunicorn's `create` does.

    `client` is the peer's address and `server` ours; of Unix sockets gunicorn knows what to say.
    """
    cfg = request.cfg
    if not (isinstance(client, tuple) and isinstance(server, tuple)):
        response, environ = create(request, sock, client, server, cfg)
        environ["wsgi.multithread"] = True
        return response, environ
    path = request.path
    response = PlainResponse(request, sock, cfg)
    return response, {
        "wsgi.errors": errors,
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": cfg.workers > 1,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
        "wsgi.input": request.body,
        "wsgi.url_scheme": request.scheme,
        "SERVER_SOFTWARE": SERVER_SOFTWARE,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "REQUEST_METHOD": request.method,
        "RAW_URI": request.uri,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_wsgi_str(path) if "%" in path else path,
        "QUERY_STRING": request.query,
        "gunicorn.socket": sock,
        "wsgi.early_hints": _make_early_hints_callback(request, sock, response),
        **request.fields,
    }
