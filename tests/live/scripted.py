"""A WebHDFS server that does what a test says: breaks off, hangs, answers nonsense."""

from __future__ import annotations

import json
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    Behaviour = Callable[["Handler"], None]

CONTENT = bytes(range(256)) * 8000
STATUS = {
    "accessTime": 1, "blockSize": 1 << 27, "childrenNum": 0, "fileId": 16400, "group": "g",
    "length": len(CONTENT), "modificationTime": 1_000_000_000_000, "owner": "alice",
    "pathSuffix": "", "permission": "644", "replication": 1, "storagePolicy": 0, "type": "FILE",
}


class Handler(BaseHTTPRequestHandler):
    """Hands each request to the behaviour of its operation."""

    protocol_version = "HTTP/1.1"
    server: Scripted

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        operation = query["op"][0].upper()
        self.server.asked.append(operation)
        self.server.behaviours.get(operation, refuse)(self)

    do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 the base class asks for these names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    @property
    def offset(self) -> int:
        """Where in the file the request wants to begin."""
        return int(parse_qs(urlsplit(self.path).query).get("offset", ["0"])[0])

    def say(self, status: int, body: bytes, *headers: tuple[str, str],
            kind: str = "application/json") -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def head(self, *headers: tuple[str, str]) -> None:
        """Send the head of a 200."""
        self.send_response(200)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def cut(self, *, reset: bool = False) -> None:
        """End the connection here, with a FIN or a RST."""
        self.close_connection = True
        self.wfile.flush()
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Scripted(ThreadingHTTPServer):
    """The server; `behaviours` are looked up by operation for each request."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.behaviours: dict[str, Behaviour] = dict(WELL)
        self.asked: list[str] = []
        self.over = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: connections break here on purpose."""


def refuse(handler: Handler) -> None:
    """Answer as a NameNode does to what it does not know."""
    handler.say(400, remote_exception("IllegalArgumentException", "Invalid value"))


def remote_exception(name: str, message: str) -> bytes:
    """Return the body of an error."""
    return json.dumps({"RemoteException": {
        "exception": name, "javaClassName": f"org.apache.hadoop.{name}", "message": message,
    }}).encode()


def answer(value: Any) -> Behaviour:
    """Answer this JSON."""
    return lambda handler: handler.say(200, json.dumps(value).encode())


def raw(status: int, body: bytes, kind: str = "text/html") -> Behaviour:
    """Answer this, whatever it is."""
    return lambda handler: handler.say(status, body, kind=kind)


def hang(handler: Handler) -> None:
    """Say nothing until the test is over."""
    handler.server.over.wait(60)
    handler.cut()


def whole(handler: Handler) -> None:
    """Send the content."""
    handler.say(200, CONTENT[handler.offset:], kind="application/octet-stream")


def short(at: int, *, chunked: bool = False, reset: bool = False) -> Behaviour:
    """Promise the content and break off at this position in the file, however often asked."""
    def behave(handler: Handler) -> None:
        piece = CONTENT[handler.offset:at]
        if chunked:
            handler.head(("Transfer-Encoding", "chunked"))
            handler.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b"")
        else:
            handler.head(("Content-Length", str(len(CONTENT) - handler.offset)))
            handler.wfile.write(piece)
        handler.cut(reset=reset)
    return behave


def lying(at: int) -> Behaviour:
    """Send less than the file has, with a clean end."""
    return lambda handler: handler.say(
        200, CONTENT[handler.offset:at], kind="application/octet-stream")


def stalled(at: int) -> Behaviour:
    """Send a part and then nothing."""
    def behave(handler: Handler) -> None:
        handler.head(("Content-Length", str(len(CONTENT) - handler.offset)))
        handler.wfile.write(CONTENT[handler.offset:at])
        handler.wfile.flush()
        hang(handler)
    return behave


WELL: dict[str, Behaviour] = {
    "GETFILESTATUS": answer({"FileStatus": STATUS}),
    "GETHOMEDIRECTORY": answer({"Path": "/user/alice"}),
    "OPEN": whole,
}
