"""A scripted HTTP server: each connection runs a script of its own, down to the octets."""

from __future__ import annotations

import json
import socket
import struct
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 10.0


@dataclass(frozen=True)
class Request:
    """A request as it arrived; `chunks` are the pieces of a chunked body."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    chunks: tuple[bytes, ...] = ()


class Peer:
    """The server's side of one connection; `number` counts the connections from 0."""

    def __init__(self, sock: socket.socket, number: int, upstream: Upstream) -> None:
        self.sock = sock
        self.number = number
        self._upstream = upstream
        self._file = sock.makefile("rb")

    def head(self) -> Request | None:
        """Read a head; None where the client has closed."""
        lines = []
        while (line := self._file.readline()) not in (b"\r\n", b""):
            lines.append(line.decode("ascii").rstrip("\r\n"))
        if not lines:
            return None
        method, target, version = lines[0].split(" ")
        assert version == "HTTP/1.1"
        fields = (line.split(": ", 1) for line in lines[1:])
        return Request(method, target, {name.lower(): value for name, value in fields}, b"")

    def request(self) -> Request | None:
        """Read a whole request and remember it in `upstream.requests`."""
        head = self.head()
        if head is None:
            return None
        chunks: list[bytes] = []
        if head.headers.get("transfer-encoding") == "chunked":
            while chunk := self.chunk():
                chunks.append(chunk)
            body = b"".join(chunks)
        else:
            body = self._file.read(int(head.headers.get("content-length", 0)))
        request = Request(head.method, head.target, head.headers, body, tuple(chunks))
        self._upstream.requests.append(request)
        return request

    def chunk(self) -> bytes:
        """Read one chunk; empty is the last, and the body's proper end."""
        line = self._file.readline()
        assert line.endswith(b"\r\n"), f"the body ended within: {line!r}"
        data = self._file.read(int(line, 16))
        assert self._file.readline() == b"\r\n"
        return data

    def send(self, data: bytes) -> None:
        """Send octets as they are."""
        self.sock.sendall(data)

    def reset(self) -> None:
        """End the connection with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._file.close()
        self.sock.close()

    def is_closed_by_client(self) -> bool:
        """Wait for the client's next words; tell whether there are none, but its end."""
        try:
            return self._file.read(1) == b""
        except ConnectionError:
            return True


class Upstream:
    """Listens on loopback and runs `script` for each connection in a thread."""

    def __init__(self, script: Callable[[Peer], None], wrap: Any = None) -> None:
        self._script = script
        self._wrap = wrap
        self.requests: list[Request] = []
        self.failures: list[BaseException] = []
        self.connections = 0
        self._peers: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        self._threads.append(thread)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._peers:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                sock.close()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        if kind is None and self.failures:
            raise self.failures[0]

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._peers.append(sock)
            peer_thread = threading.Thread(
                target=self._serve, args=(sock, self.connections), daemon=True)
            self.connections += 1
            self._threads.append(peer_thread)
            peer_thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        sock.settimeout(PATIENCE)
        try:
            if self._wrap is not None:
                sock = self._wrap(sock)
                self._peers.append(sock)
            peer = Peer(sock, number, self)
            try:
                self._script(peer)
            finally:
                peer._file.close()
        except OSError:
            return
        except BaseException as error:  # noqa: BLE001 - shown by the test that ends
            self.failures.append(error)
        finally:
            sock.close()


def answer(body: bytes = b"", status: str = "200 OK", *fields: str) -> bytes:
    """Return a whole answer with its length."""
    head = "".join(f"{field}\r\n" for field in fields)
    return (f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{head}\r\n").encode() + body


def chunked(*pieces: bytes) -> bytes:
    """Return a whole answer in chunks."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body


def remote(name: str, message: str = "", status: str = "403 Forbidden") -> bytes:
    """Return a RemoteException's answer."""
    told = {"RemoteException": {
        "exception": name, "javaClassName": f"org.example.{name}", "message": message}}
    return answer(json.dumps(told).encode(), status)


def answering(*raw: bytes) -> Callable[[Peer], None]:
    """Return a script that gives each request the next answer, and the last one for ever."""
    waiting = list(raw)
    lock = threading.Lock()

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            with lock:
                data = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            peer.send(data)

    return script


STATUS = {
    "accessTime": 1, "blockSize": 134217728, "childrenNum": 0, "fileId": 16391,
    "group": "supergroup", "length": 5, "modificationTime": 2, "owner": "alice",
    "pathSuffix": "", "permission": "644", "replication": 1, "storagePolicy": 0, "type": "FILE",
}


def status_answer(**facts: Any) -> bytes:
    """Return the answer to GETFILESTATUS."""
    return answer(json.dumps({"FileStatus": {**STATUS, **facts}}).encode())
