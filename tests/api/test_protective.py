"""What every answer says to a browser, in every dialect, whatever it tells; and what none says."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

import pytest

from app.web.protective import POLICY

if TYPE_CHECKING:
    from tests.gateway import Gateway

pytestmark = pytest.mark.gunicorn
ASKED = [
    ("GET", "/f/home-directory", "someone", 200),
    ("GET", "/f/home-directory", None, 401),
    ("GET", "/f/file/status?path=missing", "someone", 404),
    ("GET", "/f/nowhere", "someone", 404),
    ("PATCH", "/f/file/status", "someone", 405),
    ("GET", "/f/file/content?path=page.html", "someone", 200),
    ("HEAD", "/f/file/content?path=page.html", "someone", 200),
    ("GET", "/users/me", "someone", 200),
    ("GET", "/healthz", None, 200),
    ("GET", "/readyz", None, 200),
    ("GET", "/openapi.json", None, 200),
    ("GET", "/metrics", None, 200),
    ("GET", "/api/v1/s3", "someone", 200),
    ("GET", "/api/v1/s3", None, 403),
    ("GET", "/api/v1/s3/no-such-bucket/key", "someone", 404),
    ("POST", "/api/v1/paths//user/exists", "someone", 200),
    ("POST", "/api/v1/paths//missing/get-status", "someone", 500),
    ("POST", "/api/v1/paths//user/no-such-action", "someone", 404),
    ("GET", "/v1/daemon?what=status", "someone", 403),
    ("GET", "/v1/objects/none/missing", "someone", 404),
    ("GET", "/v1/health", None, 200),
    ("GET", "/webhdfs/v1/user?op=GETFILESTATUS", "someone", 200),
    ("GET", "/webhdfs/v1/missing?op=GETFILESTATUS", "someone", 404),
    ("GET", "/webhdfs/v1/user?op=NOSUCHOP", "someone", 400),
    ("OPTIONS", "/f/home-directory", "someone", 405),
    ("GET", "/nowhere/at/all", None, 404),
]
IDS = [f"{method} {path} {status}" for method, path, _, status in ASKED]


@pytest.fixture(scope="module")
def page(embedded_gateway: Gateway) -> Gateway:
    made = embedded_gateway.request(
        "PUT", "/f/file/content", params={"path": "page.html", "overwrite": "true"},
        data=b"<script>alert(1)</script>", headers={"Content-Type": "text/html"})
    assert made.status_code == 201, made.text
    return embedded_gateway


@pytest.mark.parametrize(("method", "path", "user", "status"), ASKED, ids=IDS)
def test_every_answer_binds_the_browser(
    page: Gateway, method: str, path: str, user: str | None, status: int,
) -> None:
    answer = page.request(method, path, user=user,
                          headers={"Origin": "https://elsewhere.example.com"})
    headers = answer.headers
    assert answer.status_code == status, answer.text
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "sandbox" in headers["Content-Security-Policy"]
    if not path.startswith("/v1/objects"):
        assert headers["Content-Security-Policy"] == POLICY
    assert "private" in headers["Cache-Control"] or "no-store" in headers["Cache-Control"]
    assert "Set-Cookie" not in headers
    assert not [name for name in headers if name.lower().startswith("access-control-")]
    assert not re.search(r"\d", headers.get("Server", "")), "a version is shown"
    assert "X-Powered-By" not in headers
    assert "Strict-Transport-Security" not in headers, "this is plain HTTP"
    for name in set(headers):
        assert headers[name].count("nosniff") < 2


@pytest.mark.parametrize("request_line", [
    b"GET / HTTP/1.1\r\nHost: x\r\nno header\r\n\r\n",
    b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"x" * 9000),
    b"GET / HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n" % (b"x" * 9000),
    b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
], ids=["no header", "long line", "long header", "version"])
def test_so_does_what_no_application_saw(page: Gateway, request_line: bytes) -> None:
    with socket.create_connection(("127.0.0.1", page.port), timeout=30) as client:
        client.sendall(request_line)
        received = b""
        while piece := client.recv(65536):
            received += piece
    head = received.partition(b"\r\n\r\n")[0].decode().lower()
    assert re.match(r"http/1\.1 [45]\d\d ", head)
    for line in ("x-content-type-options: nosniff", "referrer-policy: no-referrer",
                 f"content-security-policy: {POLICY}"):
        assert line in head
    assert not re.search(r"server: .*\d", head)
