"""How a request comes to its bucket, key, operation and caller, and what the audit log says."""

from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.gateway import wait_for
from tests.s3.conftest import HOST, PREFIX, PUBLIC, REGION, code_of, refusal, world_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from tests.s3.conftest import World

pytestmark = pytest.mark.gunicorn


def raw(port: int, method: str, target: str, host: str) -> tuple[int, bytes]:
    """Send a request line exactly as it is."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
                           "\r\n".encode("latin-1"))
        answer = http.client.HTTPResponse(connection, method=method)
        answer.begin()
        return answer.status, answer.read()


def audited(world: World, answer: requests.Response) -> dict[str, Any]:
    """Return the audit line of an answer, which may be written a moment after it."""
    request_id = answer.headers["x-amz-request-id"]
    return wait_for("the audit line", lambda: next(
        (line for line in world.gateway.audit() if line["id"] == request_id), None)) or {}


@pytest.fixture
def key(client: Any, bucket: str) -> str:
    client.put_object(Bucket=bucket, Key="key", Body=b"content")
    return "key"


# --- whose root it is


def test_the_file_api_is_not_at_the_root_of_s3s_port_and_s3_not_at_the_others(s3: World) -> None:
    assert code_of(s3.send("GET", "/f/home-directory", user=None)) == (403, "AccessDenied")
    assert code_of(s3.send("GET", "/healthz", user=None)) == (403, "AccessDenied")
    home = s3.gateway.request("GET", "/f/home-directory")
    assert home.json()["result"]["path"] == "/user/alice"
    assert s3.gateway.request("GET", "/some-bucket").status_code == 404


def test_a_host_of_the_configuration_is_s3_on_every_port(
    s3: World, bucket: str, key: str,
) -> None:
    for port in (s3.gateway.port, s3.port):
        status, body = raw(port, "GET", "/f/home-directory", HOST)
        assert (status, b"AccessDenied" in body) == (403, True)
    status, body = raw(s3.gateway.port, "GET", "/healthz", "127.0.0.1")
    assert (status, b"Error" in body) == (200, False)


@pytest.mark.parametrize("host", [
    f"{{}}.{HOST}", f"{{}}.{HOST}:8443", f"{{}}.{HOST.upper()}", "{}.localhost", "{}.localhost:80"])
def test_a_virtual_host_is_a_bucket(s3: World, bucket: str, key: str, host: str) -> None:
    named = host.format(bucket)
    assert s3.send("GET", f"/{key}", host=named).content == b"content"
    assert s3.send("PUT", "/other/key", host=named, data=b"more").status_code == 200
    assert s3.send("GET", f"/{bucket}/other/key").content == b"more"
    listed = s3.send("GET", "/?list-type=2", host=named).text
    assert f"<Name>{bucket}</Name>" in listed


def test_a_name_that_only_ends_like_the_host_is_no_bucket(s3: World, bucket: str, key: str) -> None:
    told = s3.send("GET", f"/{bucket}/{key}", host=f"not{HOST}")
    assert told.content == b"content"  # the port is S3's whatever the name


def test_a_bucket_with_dots_as_a_virtual_host(s3: World) -> None:
    assert s3.send("PUT", "/", host=f"my.dotted.bucket.{HOST}").status_code == 200
    assert s3.send("HEAD", "/my.dotted.bucket").status_code == 200


def test_a_forwarded_host_counts_from_trusted_proxies_only(
    s3: World, bucket: str, key: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    forwarded = {"X-Forwarded-Host": f"{bucket}.{HOST}"}
    told = s3.send("GET", f"/{key}", headers=forwarded)
    assert code_of(told) == (404, "NoSuchBucket")
    web = {"web": {"trusted_proxies": ["127.0.0.1"]}}
    worlds: Iterator[World] = world_in(tmp_path_factory.mktemp("proxied"), settings=web, workers=1)
    world = next(worlds)
    client = world.client()
    client.create_bucket(Bucket="fronted")
    client.put_object(Bucket="fronted", Key="key", Body=b"content")
    named = f"fronted.{HOST}"
    told = world.send("GET", "/key", host=named, headers={
        "Host": "upstream", "X-Forwarded-Host": named, "X-Forwarded-For": "198.51.100.7"})
    assert told.content == b"content"
    assert audited(world, told)["address"] == "198.51.100.7"
    next(worlds, None)


# --- what is named


@pytest.mark.parametrize(("target", "expected"), [
    ("/{}/%6Bey", b"content"), ("http://x.example.net/{}/key", b"content"),
    ("/{}/key?", b"content"), ("/{}/key?x-id=GetObject", b"content"),
    ("/{}/key?unknown=1&other", b"content")])
def test_ways_to_write_the_same(
    s3: World, client: Any, target: str, expected: bytes,
) -> None:
    client.create_bucket(Bucket=PUBLIC)
    client.put_object(Bucket=PUBLIC, Key="key", Body=b"content")
    assert raw(s3.port, "GET", target.format(PUBLIC), "127.0.0.1") == (200, expected)


@pytest.mark.parametrize("target", [
    "/{}/../{}/key", "/{}/./key", "/{}//key", "/{}/key/", "//{}/key"])
def test_ways_that_name_something_else(s3: World, client: Any, target: str) -> None:
    client.create_bucket(Bucket=PUBLIC)
    client.put_object(Bucket=PUBLIC, Key="key", Body=b"content")
    status, body = raw(s3.port, "GET", target.format(PUBLIC, PUBLIC), "127.0.0.1")
    assert status in (403, 404)
    assert b"<Code>NoSuchKey</Code>" in body or target.startswith("//")


@pytest.mark.parametrize("target", ["/bucket/%zz", "/bucket/%", "/bucket/%ff", "/%ff"])
def test_a_path_that_is_none(s3: World, target: str) -> None:
    status, body = raw(s3.port, "GET", target, "127.0.0.1")
    assert (status, b"<Code>InvalidURI</Code>" in body) == (400, True)


@pytest.mark.parametrize(("method", "target", "allowed"), [
    ("PATCH", "/bucket/key", "DELETE, GET, HEAD, OPTIONS, POST, PUT"), ("POST", "/bucket/key", ""),
    ("PUT", "/", "GET, POST"), ("HEAD", "/", "")])
def test_methods_that_s3_does_not_have(
    s3: World, method: str, target: str, allowed: str,
) -> None:
    told = s3.send(method, target)
    assert told.status_code == 405
    if allowed:
        assert code_of(told) == (405, "MethodNotAllowed")
        assert told.headers["Allow"] == allowed


def test_the_prefix_alone_and_what_only_begins_like_it(s3: World) -> None:
    assert "<ListAllMyBucketsResult" in s3.gateway.request("GET", PREFIX).text
    assert "<ListAllMyBucketsResult" in s3.gateway.request("GET", f"{PREFIX}/").text
    assert s3.gateway.request("GET", f"{PREFIX}x").status_code == 404
    options = raw(s3.port, "OPTIONS", "*", "127.0.0.1")[0]
    assert options in (200, 400, 403, 404, 405)


# --- who asks


def test_nobody_may_what_is_not_open(s3: World, client: Any, bucket: str, key: str) -> None:
    for method, target in (("GET", f"/{bucket}/{key}"), ("GET", f"/{bucket}"), ("GET", "/"),
                           ("PUT", f"/{bucket}/x"), ("DELETE", f"/{bucket}/{key}")):
        assert code_of(s3.send(method, target, user=None)) == (403, "AccessDenied")
    assert client.head_object(Bucket=bucket, Key=key)["ContentLength"] == 7


def test_an_open_bucket_is_open_for_reading(s3: World, client: Any) -> None:
    client.create_bucket(Bucket=PUBLIC)
    client.put_object(Bucket=PUBLIC, Key="key", Body=b"content")
    for target in (f"/{PUBLIC}/key", f"/{PUBLIC}?list-type=2", f"/{PUBLIC}", f"/{PUBLIC}?versions"):
        assert s3.send("GET", target, user=None).status_code == 200
    assert s3.send("HEAD", f"/{PUBLIC}/key", user=None).headers["Content-Length"] == "7"
    assert s3.send("HEAD", f"/{PUBLIC}", user=None).status_code == 200
    for method, target in (
        ("PUT", f"/{PUBLIC}/key"), ("DELETE", f"/{PUBLIC}/key"), ("DELETE", f"/{PUBLIC}"),
        ("GET", f"/{PUBLIC}?cors"), ("POST", f"/{PUBLIC}?delete"), ("GET", f"/{PUBLIC}?uploads"),
    ):
        assert code_of(s3.send(method, target, user=None)) == (403, "AccessDenied")
    assert client.head_object(Bucket=PUBLIC, Key="key")["ContentLength"] == 7
    told = s3.gateway.request("GET", f"{PREFIX}/{PUBLIC}/key", user=None)
    assert told.content == b"content"
    line = audited(s3, told)
    assert (line["user"], line["hadoopUser"]) == ("anonymous", "alice")


def test_a_key_that_is_unknown_or_whose_signature_is_not(
    s3: World, bucket: str, key: str,
) -> None:
    told = s3.send("GET", f"/{bucket}/{key}", headers={"x-amz-date": "20200101T000000Z"})
    assert code_of(told) == (400, "AuthorizationHeaderMalformed")
    s3.key_of["wrong"] = s3.key_of["someone"][0], "x" * 40
    s3.key_of["unknown"] = "A" * 20, "x" * 40
    assert refusal(s3.client("wrong").list_buckets) == (403, "SignatureDoesNotMatch")
    assert refusal(s3.client("unknown").list_buckets) == (403, "InvalidAccessKeyId")
    told = s3.send("GET", "/", user="wrong")
    assert b"<StringToSign>AWS4-HMAC-SHA256\n" in told.content
    assert b"<CanonicalRequest>GET\n/\n" in told.content


@pytest.mark.parametrize(("headers", "status", "code"), [
    ({"Authorization": "AWS4-HMAC-SHA256 nonsense"}, 400, "AuthorizationHeaderMalformed"),
    ({"Authorization": "Bearer x"}, 400, "InvalidArgument"),
    ({"Authorization": "AWS nobody:c2ln"}, 403, "AccessDenied"),
])
def test_an_authorization_that_is_none(
    s3: World, headers: dict[str, str], status: int, code: str,
) -> None:
    assert code_of(s3.send("GET", "/", user=None, headers=headers)) == (status, code)


@pytest.mark.parametrize("version", ["s3v4", "s3"])
@pytest.mark.parametrize("style", ["path", "virtual", "prefix"])
def test_presigned_urls_read_and_write(s3: World, bucket: str, style: str, version: str) -> None:
    client = s3.client(style=style, signature_version=version)
    where = {"Bucket": bucket, "Key": "signed/in the+query ü"}

    def sent(method: str, url: str, data: bytes = b"") -> requests.Response:
        host, _, path = url.removeprefix("http://").partition("/")
        if style == "prefix":
            return s3.gateway.request(method, f"/{path}", data=data, user=None)
        return s3.send(method, f"/{path}", user=None, data=data, headers={"Host": host})

    put = client.generate_presigned_url("put_object", Params=where, ExpiresIn=60)
    assert sent("PUT", put, b"content").status_code == 200
    get = client.generate_presigned_url("get_object", Params=where, ExpiresIn=60)
    assert sent("GET", get).content == b"content"
    assert code_of(sent("PUT", get, b"other")) == (403, "SignatureDoesNotMatch")
    assert code_of(sent("GET", get.replace("Expires=", "Expires=1"))) == (
        403, "SignatureDoesNotMatch")


# --- what is written down


def test_the_audit_line(s3: World, client: Any, bucket: str, key: str) -> None:
    told = s3.send("GET", f"/{bucket}/{key}?partNumber=1")
    request_id = told.headers["x-amz-request-id"]
    assert request_id == told.headers["X-Request-Id"]
    line = audited(s3, told)
    assert (line["user"], line["hadoopUser"], line["operation"], line["path"]) == (
        "someone", "alice", "GetObject", f"/{bucket}/{key}")
    assert (line["status"], line["bytesOut"], line["complete"]) == (206, 7, True)
    told = s3.send("PUT", "/some-bucket/key", user=None)
    line = audited(s3, told)
    assert (line["user"], line["operation"], line["status"]) == (None, "PutObject", 403)
    secret = s3.key_of["someone"][1]
    assert secret not in s3.gateway.audit_file.read_text()
    assert "Signature=" not in s3.gateway.audit_file.read_text()


def test_a_client_of_another_region_is_told_which_is_this_one(
    s3: World, bucket: str, key: str,
) -> None:
    key_id, _ = s3.key_of["someone"]
    scope = f"{key_id}/20260101/eu-west-1/s3/aws4_request"
    told = s3.send("GET", f"/{bucket}/{key}", user=None, headers={
        "x-amz-date": "20260101T000000Z", "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date,"
                         f" Signature={'0' * 64}"})
    assert code_of(told) == (400, "AuthorizationHeaderMalformed")
    assert f"<Region>{REGION}</Region>".encode() in told.content
    # boto3 signs again for the region that it is told.
    client = s3.client(region_name="eu-west-1")
    assert client.meta.region_name == "eu-west-1"
    assert client.get_object(Bucket=bucket, Key=key)["Body"].read() == b"content"
