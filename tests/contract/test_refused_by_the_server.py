"""What gunicorn or the routing refuses before any operation: the same envelope, never silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.wire import Wire

if TYPE_CHECKING:
    from tests.gateway import Gateway

HOST = "Host: gateway.example.net"


@pytest.mark.parametrize(("lines", "status", "message"), [
    ([f"GET /f/file/status?path={'a' * 9000} HTTP/1.1", HOST], 414, "too large"),
    (["get /f/listing HTTP/1.1", HOST], 400, "method"),
    (["GET /f/listing HTTP/3.0", HOST], 400, "HTTP Version"),
    (["GET /f/listing", HOST], 400, "request line"),
    (["GET /f/listing HTTP/1.1", HOST, "X: " + "a" * 9000], 431, "header"),
    (["PUT /f/file/content?path=x HTTP/1.1", HOST, "Transfer-Encoding: odd"], 501, "odd"),
    (["PUT /f/file/content?path=x HTTP/1.1", HOST, "Expect: miracles"], 417, "miracles"),
    (["PUT /f/file/content?path=x HTTP/1.1", HOST, "Content-Length: 1",
      "Transfer-Encoding: chunked"], 400, "CONTENT-LENGTH"),
    (["GET /f/listing HTTP/1.1", HOST, "X\u00df: y"], 400, "header name"),
])
def test_requests_that_are_none(
    embedded_gateway: Gateway, lines: list[str], status: int, message: str,
) -> None:
    with Wire(embedded_gateway) as wire:
        wire.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        answer = wire.answer()
        assert answer.status == status
        assert answer.headers["content-type"] == "application/json;charset=UTF-8"
        assert message.lower() in answer.errors.lower()
        assert wire.at_end()


@pytest.mark.parametrize(("method", "target"), [
    ("OPTIONS", "*"), ("CONNECT", "files.example.net:443"), ("GET", "*"), ("TRACE", "*"),
])
def test_targets_without_a_path(embedded_gateway: Gateway, method: str, target: str) -> None:
    with Wire(embedded_gateway) as wire:
        answer = wire.ask(method, target)
        assert answer.status in (400, 404, 405)
        assert answer.errors
