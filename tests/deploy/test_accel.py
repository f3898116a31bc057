"""Large downloads that nginx brings straight from the DataNodes, over a real HDFS."""

from __future__ import annotations

import contextlib
import hashlib
import re
import socket
import ssl
import subprocess
import threading
from typing import TYPE_CHECKING, Any, Self

import boto3
import pytest
from botocore.config import Config

from app.auth.keys_writer import create_key
from app.web import accel
from tests.deploy.front import ACCEL, Certificate, Nginx
from tests.deploy.test_nginx import LOGIN, gateway_request, head_of
from tests.gateway import Gateway, default_users, wait_for
from tests.hadoop.daemon import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.hadoop.cluster import Cluster

pytestmark = [pytest.mark.hadoop, pytest.mark.gunicorn]
WORD = "a-long-random-word"
SIZE = 12 * 1024 * 1024 + 17
CONTENT = hashlib.shake_128(b"accel").digest(SIZE)
URL = "/f/file/content?path=large"
ASKED_BY_NGINX = {"X-Gateway-Accel": WORD, "Accept-Encoding": "identity"}
SAME_IN_BOTH = ("etag", "last-modified", "content-type", "content-length", "content-range",
                "accept-ranges", "vary", "cache-control", "x-content-type-options",
                "content-security-policy", "referrer-policy", "strict-transport-security")


@pytest.fixture(scope="module")
def gateway(
    hadoop: Cluster, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("gateway")
    settings = {"web": {"trusted_proxies": ["127.0.0.1"], "accel": WORD},
                "s3": {"keys_file": str(directory / "keys.yaml"),
                       "master_key_file": str(directory / "keys.master")}}
    users = default_users(hadoop.superuser)
    users["someone"]["bucket_root"] = "/user/alice"
    users["ruled"] = {"hadoop_user": "alice", "rules": {"deny": ["/user/alice/large"]}}
    with Gateway(directory, backend=hadoop.namenode_url, settings=settings, users=users,
                 superuser=hadoop.superuser) as running:
        for name, content in (("large", CONTENT), ("small", CONTENT[:1000]), ("empty", b"")):
            put(running, name, content)
        yield running


@pytest.fixture(scope="module")
def nginx(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    directory = tmp_path_factory.mktemp("nginx")
    with Nginx(directory, gateway, Certificate(directory / "certificate"),
               accel=WORD) as running:
        yield running


@pytest.fixture
def sides(nginx: Nginx, gateway: Gateway) -> tuple[Nginx, Gateway]:
    return nginx, gateway


def put(gateway: Gateway, name: str, content: bytes) -> None:
    answer = gateway.request(
        "PUT", "/f/file/content", params={"path": name, "overwrite": "true"}, data=content,
        headers={"Content-Type": "application/octet-stream"})
    assert answer.status_code == 201, answer.text


def parts(answer: bytes) -> tuple[str, dict[str, str], bytes]:
    """Return status line, headers and body of what `curl --include` printed."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return *head_of(head + b"\r\n"), body


def line_of(gateway: Gateway, headers: dict[str, str]) -> dict[str, Any]:
    """Return the audit line of an answer, the last where nginx asked twice."""
    return lines_of(gateway, headers, 1)[-1]


def lines_of(gateway: Gateway, headers: dict[str, str], count: int) -> list[dict[str, Any]]:
    def look() -> list[dict[str, Any]]:
        found = [line for line in gateway.audit() if line["id"] == headers["x-request-id"]]
        return found if len(found) >= count else []

    return wait_for("the audit lines", look)


@pytest.mark.parametrize("protocol", ["--http1.1", "--http2"])
@pytest.mark.parametrize(("options", "query", "wanted"), [
    ((), "", slice(None)),
    (("--range", "1000000-9000000"), "", slice(1000000, 9000001)),
    (("--range", "7000000-"), "", slice(7000000, None)),
    (("--range", "-5000000"), "", slice(-5000000, None)),
    ((), "&offset=77&length=5000000", slice(77, 5000077)),
], ids=["whole", "range", "to the end", "last", "parameters"])
def test_what_clients_get_is_what_the_gateway_would_have_sent(
    sides: tuple[Nginx, Gateway], protocol: str, options: tuple[str, ...], query: str,
    wanted: slice,
) -> None:
    nginx, gateway = sides
    expected = CONTENT[wanted]
    url = f"{nginx.url}{URL}{query}"
    status, headers, body = parts(nginx.curl(protocol, "--include", *LOGIN, *options, url))
    line = line_of(gateway, headers)
    assert body == expected
    assert (line["bytesHandedOver"], line["bytesOut"]) == (len(expected), 0)
    assert line["user"] == "someone"

    # An Origin has the gateway send the bytes itself.
    plain = nginx.curl(protocol, "--include", *LOGIN, *options, "--header",
                       "Origin: https://elsewhere.example.com", url)
    plain_status, plain_headers, plain_body = parts(plain)
    assert line_of(gateway, plain_headers)["bytesOut"] == len(expected)
    assert plain_body == expected
    assert status == plain_status
    assert set(headers) == set(plain_headers)
    assert {name: headers.get(name) for name in SAME_IN_BOTH} == {
        name: plain_headers.get(name) for name in SAME_IN_BOTH}


def test_nobody_is_told_where_the_bytes_lie(
    nginx: Nginx, gateway: Gateway, hadoop: Cluster,
) -> None:
    answer = nginx.curl("--include", *LOGIN, nginx.url + URL)
    assert line_of(gateway, parts(answer)[1])["bytesHandedOver"] == SIZE
    told = answer[:-SIZE].decode() + nginx.access_log.read_text() + nginx.log.read_text()
    datanode = hadoop.datanode_urls[0].rpartition(":")[2]
    for secret in ("webhdfs/v1", "user.name", "delegation", "namenoderpcaddress",
                   f":{datanode}", "x-gateway", "x-accel", "gunicorn", "Access-Control", WORD):
        assert secret.lower() not in told.lower(), secret


@pytest.mark.parametrize(("options", "query"), [
    (("--header", "Accept-Encoding: gzip"), ""),
    (("--range", "0-999"), ""),
    (("--header", "Origin: https://elsewhere.example.com"), ""),
], ids=["compressed", "small", "a page of another origin"])
def test_some_downloads_stay_plain(
    nginx: Nginx, gateway: Gateway, options: tuple[str, ...], query: str,
) -> None:
    url = nginx.url + URL + query
    status, headers, body = parts(nginx.curl("--include", *LOGIN, *options, url))
    assert re.search("20[06]", status)
    assert body
    assert line_of(gateway, headers)["bytesHandedOver"] == 0


def test_small_and_empty_files_and_heads_and_conditions_are_as_ever(
    nginx: Nginx, gateway: Gateway,
) -> None:
    base = f"{nginx.url}/f/file/content?path="
    assert nginx.curl(*LOGIN, f"{base}small") == CONTENT[:1000]
    assert nginx.curl(*LOGIN, f"{base}empty") == b""
    status, headers, _ = parts(nginx.curl("--head", *LOGIN, f"{base}large"))
    assert "200" in status
    assert headers["content-length"] == str(SIZE)
    status, _, _ = parts(nginx.curl("--include", *LOGIN, "--header",
                                    f"If-None-Match: {headers['etag']}", f"{base}large"))
    assert "304" in status
    status, _, _ = parts(nginx.curl("--include", *LOGIN, "--range", f"{SIZE}-", f"{base}large"))
    assert "416" in status
    status, _, _ = parts(nginx.curl("--include", *LOGIN, f"{base}missing"))
    assert "404" in status
    status, _, _ = parts(nginx.curl("--include", f"{base}large"))
    assert "401" in status
    assert gateway.audit()[-1]["bytesHandedOver"] == 0


def test_the_word_counts_from_a_trusted_proxy_alone_and_must_be_right(
    gateway: Gateway, hadoop: Cluster, tmp_path: Path,
) -> None:
    """Who asks the gateway itself gets the content, and no word of a DataNode."""
    for word in ("", "on", WORD[:-1]):
        answer = gateway.request("GET", URL, headers={"X-Gateway-Accel": word,
                                                      "Accept-Encoding": "identity"})
        assert answer.content == CONTENT
        assert "X-Accel-Redirect" not in answer.headers
    settings = {"web": {"accel": WORD}}
    with Gateway(tmp_path, backend=hadoop.namenode_url, settings=settings,
                 superuser=hadoop.superuser, workers=1) as untrusting:
        answer = untrusting.request("GET", URL, headers={"X-Gateway-Accel": WORD,
                                                         "Accept-Encoding": "identity"})
        assert answer.content == CONTENT
        assert "X-Accel-Redirect" not in answer.headers


def test_clients_cannot_name_the_word_or_a_datanode_through_nginx(
    gateway: Gateway, tmp_path: Path,
) -> None:
    """nginx without the word, and a client that has it: the gateway hands nothing over."""
    forged = [option for name, value in {
        "X-Gateway-Accel": WORD, "X-Accel-Redirect": "@httpfs_proxy_accel",
        "X-Gateway-Datanode": "http://127.0.0.1:1/"}.items()
        for option in ("--header", f"{name}: {value}")]
    with Nginx(tmp_path, gateway, Certificate(tmp_path / "certificate")) as nginx:
        _, headers, body = parts(nginx.curl("--include", *LOGIN, *forged, nginx.url + URL))
        assert body == CONTENT
        assert line_of(gateway, headers)["bytesHandedOver"] == 0


def test_a_datanode_that_cannot_be_reached_is_gone_round(
    gateway: Gateway, hadoop: Cluster, tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """nginx finds nobody there (its firewall, say), and the gateway sends the bytes itself."""
    directory = tmp_path_factory.mktemp("astray")
    with Nginx(directory, gateway, Certificate(directory / "certificate"), accel=WORD,
               accel_changes=to(f"http://127.0.0.1:{free_port()}/gone")) as nginx:
        for options, expected in ((), CONTENT), (("--range", "5-6000000"), CONTENT[5:6000001]):
            status, headers, body = parts(nginx.curl(
                "--include", *LOGIN, *options, nginx.url + URL))
            assert ("206" if options else "200") in status
            assert body == expected
            asked, answered = lines_of(gateway, headers, 2)
            assert asked["bytesHandedOver"] == answered["bytesOut"] == len(expected)
            assert headers["cache-control"].count("no-cache") == 1


def test_a_download_asked_for_with_a_body_comes_the_plain_way(
    gateway: Gateway, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path,
) -> None:
    """nginx has sent the body once it hears of a handover, and a second try would go without it."""
    directory = tmp_path_factory.mktemp("astray")
    sent = tmp_path / "sent"
    with Nginx(directory, gateway, Certificate(directory / "certificate"), accel=WORD,
               accel_changes=to(f"http://127.0.0.1:{free_port()}/gone")) as nginx:
        for size in (5_000_000, 5):
            sent.write_bytes(bytes(size))
            for options in ((), ("--header", "Transfer-Encoding: chunked")):
                status, headers, body = parts(nginx.curl(
                    "--http1.1", "--include", *LOGIN, "--request", "GET", *options,
                    "--data-binary", f"@{sent}", "--header", "Expect:", nginx.url + URL))
                assert "200" in status
                assert body == CONTENT
                assert {line["bytesHandedOver"] for line in lines_of(gateway, headers, 1)} == {0}


def test_a_datanode_that_says_no_has_the_gateway_say_it(
    gateway: Gateway, hadoop: Cluster, tmp_path_factory: pytest.TempPathFactory,
) -> None:
    directory = tmp_path_factory.mktemp("refused")
    nowhere = f"{hadoop.datanode_urls[0]}/webhdfs/v1/no?op=OPEN&user.name=alice"
    with Nginx(directory, gateway, Certificate(directory / "certificate"), accel=WORD,
               accel_changes=to(nowhere)) as nginx:
        status, _, body = parts(nginx.curl("--include", *LOGIN, nginx.url + URL))
        assert "200" in status
        assert body == CONTENT


class Pretender:
    """A server that promises so many bytes, sends some and hangs up."""

    def __init__(self, promised: int, sent: bytes, tls: ssl.SSLContext | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._answer = (b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                        b"Content-Length: %d\r\nConnection: close\r\n\r\n" % promised) + sent
        self._tls = tls
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):
                secured = self._tls.wrap_socket(client, server_side=True) if self._tls else client
                with secured:
                    secured.recv(65536)
                    secured.sendall(self._answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A thread in accept() keeps a closed listener open.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


def to(url: str) -> dict[str, str]:
    """Return what makes nginx go elsewhere than the gateway says."""
    return {r"set \$datanode_url  [^;]*;": f'set $datanode_url "{url}";'}


@pytest.mark.parametrize("protocol", ["--http1.1", "--http2"])
def test_a_datanode_that_dies_cuts_the_download_short_for_all_to_see(
    gateway: Gateway, tmp_path_factory: pytest.TempPathFactory, protocol: str,
) -> None:
    directory = tmp_path_factory.mktemp("dying")
    with (
        Pretender(SIZE, CONTENT[:300_000]) as pretender,
        Nginx(directory, gateway, Certificate(directory / "certificate"), accel=WORD,
              accel_changes=to(f"http://127.0.0.1:{pretender.port}/x")) as nginx,
    ):
        got = directory / "got"
        with pytest.raises(subprocess.CalledProcessError) as broken:
            nginx.curl(protocol, *LOGIN, "--output", got, nginx.url + URL)
        assert broken.value.returncode in (18, 92), "curl took it for whole"
        assert 0 < got.stat().st_size < SIZE


@pytest.mark.parametrize("trusted", [True, False])
def test_datanodes_with_https_are_asked_only_by_certificates_that_hold(
    gateway: Gateway, tmp_path: Path, *, trusted: bool,
) -> None:
    theirs, other = Certificate(tmp_path / "datanode"), Certificate(tmp_path / "other")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(theirs.file, theirs.key)
    other_content = b"x" * SIZE
    with (
        Pretender(SIZE, other_content, context) as pretender,
        Nginx(tmp_path / "nginx", gateway, Certificate(tmp_path / "certificate"), accel=WORD,
              datanode_ca=(theirs if trusted else other).file, accel_changes={
                  **to(f"https://127.0.0.1:{pretender.port}/x"),
                  r"set \$datanode_host  [^;]*;": 'set $datanode_host "localhost";'}) as nginx,
    ):
        got = nginx.curl(*LOGIN, nginx.url + URL)
    assert got == (other_content if trusted else CONTENT)


def test_bytes_come_while_the_datanode_still_sends_and_never_on_nginxs_disk(
    nginx: Nginx, gateway: Gateway,
) -> None:
    """A client that takes nothing more holds the DataNode back, and nobody keeps the rest."""
    put(gateway, "larger", CONTENT * 6)
    with nginx.connected() as client:
        client.sendall(gateway_request("GET", "/f/file/content?path=larger", close=True))
        received = len(client.recv(65536))
        assert received
        wait_for("the line of the hand-over", lambda: [
            line for line in gateway.audit() if line["bytesHandedOver"] == SIZE * 6])
        assert not [path for path in nginx.directory.rglob("*/*/*") if path.is_file()]
        while piece := client.recv(1 << 20):
            received += len(piece)
    assert received > SIZE * 6
    assert "temporary file" not in nginx.log.read_text()


def test_confined_users_and_strangers_paths_are_checked_before(
    nginx: Nginx, gateway: Gateway,
) -> None:
    login = ("--user", "confined:secret")
    status, _, _ = parts(nginx.curl("--include", *login, f"{nginx.url}/f/file/content?path=large"))
    assert "404" in status
    status, headers, _ = parts(nginx.curl("--include", "--user", "ruled:secret", nginx.url + URL))
    assert re.search("40[34]", status)
    assert line_of(gateway, headers)["bytesHandedOver"] == 0
    gateway.request("PUT", "/f/file/permission", params={"path": "large", "permission": "600"})
    try:
        status, _, body = parts(nginx.curl("--include", "--user", "other:secret",
                                           f"{nginx.url}/f/file/content?path=/user/alice/large"))
        assert "403" in status
        assert b"SUCCESS" not in body
    finally:
        gateway.request("PUT", "/f/file/permission", params={"path": "large",
                                                             "permission": "644"})


def test_s3_objects_come_the_same_way_unless_nginx_cannot_tell_all_of_them(
    nginx: Nginx, gateway: Gateway,
) -> None:
    key = create_key(gateway.directory / "keys.yaml", gateway.directory / "keys.master", "someone")
    s3 = boto3.client(
        "s3", endpoint_url=f"https://127.0.0.1:{nginx.port}/api/v1/s3", region_name="us-east-1",
        aws_access_key_id=key.key_id, aws_secret_access_key=key.secret,
        verify=str(nginx.certificate.file),
        config=Config(s3={"addressing_style": "path"}, proxies={}))
    s3.create_bucket(Bucket="accelerated")
    s3.put_object(Bucket="accelerated", Key="a b+c/ü", Body=CONTENT, ContentType="text/x-log",
                  CacheControl="max-age=5", ContentDisposition='attachment; filename="x"')
    s3.put_object(Bucket="accelerated", Key="described", Body=CONTENT, Metadata={"who": "me"})
    for name, options, expected, over in (
        ("a b+c/ü", {}, CONTENT, SIZE),
        ("a b+c/ü", {"Range": "bytes=3-6000000"}, CONTENT[3:6000001], 5999998),
        ("described", {}, CONTENT, 0),
    ):
        got = s3.get_object(Bucket="accelerated", Key=name, **options)
        head = s3.head_object(
            Bucket="accelerated", Key=name, ChecksumMode="ENABLED", **options)
        assert got["Body"].read() == expected
        ours, theirs = got["ResponseMetadata"], head["ResponseMetadata"]
        [line] = wait_for("the line of the download", lambda: [
            one for one in gateway.audit()
            if one["id"] == ours["HTTPHeaders"]["x-request-id"]])  # noqa: B023 - asked at once
        assert line["bytesHandedOver"] == over
        assert ours["HTTPStatusCode"] == theirs["HTTPStatusCode"] == (206 if options else 200)
        differing = {"date", "x-request-id", "x-amz-request-id", "connection"}
        assert {k: v for k, v in ours["HTTPHeaders"].items() if k not in differing} == {
            k: v for k, v in theirs["HTTPHeaders"].items() if k not in differing}


@pytest.mark.parametrize("behind", ["httpfs", "embedded", "cached", "limited"])
def test_what_has_no_datanode_to_send_to_or_is_nearer_stays_plain(
    hadoop: Cluster, tmp_path: Path, behind: str,
) -> None:
    """Asked as nginx would ask, the gateway sends the bytes itself."""
    settings: dict[str, Any] = {"web": {"trusted_proxies": ["127.0.0.1"], "accel": WORD}}
    if behind == "cached":
        settings["cache"] = {"mountpaths": [str(tmp_path / "disk")]}
    elif behind == "limited":
        settings["limits"] = {"download": 10 ** 9}
    backend = {"httpfs": hadoop.httpfs_url, "embedded": "embedded:"}.get(
        behind, hadoop.namenode_url)
    with Gateway(tmp_path / "gateway", backend=backend, settings=settings, workers=1,
                 superuser="hdfs" if behind == "embedded" else hadoop.superuser) as gateway:
        gateway.make_home("alice")
        put(gateway, "large", CONTENT)
        answer = gateway.request("GET", URL, headers=ASKED_BY_NGINX)
        assert answer.content == CONTENT
        assert "X-Accel-Redirect" not in answer.headers


def test_a_mount_leads_to_its_own_clusters_datanodes(
    hadoop: Cluster, gateway: Gateway, tmp_path: Path,
) -> None:
    settings = {"web": {"trusted_proxies": ["127.0.0.1"], "accel": WORD},
                "backend": {"clusters": [f"far={hadoop.namenode_url}"]}}
    with Gateway(tmp_path, settings=settings, workers=1) as mounting:
        mounted = mounting.request(
            "POST", "/api/v1/paths//far/mount", user="admin", params={"src": "webhdfs://far/user"})
        assert mounted.ok, mounted.text
        answer = mounting.request("GET", "/f/file/content?path=/far/alice/large",
                                  headers=ASKED_BY_NGINX)
    assert answer.headers["X-Accel-Redirect"] == accel.LOCATION
    assert answer.headers["X-Gateway-Datanode"].startswith(hadoop.datanode_urls[0])
    assert answer.headers["X-Gateway-Content-Type"] == "application/octet-stream"
    assert answer.content == b""
    assert not {"ETag", "Content-Type", "Cache-Control"} & set(answer.headers)


def test_nginx_hands_on_the_headers_that_the_gateway_takes_it_to() -> None:
    text = ACCEL.read_text()
    told = {name.lower() for name in re.findall(r"add_header (\S+) \$gateway_", text)}
    taken = set(re.findall(r"set \$gateway_\S+ +\$upstream_http_x_gateway_(\S+);", text))
    assert told == accel.NAMES
    assert taken == {name.replace("-", "_") for name in accel.NAMES}
