"""The gateway behind a real nginx with deploy/nginx.conf: TLS and HTTP/2 in front of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import subprocess
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.front import SERVER_NAME, Certificate, Nginx, outside_address
from tests.gateway import PASSWORD, Gateway, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.gunicorn
LOGIN = ("--user", f"someone:{PASSWORD}")
OCTETS = ("--header", "Content-Type: application/octet-stream")
SIZE = 24 * 1024 * 1024
CONTENT = hashlib.shake_128(b"nginx").digest(SIZE)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    settings = {"web": {"trusted_proxies": ["127.0.0.1"]}}
    with Gateway(tmp_path_factory.mktemp("gateway"), settings=settings) as running:
        running.make_home("alice")
        yield running


@pytest.fixture(scope="module")
def nginx(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    directory = tmp_path_factory.mktemp("nginx")
    with Nginx(directory, gateway, Certificate(directory / "certificate")) as running:
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    content = tmp_path / "content"
    content.write_bytes(CONTENT)
    return content


def head_of(answer: bytes) -> tuple[str, dict[str, str]]:
    """Return the last status line and its headers from what `curl --include` printed."""
    heads = re.findall(rb"HTTP/[\d.]+ \d{3}[^\r]*\r\n(?:[^\r]+\r\n)*", answer)
    lines = heads[-1].decode().splitlines()
    return lines[0].strip(), {
        name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines[1:])}


def last_line(gateway: Gateway, operation: str) -> dict[str, Any]:
    return [line for line in gateway.audit() if line["operation"] == operation][-1]


def test_the_access_log_has_no_query(nginx: Nginx) -> None:
    secret = "c2VjcmV0LXRva2Vu"
    url = f"{nginx.url}/webhdfs/v1/user/alice/logged?op=LISTSTATUS&delegation={secret}"
    assert b"InvalidToken" in nginx.curl("--referer", url, url)
    wait_for("the line", lambda: "/user/alice/logged" in nginx.access_log.read_text())
    line = next(one for one in nginx.access_log.read_text().splitlines() if "logged" in one)
    assert '"GET /webhdfs/v1/user/alice/logged" 403 ' in line
    assert secret not in nginx.access_log.read_text()


@pytest.mark.parametrize("protocol", ["--http1.1", "--http2"])
@pytest.mark.parametrize("framing", [(), ("--header", "Transfer-Encoding: chunked")],
                         ids=["length", "chunked"])
def test_content_goes_both_ways_and_the_location_is_the_public_url(
    nginx: Nginx, file: Path, protocol: str, framing: tuple[str, ...],
) -> None:
    url = f"{nginx.url}/f/file/content?path=via-nginx&overwrite=true"
    put = nginx.curl(protocol, "--include", *LOGIN, *OCTETS, *framing, "--upload-file", file, url)
    status, headers = head_of(put)
    assert status == {"--http1.1": "HTTP/1.1 201 Created", "--http2": "HTTP/2 201"}[protocol]
    assert headers["location"].startswith(f"{nginx.url}/f/file/")
    assert "gunicorn" not in headers["server"]
    assert not re.search(r"\d", headers["server"])

    got = nginx.curl(protocol, *LOGIN, f"{nginx.url}/f/file/content?path=via-nginx")
    assert hashlib.sha256(got).digest() == hashlib.sha256(CONTENT).digest()


def test_uploads_are_not_collected_on_their_way(
    nginx: Nginx, gateway: Gateway, file: Path,
) -> None:
    """While the client still sends, its bytes lie in the backend already, and never at nginx."""
    before = stored(gateway)
    url = f"{nginx.url}/f/file/content?path=slow"
    with subprocess.Popen(
        ["curl", "--silent", "--fail", "--cacert", nginx.certificate.file, "--resolve",
         f"{SERVER_NAME}:{nginx.port}:127.0.0.1", *LOGIN, *OCTETS, "--limit-rate", "8M",
         "--upload-file", file, url], stdout=subprocess.DEVNULL) as uploading:
        wait_for("bytes of the upload", lambda: stored(gateway) > before + 1_000_000)
        assert uploading.poll() is None
        assert stored(gateway) < before + SIZE
        assert uploading.wait(60) == 0
    assert stored(gateway) >= before + SIZE
    assert not [path for path in nginx.directory.rglob("*/*/*") if path.is_file()]


def stored(gateway: Gateway) -> int:
    """Return the bytes of the embedded backend's block files."""
    total = 0
    for path in (gateway.directory / "data" / "hdfs").rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def test_the_audit_line_has_the_clients_address_and_nginxs_request_id(
    nginx: Nginx, gateway: Gateway,
) -> None:
    with outside_address() as address:
        answer = nginx.curl("--include", *LOGIN, f"{nginx.url}/f/home-directory", address=address)
    line = last_line(gateway, "home_directory")
    assert line["address"] == address
    status, headers = head_of(answer)
    assert "200" in status
    assert headers["x-request-id"] == line["id"]
    assert re.fullmatch("[0-9a-f]{32}", line["id"]), "not nginx's $request_id"


def test_what_clients_say_of_themselves_is_replaced(nginx: Nginx, gateway: Gateway) -> None:
    forged = [option for name, value in {
        "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example.com", "X-Forwarded-Port": "1",
        "Forwarded": "for=203.0.113.9;host=evil.example.com",
        "X-Request-Id": "forged",
    }.items() for option in ("--header", f"{name}: {value}")]
    with outside_address() as address:
        answer = nginx.curl(
            "--include", *LOGIN, *forged, "--request", "PUT",
            f"{nginx.url}/f/directory?path=made-by-forger", address=address)
    _, headers = head_of(answer)
    assert headers["location"].startswith(f"{nginx.url}/")
    assert headers["x-request-id"] != "forged"
    assert gateway.audit()[-1]["address"] == address


def test_an_upload_that_cannot_succeed_is_answered_and_not_cut_off(
    nginx: Nginx, file: Path,
) -> None:
    url = f"{nginx.url}/f/file/content?path=/refused"
    for expect in ("Expect: 100-continue", "Expect:"):
        for protocol in ("--http1.1", "--http2"):
            answer = nginx.curl(protocol, "--include", *LOGIN, *OCTETS, "--header", expect,
                                "--upload-file", file, url)
            status, _ = head_of(answer)
            assert "403" in status, (expect, protocol)
            assert json.loads(answer[answer.index(b'{"status"'):])["error"]


@pytest.mark.parametrize("path", ["/f/home-directory", "/nowhere", "/metrics", "/%00"])
def test_every_answer_asks_for_https_once_and_tells_no_version(nginx: Nginx, path: str) -> None:
    answer = nginx.curl("--include", "--http1.1", *LOGIN, nginx.url + path)
    head = answer.partition(b"\r\n\r\n")[0].decode().lower()
    assert head.count("strict-transport-security: max-age=31536000") == 1
    assert "\r\nserver: nginx\r\n" in head
    assert "set-cookie" not in head


def test_nobody_has_too_many_requests_under_way(
    gateway: Gateway, tmp_path: Path,
) -> None:
    """The stream that is one too many is told to come again; the others go on."""
    few = {r"limit_conn httpfs_proxy_clients 256;": "limit_conn httpfs_proxy_clients 2;"}
    gateway.request("PUT", "/f/file/content", params={"path": "wanted", "overwrite": "true"},
                    data=CONTENT, headers={"Content-Type": "application/octet-stream"})
    with contextlib.ExitStack() as opened:
        nginx = opened.enter_context(
            Nginx(tmp_path, gateway, Certificate(tmp_path / "certificate"), changes=few))
        for _ in range(2):
            client = opened.enter_context(nginx.connected())
            client.sendall(gateway_request("GET", "/f/file/content?path=wanted"))
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
        answer = nginx.curl("--include", *LOGIN, f"{nginx.url}/f/home-directory")
        status, headers = head_of(answer)
        assert "429" in status
        assert headers["retry-after"] == "1"
        assert headers["content-type"] == "application/json"
        assert json.loads(answer.rpartition(b"\r\n")[2])["status"] == "FAILURE"


def test_a_download_begins_before_it_is_read_whole_and_waits_for_its_client(
    nginx: Nginx, gateway: Gateway,
) -> None:
    """The client's first bytes come while the gateway still has most: nginx keeps none of it."""
    gateway.request("PUT", "/f/file/content", params={"path": "long", "overwrite": "true"},
                    data=CONTENT * 3, headers={"Content-Type": "application/octet-stream"})
    with nginx.connected() as client:
        client.sendall(gateway_request("GET", "/f/file/content?path=long", close=True))
        received = len(client.recv(1000))
        assert received
        before = len(gateway.audit())
        # Nobody is through with the rest while the client takes nothing.
        assert gateway.request("GET", "/f/home-directory").ok
        assert [line["operation"] for line in gateway.audit()[before:]] == ["home_directory"]
        while piece := client.recv(1 << 20):
            received += len(piece)
    assert received > SIZE * 3
    wait_for("the download's line", lambda: last_line(gateway, "get_content")["complete"])
    assert last_line(gateway, "get_content")["bytesOut"] == SIZE * 3


def test_nothing_was_ever_written_to_nginxs_disk(nginx: Nginx) -> None:
    """It says so whenever it does; the tests before brought much both ways."""
    assert "temporary file" not in nginx.log.read_text()
    assert not [path for path in nginx.directory.rglob("*/*/*") if path.is_file()]


def test_long_names_and_odd_ones_arrive_as_sent(nginx: Nginx) -> None:
    name = "%E2%82%AC" * 85 + "/a%2520b+c;d"  # a component of 255 bytes: the longest HDFS takes
    url = f"{nginx.url}/f/directory?path={name}"
    status, headers = head_of(nginx.curl("--include", *LOGIN, "--request", "PUT", url))
    assert "201" in status
    listing = nginx.curl(*LOGIN, f"{nginx.url}/f/listing?path={name.rpartition('/')[0]}")
    assert json.loads(listing)["result"]["statuses"][0]["pathSuffix"] == "a%20b c;d"
    assert len(headers["location"]) > 765


def test_headers_of_several_kilobytes_pass(nginx: Nginx) -> None:
    long = ("--header", "X-Long: " + "x" * 8000)
    status, _ = head_of(nginx.curl("--include", *LOGIN, *long, f"{nginx.url}/f/home-directory"))
    assert "200" in status


def test_figures_are_not_for_the_outside(nginx: Nginx) -> None:
    status, _ = head_of(nginx.curl("--include", *LOGIN, f"{nginx.url}/metrics"))
    assert "404" in status


def test_an_unknown_proxy_is_not_believed(tmp_path: Path) -> None:
    """The same nginx, but nobody told the gateway: no password is taken, no address believed."""
    with Gateway(tmp_path / "gateway") as gateway:
        certificate = Certificate(tmp_path / "certificate")
        with Nginx(tmp_path / "nginx", gateway, certificate) as nginx:
            answer = nginx.curl("--include", *LOGIN, f"{nginx.url}/users/me")
        status, _ = head_of(answer)
        assert "403" in status
        assert b"HTTPS" in answer
        assert gateway.audit()[-1]["address"] == "127.0.0.1"


def test_a_download_that_breaks_is_broken_for_the_client(nginx: Nginx, gateway: Gateway) -> None:
    """A worker dies in the middle; nginx must not make a whole answer of it."""
    gateway.request("PUT", "/f/file/content", params={"path": "broken", "overwrite": "true"},
                    data=CONTENT, headers={"Content-Type": "application/octet-stream"})
    with nginx.connected() as client:
        request = gateway_request("GET", "/f/file/content?path=broken")
        client.sendall(request)
        received = len(client.recv(65536))
        for pid in gateway.workers():
            gateway.kill_worker(pid)
        try:
            while piece := client.recv(1 << 20):
                received += len(piece)
        except OSError:
            pass
    assert 0 < received < SIZE
    wait_for("new workers", lambda: gateway.request("GET", "/readyz").ok)


def gateway_request(method: str, target: str, *, close: bool = False) -> bytes:
    login = b64encode(f"someone:{PASSWORD}".encode()).decode()
    ending = "Connection: close\r\n" if close else ""
    return (f"{method} {target} HTTP/1.1\r\nHost: {SERVER_NAME}\r\n"
            f"Authorization: Basic {login}\r\n{ending}\r\n").encode()
