"""Who is measured: the gateway, HttpFS and WebHDFS itself, and how each is asked."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.request import Request

from bench.client import Address, Head, address_of, connect, exchange, expect, read_head

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

HADOOP_USER = "alice"
GATEWAY_USER, GATEWAY_PASSWORD = "bench", "secret"
ROOM = f"/user/{HADOOP_USER}/bench"
TEMPORARY_REDIRECT = 307
CREATED = 201
OCTETS = "Content-Type: application/octet-stream\r\n"

_AS = f"user.name={HADOOP_USER}"
_WEBHDFS = {
    "status": f"GET /webhdfs/v1{{path}}?op=GETFILESTATUS&{_AS}",
    "listing": f"GET /webhdfs/v1{{path}}?op=LISTSTATUS&{_AS}",
    "read": f"GET /webhdfs/v1{{path}}?op=OPEN&{_AS}",
    "write": f"PUT /webhdfs/v1{{path}}?op=CREATE&{_AS}&overwrite=true&permission=664",
    "mkdir": f"PUT /webhdfs/v1{{path}}?op=MKDIRS&{_AS}&permission=755",
    "delete": f"DELETE /webhdfs/v1{{path}}?op=DELETE&{_AS}&recursive=true",
}
_GATEWAY = {
    "status": "GET /f/file/status?path={path}",
    "listing": "GET /f/listing?path={path}",
    "read": "GET /f/file/content?path={path}",
    "write": "PUT /f/file/content?path={path}&overwrite=true",
}


@dataclass(frozen=True)
class Party:
    """One way to the files; `serves` are the roles of the processes that work for it.

    The first of them is the process in question: the gateway or HttpFS, where there is one.
    """

    name: str
    address: Address
    calls: Mapping[str, str]
    serves: tuple[str, ...]
    headers: str = ""
    redirects: bool = False

    def request(self, call: str, path: str, extra: str = "") -> bytes:
        """Return the bytes of a request without a body; `extra` are further header lines."""
        line = self.calls[call].format(path=path)
        return (f"{line} HTTP/1.1\r\nHost: {self.address[0]}:{self.address[1]}\r\n"
                f"{self.headers}{extra}\r\n").encode()

    def download_request(self, path: str) -> Request:
        """Return a download for `urllib`, which follows redirects."""
        _, _, target = self.calls["read"].format(path=path).partition(" ")
        fields = (line.partition(": ") for line in self.headers.splitlines())
        return Request(f"http://{self.address[0]}:{self.address[1]}{target}",
                       headers={name: value for name, _, value in fields})

    def connect(self) -> socket.socket:
        """Return a connection to whom is asked first."""
        return connect(self.address)

    def open(
        self, path: str, first: socket.socket | None = None, receive_buffer: int = 0,
    ) -> tuple[socket.socket, Head]:
        """Begin a download; the body follows on the socket returned, up to its end.

        `first` is a connection to ask on where a redirect is to be had.
        """
        if not self.redirects:
            sock = connect(self.address, receive_buffer)
            sock.sendall(self.request("read", path, "Connection: close\r\n"))
        else:
            sock, target = self._redirected("read", path, first, receive_buffer)
            sock.sendall(f"GET {target} HTTP/1.1\r\nHost: datanode\r\n\r\n".encode())
        head = read_head(sock)
        expect(head, head.rest, 200)
        return sock, head

    def begin_write(
        self, path: str, length: int, first: socket.socket | None = None,
    ) -> tuple[socket.socket, bytes]:
        """Return the connection and the head of an upload of `length` bytes, not yet sent."""
        extra = f"{OCTETS}Content-Length: {length}\r\n"
        if not self.redirects:
            return first or self.connect(), self.request("write", path, extra)
        sock, target = self._redirected("write", path, first)
        return sock, f"PUT {target} HTTP/1.1\r\nHost: datanode\r\n{extra}\r\n".encode()

    def _redirected(
        self, call: str, path: str, first: socket.socket | None, receive_buffer: int = 0,
    ) -> tuple[socket.socket, str]:
        asked = first or self.connect()
        head, _ = exchange(asked, self.request(call, path), TEMPORARY_REDIRECT)
        if first is None:
            asked.close()
        location = head.fields["location"]
        target = location[location.index("/", len("http://")):]
        return connect(address_of(location), receive_buffer), target


def gateway(url: str) -> Party:
    """Return the gateway, asked with a password as its clients do."""
    credentials = base64.b64encode(f"{GATEWAY_USER}:{GATEWAY_PASSWORD}".encode()).decode()
    return Party("gateway", address_of(url), _GATEWAY, ("gateway", "namenode", "datanode"),
                 headers=f"Authorization: Basic {credentials}\r\n")


def httpfs(url: str) -> Party:
    """Return HttpFS."""
    write = _WEBHDFS["write"] + "&data=true"
    return Party("HttpFS", address_of(url), {**_WEBHDFS, "write": write},
                 ("httpfs", "namenode", "datanode"))


def direct(url: str) -> Party:
    """Return the NameNode with its DataNode."""
    return Party("direct", address_of(url), _WEBHDFS, ("namenode", "datanode"), redirects=True)
