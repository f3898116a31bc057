"""A TCP proxy before a WebHDFS server that stops one request where a test wants it stopped."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

SIZE = 1 << 18
WAIT_SECONDS = 30.0
INODES = b"/.reserved/.inodes/"


class Interceptor:
    """Passes everything on, but for the `nth` request of an operation after `hold`.

    `before` keeps that request from the server; otherwise the server gets it and its answer is
    kept from the client. `held` is set when it has happened (the answer's first byte has come).
    """

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._target = (str(target.hostname), int(target.port or 80))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.held = threading.Event()
        self._mark = b""
        self._within = b""
        self._rest = 0
        self._before = True
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._spawn(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(WAIT_SECONDS)
        for one in self._sockets:
            one.close()

    def hold(
        self, operation: str, *, nth: int = 1, before: bool, within: str = "",
    ) -> None:
        """Stop the nth request of `operation` from now on, and only that one.

        Of paths that have `within` in them, or are of inodes, if others are asked for as well.
        """
        self.held.clear()
        with self._lock:
            self._mark, self._rest, self._before = f"op={operation}&".encode(), nth, before
            self._within = within.encode()

    def await_held(self) -> None:
        """Return when the request is stopped."""
        assert self.held.wait(WAIT_SECONDS), f"no request was like {self._mark!r}"

    def _spawn(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            self._sockets += [client, server]
            mute = threading.Event()
            self._spawn(self._pass_on, client, server, mute)

    def _pass_on(
        self, client: socket.socket, server: socket.socket, mute: threading.Event,
    ) -> None:
        back = threading.Thread(
            target=self._downstream, args=(client, server, mute), daemon=True)
        back.start()
        self._upstream(client, server, mute)
        back.join()
        for one in (client, server):
            self._sockets.remove(one)
            one.close()

    def _upstream(
        self, client: socket.socket, server: socket.socket, mute: threading.Event,
    ) -> None:
        for piece in _pieces(client):
            if self._is_it(piece):
                mute.set()
                if self._before:
                    self.held.set()
                    continue
            if mute.is_set() and self._before:
                continue
            with contextlib.suppress(OSError):
                server.sendall(piece)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _downstream(
        self, client: socket.socket, server: socket.socket, mute: threading.Event,
    ) -> None:
        for piece in _pieces(server):
            if mute.is_set():
                self.held.set()
                continue
            with contextlib.suppress(OSError):
                client.sendall(piece)
        if not mute.is_set():
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_WR)

    def _is_it(self, piece: bytes) -> bool:
        line = piece.partition(b"\r\n")[0].replace(b" HTTP/", b"& HTTP/")
        with self._lock:
            if not self._rest or self._mark not in line.replace(b"?", b"&"):
                return False
            if self._within not in line and INODES not in line:
                return False
            self._rest -= 1
            return self._rest == 0


def _pieces(source: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            piece = source.recv(SIZE)
        except OSError:
            return
        if not piece:
            return
        yield piece
