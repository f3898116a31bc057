"""A WSGI application as an upstream: called in this process, streaming both ways.

A gateway that called its own embedded backend over HTTP would wait for its own workers.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

from app.fs.answer import Answer
from app.fs.http_faults import BadAnswer, ShortBody
from app.fs.transport import CONTENT_TYPE, ExchangeAdapter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from app.fs.transport import Body

SCHEME = "embedded"
ORIGIN = f"{SCHEME}://local"


class WsgiAdapter(ExchangeAdapter):
    """Exchanges with a WSGI application; time limits do not apply to a call in this process."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        super().__init__()
        self._application = application

    def exchange(
        self, method: str, url: str, body: Body = None,
        headers: Mapping[str, str] | None = None, seconds: float | None = None,  # noqa: ARG002
    ) -> Answer:
        """Call the application; return when its status is known."""
        source = Input(body)
        answer = WsgiAnswer(self._application, _environ(method, url, source, headers or {}))
        if source.failure is not None:
            answer.close()
            raise source.failure
        if source.left and answer:
            answer.close()
            raise BadAnswer(f"the answer {answer.status_code} came before the body was through")
        return answer


class Input:
    """`wsgi.input` over an iterable; where that raises, the input ends and `failure` is set."""

    def __init__(self, body: Body) -> None:
        self._pieces: Iterator[bytes] = iter((body or b"",) if isinstance(body, bytes | None)
                                             else body)
        self.length = len(body or b"") if isinstance(body, bytes | None) else None
        self._rest = b""
        self._ended = False
        self.failure: BaseException | None = None

    @property
    def left(self) -> bool:
        """Tell whether an iterable has not been read to its end."""
        return self.length is None and not self._ended

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, all where it is negative, b"" at the end."""
        if size < 0:
            return b"".join(self)
        if not self._rest:
            self._rest = self._next()
        if len(self._rest) <= size:
            data, self._rest = self._rest, b""
        else:
            data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def readline(self, size: int = -1) -> bytes:
        """Return a line, of `size` bytes at most."""
        line = b""
        while not line.endswith(b"\n") and len(line) != size:
            piece = self._rest or self._next()
            if not piece:
                break
            stop = piece.find(b"\n") + 1 or len(piece)
            if size >= 0:
                stop = min(stop, size - len(line))
            line, self._rest = line + piece[:stop], piece[stop:]
        return line

    def readlines(self, _hint: int = -1) -> list[bytes]:
        """Return all lines."""
        return list(iter(self.readline, b""))

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces."""
        while piece := self._rest or self._next():
            self._rest = b""
            yield piece

    def _next(self) -> bytes:
        while not self._ended:
            try:
                piece = next(self._pieces, None)
            except BaseException as error:  # noqa: BLE001 - raised again once it was answered
                self.failure = error
                piece = None
            if piece is None:
                self._ended = True
            elif piece:
                return piece
        return b""


class WsgiAnswer(Answer):
    """What a WSGI application answers; its iterable is read as `read` asks for it."""

    __slots__ = ("_iterable", "_left", "_pieces", "_rest", "_started")

    def __init__(
        self, application: Callable[..., Iterable[bytes]], environ: dict[str, Any],
    ) -> None:
        super().__init__(0, [])
        self._rest = b""
        self._started = False
        self._iterable: Iterable[bytes] = ()
        try:
            self._iterable = application(environ, self._start_response)
            self._pieces = iter(self._iterable)
            while not self._rest and (piece := next(self._pieces, None)) is not None:
                self._rest += piece
        except Exception as error:
            self.close()
            raise BadAnswer(f"the embedded backend failed: {error!r}") from error
        if not self._started:
            self.close()
            raise BadAnswer("the embedded backend answered without a status")
        self._left = int(self.headers["content-length"]) if (
            "content-length" in self.headers) else None

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes of what the application yields."""
        if not self._rest:
            self._rest = self._next()
        data, self._rest = self._rest[:size], self._rest[size:]
        if self._left is not None:
            self._left -= len(data)
        return data

    def close(self) -> None:
        """Close the application's iterable, once."""
        self._rest, self._pieces = b"", iter(())
        iterable, self._iterable = self._iterable, ()
        close = getattr(iterable, "close", None)
        if close is not None:
            close()

    def _next(self) -> bytes:
        try:
            while (piece := next(self._pieces, None)) is not None:
                written, self._rest = self._rest, b""
                if written or piece:
                    return written + piece
        except Exception as error:
            self.close()
            raise ShortBody(f"the embedded backend failed: {error!r}") from error
        left, self._left = self._left, None
        self.close()
        if left:
            raise ShortBody(f"the body ended {left} bytes before its declared end")
        return b""

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], _exc_info: Any = None,
    ) -> Callable[[bytes], None]:
        self._started = True
        self.status_code = int(status.split(" ", 1)[0])
        # No field goes over a wire here, so one beyond Latin-1 need not end the call.
        self._fields = [(n.encode("latin-1"), v.encode("latin-1", "replace"))
                        for n, v in headers]
        return self._write

    def _write(self, data: bytes) -> None:
        self._rest += data


def _environ(
    method: str, url: str, source: Input, headers: Mapping[str, str],
) -> dict[str, Any]:
    parts = urlsplit(url)
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
        "QUERY_STRING": parts.query,
        "RAW_URI": url[len(ORIGIN):],
        "REQUEST_URI": url[len(ORIGIN):],
        "SERVER_NAME": "local",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "local",
        "CONTENT_TYPE": CONTENT_TYPE,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": source,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if source.length is None:
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    else:
        environ["CONTENT_LENGTH"] = str(source.length)
    for name, value in headers.items():
        environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ
