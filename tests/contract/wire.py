"""HTTP/1.1 by hand, for what no client library lets one send or see."""

from __future__ import annotations

import base64
import json
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from tests.gateway import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.gateway import Gateway

TIMEOUT = 20.0


@dataclass
class WireAnswer:
    """One final answer, and the statuses of the interim ones before it."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    whole: bool = True
    interim: list[int] = field(default_factory=list)

    @property
    def errors(self) -> str:
        """All messages of a refusal."""
        envelope: Any = json.loads(self.body)
        assert envelope["status"] == "FAILURE"
        return "\n".join(envelope["error"])


class Wire:
    """One connection to a gateway."""

    def __init__(self, gateway: Gateway, *, user: str | None = "someone",
                 timeout: float = TIMEOUT) -> None:
        self.socket = socket.create_connection(("127.0.0.1", gateway.port), timeout=timeout)
        self._user = user
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, method: str, target: str, headers: Iterable[tuple[str, str]] = (),
            body: bytes = b"") -> WireAnswer:
        """Send a whole request and return its answer."""
        self.send_head(method, target, headers)
        if body:
            self.socket.sendall(body)
        return self.answer(bodiless=method == "HEAD")

    def send_head(
        self, method: str, target: str, headers: Iterable[tuple[str, str]] = (),
        version: str = "HTTP/1.1",
    ) -> None:
        """Send the head of a request with the user's credentials."""
        lines = [f"{method} {target} {version}", "Host: gateway.example.net"]
        if self._user is not None:
            told = base64.b64encode(f"{self._user}:{PASSWORD}".encode()).decode()
            lines.append(f"Authorization: Basic {told}")
        lines += [f"{name}: {value}" for name, value in headers]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def send_chunk(self, content: bytes) -> None:
        """Send one chunk of a chunked body; an empty one is its end."""
        self.socket.sendall(b"%x\r\n%b\r\n" % (len(content), content))

    def head(self) -> WireAnswer:
        """Return the next final answer without its body."""
        interim: list[int] = []
        while True:
            status, headers = self._one_head()
            if status >= 200:
                return WireAnswer(status, headers, interim=interim)
            interim.append(status)

    def answer(self, *, bodiless: bool = False) -> WireAnswer:
        """Return the next final answer; `whole` is False where its body was cut short."""
        answer = self.head()
        if bodiless or answer.status in (204, 304):
            return answer
        if answer.headers.get("transfer-encoding") == "chunked":
            answer.body, answer.whole = self._chunked()
        elif "content-length" in answer.headers:
            size = int(answer.headers["content-length"])
            answer.body = self._exactly(size)
            answer.whole = len(answer.body) == size
        else:
            answer.body = self._exactly(None)
        return answer

    def rest(self, size: int) -> bytes:
        """Return the next bytes of a body without chunks, less than `size` where they end."""
        return self._exactly(size)

    def silent(self, seconds: float) -> bool:
        """Tell whether nothing at all comes for a while; the connection being open."""
        deadline = time.monotonic() + seconds
        self.socket.settimeout(seconds)
        try:
            while time.monotonic() < deadline:
                if self._buffer or not self._fill():
                    return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(TIMEOUT)
        return True

    def at_end(self) -> bool:
        """Tell whether the gateway has closed the connection, waiting for a byte or the end."""
        try:
            return not self._buffer and not self._fill()
        except ConnectionResetError:
            return True

    def _one_head(self) -> tuple[int, dict[str, str]]:
        while b"\r\n\r\n" not in self._buffer:
            if not self._fill():
                raise ConnectionError(f"closed inside a head: {self._buffer!r}")
        text, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = text.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}

    def _chunked(self) -> tuple[bytes, bool]:
        pieces: list[bytes] = []
        while True:
            while b"\r\n" not in self._buffer:
                if not self._fill():
                    return b"".join(pieces), False
            line, _, self._buffer = self._buffer.partition(b"\r\n")
            size = int(line, 16)
            piece = self._exactly(size + 2)
            pieces.append(piece[:size])
            if len(piece) < size + 2:
                return b"".join(pieces), False
            if not size:
                return b"".join(pieces), True

    def _exactly(self, size: int | None) -> bytes:
        while size is None or len(self._buffer) < size:
            if not self._fill():
                break
        end = len(self._buffer) if size is None else size
        piece, self._buffer = self._buffer[:end], self._buffer[end:]
        return piece

    def _fill(self) -> bool:
        try:
            piece = self.socket.recv(1 << 20)
        except ConnectionResetError:
            return False
        self._buffer += piece
        return bool(piece)
