"""GetObject and HeadObject: content, ranges, parts, conditions, overrides, checksums."""

from __future__ import annotations

import base64
import hashlib
import zlib
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.s3.conftest import PUBLIC, code_of, refusal

if TYPE_CHECKING:
    from tests.s3.conftest import World

pytestmark = pytest.mark.gunicorn
BODY = bytes(range(256)) * 40
ETAG = f'"{hashlib.md5(BODY).hexdigest()}"'
CRC32 = base64.b64encode(zlib.crc32(BODY).to_bytes(4, "big")).decode()
PAST, FUTURE = "Sat, 01 Jan 2000 00:00:00 GMT", formatdate(4_000_000_000, usegmt=True)


@pytest.fixture
def key(client: Any, bucket: str) -> str:
    client.put_object(Bucket=bucket, Key="some/key", Body=BODY)
    return "some/key"


@pytest.mark.parametrize("name", [
    "plain", "with space", "plus+plus", "per%cent", "per%2Fcent", "ü/ñ/日本", "emoji-\N{SNAKE}",
    "a//b", "/leading", "dot/./dot", "up/../up", "colon:colon", "tilde~", "semi;colon", "q?mark",
    "ha#sh", "amp&er=sand", "quote'\"", "back\\slash", "new\nline", "tab\ttab", "*star", "(x)!@$,",
    "a" * 255, "/".join(["deep"] * 100), "trailing/",
])
def test_any_key_comes_back_under_its_own_name(any_client: Any, name: str) -> None:
    bucket = "all-keys"
    any_client.create_bucket(Bucket=bucket)
    any_client.put_object(Bucket=bucket, Key=name, Body=name.encode())
    assert any_client.get_object(Bucket=bucket, Key=name)["Body"].read() == name.encode()
    assert any_client.head_object(Bucket=bucket, Key=name)["ContentLength"] == len(name.encode())
    any_client.delete_object(Bucket=bucket, Key=name)
    assert refusal(any_client.get_object, Bucket=bucket, Key=name) == (404, "NoSuchKey")


def test_what_is_told_of_an_object(any_client: Any) -> None:
    any_client.create_bucket(Bucket="described")
    stored = {
        "ContentType": "text/plain; charset=utf-8", "CacheControl": "max-age=60",
        "ContentDisposition": 'attachment; filename="x"', "ContentEncoding": "gzip",
        "ContentLanguage": "de", "Metadata": {"one": "1", "two": "zwei zwei"},
    }
    any_client.put_object(Bucket="described", Key="key", Body=BODY, Tagging="a=1&b=2",
                          Expires=4_000_000_000, **stored)
    for ask in (any_client.head_object, any_client.get_object):
        told = ask(Bucket="described", Key="key")
        assert {name: told[name] for name in stored} == stored
        assert told["ETag"] == ETAG
        assert told["ContentLength"] == len(BODY)
        assert told["AcceptRanges"] == "bytes"
        assert told["LastModified"].year > 2000
        assert told["ExpiresString"] == FUTURE
        assert told["ResponseMetadata"]["HTTPHeaders"]["x-amz-tagging-count"] == "2"
    assert told["Body"].read() == BODY


def test_an_object_without_a_type_or_cache_control_has_none_of_ours(
    client: Any, bucket: str, key: str,
) -> None:
    told = client.head_object(Bucket=bucket, Key=key)
    assert told["ContentType"] == "binary/octet-stream"
    assert "CacheControl" not in told
    assert told["Metadata"] == {}


def test_an_empty_object(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="empty", Body=b"")
    told = client.get_object(Bucket=bucket, Key="empty")
    assert (told["ContentLength"], told["Body"].read()) == (0, b"")
    assert told["ETag"] == '"d41d8cd98f00b204e9800998ecf8427e"'
    assert refusal(client.get_object, Bucket=bucket, Key="empty", Range="bytes=0-") == (
        416, "InvalidRange")


@pytest.mark.parametrize(("asked", "got"), [
    ("bytes=0-0", (0, 0)), ("bytes=10-19", (10, 19)), ("bytes=10000-", (10000, 10239)),
    ("bytes=-5", (10235, 10239)), ("bytes=-99999", (0, 10239)),
    ("bytes=10239-99999", (10239, 10239)),
])
def test_a_range(client: Any, bucket: str, key: str, asked: str, got: tuple[int, int]) -> None:
    first, last = got
    told = client.get_object(Bucket=bucket, Key=key, Range=asked)
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert told["ContentRange"] == f"bytes {first}-{last}/{len(BODY)}"
    assert told["Body"].read() == BODY[first:last + 1]
    head = client.head_object(Bucket=bucket, Key=key, Range=asked)
    assert head["ContentLength"] == last - first + 1


@pytest.mark.parametrize("asked", [
    "bytes=0-1,5-6", "bytes=5-1", "bytes=x-y", "lines=0-1", "bytes=-"])
def test_a_range_that_is_none_gets_the_whole(
    client: Any, bucket: str, key: str, asked: str,
) -> None:
    told = client.get_object(Bucket=bucket, Key=key, Range=asked)
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert told["Body"].read() == BODY


@pytest.mark.parametrize("asked", ["bytes=10240-", "bytes=10240-10250", "bytes=-0"])
def test_a_range_past_the_end(s3: World, bucket: str, key: str, asked: str) -> None:
    told = s3.send("GET", f"/{bucket}/{key}", headers={"Range": asked})
    assert code_of(told) == (416, "InvalidRange")
    assert told.headers["Content-Range"] == f"bytes */{len(BODY)}"
    assert b"<ActualObjectSize>10240</ActualObjectSize>" in told.content


def test_the_last_bytes_of_an_empty_object_are_none(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="empty", Body=b"")
    asked = {"Bucket": bucket, "Key": "empty", "Range": "bytes=-8"}
    told = client.get_object(**asked)
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert (told["Body"].read(), client.head_object(**asked)["ContentLength"]) == (b"", 0)
    assert refusal(client.get_object, **{**asked, "Range": "bytes=0-7"}) == (416, "InvalidRange")


def test_if_range(s3: World, bucket: str, key: str) -> None:
    def status(if_range: str) -> int:
        headers = {"Range": "bytes=1-2", "If-Range": if_range}
        return s3.send("GET", f"/{bucket}/{key}", headers=headers).status_code

    assert status(ETAG) == 206
    assert status('"another"') == 200
    assert status(PAST) == 200


CONDITIONS = [
    ({"If-Match": ETAG}, 200), ({"If-Match": ETAG.strip('"')}, 200), ({"If-Match": "*"}, 200),
    ({"If-Match": f'"a", {ETAG}'}, 200), ({"If-Match": '"a"'}, 412),
    ({"If-None-Match": ETAG}, 304), ({"If-None-Match": "*"}, 304), ({"If-None-Match": '"a"'}, 200),
    ({"If-Modified-Since": PAST}, 200), ({"If-Modified-Since": FUTURE}, 304),
    ({"If-Modified-Since": "no date"}, 200),
    ({"If-Unmodified-Since": FUTURE}, 200), ({"If-Unmodified-Since": PAST}, 412),
    ({"If-Match": ETAG, "If-Unmodified-Since": PAST}, 200),
    ({"If-Match": '"a"', "If-Unmodified-Since": FUTURE}, 412),
    ({"If-None-Match": '"a"', "If-Modified-Since": FUTURE}, 200),
    ({"If-None-Match": ETAG, "If-Modified-Since": PAST}, 304),
]


@pytest.mark.parametrize(("headers", "status"), CONDITIONS)
def test_conditions(
    s3: World, bucket: str, key: str, headers: dict[str, str], status: int,
) -> None:
    told = s3.send("GET", f"/{bucket}/{key}", headers=headers)
    assert told.status_code == status
    assert s3.send("HEAD", f"/{bucket}/{key}", headers=headers).status_code == status
    if status == 304:
        assert told.headers["ETag"] == ETAG
        assert "Content-Length" not in told.headers or told.headers["Content-Length"] == "0"
    if status == 412:
        assert code_of(told) == (412, "PreconditionFailed")
        assert f"<Condition>{next(iter(headers))}</Condition>".encode() in told.content


def test_parts_of_a_multipart_object(client: Any, bucket: str) -> None:
    name, sizes = "in-parts", (5 << 20, 5 << 20, 100)
    pieces = [bytes([number]) * size for number, size in enumerate(sizes)]
    upload = client.create_multipart_upload(Bucket=bucket, Key=name)["UploadId"]
    parts = [
        {"PartNumber": number, "ETag": client.upload_part(
            Bucket=bucket, Key=name, UploadId=upload, PartNumber=number, Body=piece)["ETag"]}
        for number, piece in enumerate(pieces, 1)]
    client.complete_multipart_upload(
        Bucket=bucket, Key=name, UploadId=upload, MultipartUpload={"Parts": parts})
    offset = 0
    for number, piece in enumerate(pieces, 1):
        told = client.get_object(Bucket=bucket, Key=name, PartNumber=number)
        assert told["PartsCount"] == 3
        assert told["ResponseMetadata"]["HTTPStatusCode"] == 206
        assert told["ContentRange"] == f"bytes {offset}-{offset + len(piece) - 1}/{sum(sizes)}"
        assert told["Body"].read() == piece
        offset += len(piece)
    assert client.head_object(Bucket=bucket, Key=name, PartNumber=3)["ContentLength"] == 100
    assert refusal(client.get_object, Bucket=bucket, Key=name, PartNumber=4) == (
        400, "InvalidPart")


def test_a_plain_object_is_one_part(s3: World, client: Any, bucket: str, key: str) -> None:
    told = client.get_object(Bucket=bucket, Key=key, PartNumber=1)
    assert told["Body"].read() == BODY
    assert "PartsCount" not in told
    assert refusal(client.get_object, Bucket=bucket, Key=key, PartNumber=2) == (
        400, "InvalidPart")
    for wrong in ("0", "10001", "x", "", "-1", "1" * 5000, "0" * 9 + "1"):
        answer = s3.send("GET", f"/{bucket}/{key}?partNumber={wrong}")
        assert code_of(answer) == (400, "InvalidArgument")
    assert refusal(client.get_object, Bucket=bucket, Key=key, PartNumber=1, Range="bytes=0-1") == (
        400, "InvalidRequest")


OVERRIDES = {
    "ResponseContentType": "text/html", "ResponseContentLanguage": "fr",
    "ResponseCacheControl": "no-store", "ResponseContentDisposition": 'inline; filename="a b.txt"',
    "ResponseContentEncoding": "br",
}


def test_overrides_of_headers(client: Any, bucket: str, key: str) -> None:
    told = client.get_object(Bucket=bucket, Key=key, **OVERRIDES)
    assert {name: told[name.removeprefix("Response")] for name in OVERRIDES} == OVERRIDES


def test_overrides_are_for_those_who_sign(s3: World, client: Any) -> None:
    client.create_bucket(Bucket=PUBLIC)
    client.put_object(Bucket=PUBLIC, Key="page", Body=b"text")
    path = f"/{PUBLIC}/page?response-content-type=text%2Fhtml"
    assert code_of(s3.send("GET", path, user=None)) == (400, "InvalidRequest")
    assert s3.send("GET", path).headers["Content-Type"] == "text/html"


def test_an_override_cannot_add_a_header(s3: World, bucket: str, key: str) -> None:
    told = s3.send("GET", f"/{bucket}/{key}?response-content-type=a%0D%0AX-Injected%3A%201")
    assert code_of(told) == (400, "InvalidArgument")
    assert "X-Injected" not in told.headers


def test_checksums_are_told_for_the_whole_alone(any_client: Any) -> None:
    any_client.create_bucket(Bucket="summed")
    any_client.put_object(Bucket="summed", Key="key", Body=BODY, ChecksumAlgorithm="CRC32")
    whole = any_client.get_object(Bucket="summed", Key="key", ChecksumMode="ENABLED")
    assert (whole["ChecksumCRC32"], whole["ChecksumType"]) == (CRC32, "FULL_OBJECT")
    assert whole["Body"].read() == BODY
    assert any_client.head_object(Bucket="summed", Key="key", ChecksumMode="ENABLED")[
        "ChecksumCRC32"] == CRC32
    assert "ChecksumCRC32" not in any_client.head_object(Bucket="summed", Key="key")
    part = any_client.get_object(
        Bucket="summed", Key="key", ChecksumMode="ENABLED", Range="bytes=0-99")
    assert "ChecksumCRC32" not in part
    assert part["Body"].read() == BODY[:100]


def test_a_file_of_the_file_api_is_an_object(s3: World, client: Any, bucket: str) -> None:
    path = {"path": f"s3/{bucket}/from/the/file api"}
    s3.gateway.request("PUT", "/f/directory", params={"path": f"s3/{bucket}/from/the"})
    put = s3.gateway.request("PUT", "/f/file/content", params=path, data=BODY)
    assert put.status_code == 201
    told = client.get_object(Bucket=bucket, Key="from/the/file api")
    assert told["Body"].read() == BODY
    client.put_object(Bucket=bucket, Key="from/s3", Body=b"back")
    back = s3.gateway.request(
        "GET", "/f/file/content", params={"path": f"s3/{bucket}/from/s3"})
    assert back.content == b"back"


def test_what_is_not_there(s3: World, client: Any, bucket: str, key: str) -> None:
    missing = s3.send("GET", f"/{bucket}/missing")
    assert code_of(missing) == (404, "NoSuchKey")
    assert f"<Resource>/{bucket}/missing</Resource>".encode() in missing.content
    assert refusal(client.get_object, Bucket="no-such-bucket", Key="x") == (404, "NoSuchBucket")
    head = s3.send("HEAD", f"/{bucket}/missing")
    assert (head.status_code, head.content) == (404, b"")
    assert head.headers["x-amz-request-id"]
    # A directory that only keys imply is no object.
    assert refusal(client.get_object, Bucket=bucket, Key="some") == (404, "NoSuchKey")
    assert refusal(client.get_object, Bucket=bucket, Key="some/") == (404, "NoSuchKey")


def test_other_versions_and_customers_keys(s3: World, client: Any, bucket: str, key: str) -> None:
    assert client.get_object(Bucket=bucket, Key=key, VersionId="null")["Body"].read() == BODY
    assert refusal(client.get_object, Bucket=bucket, Key=key, VersionId="abc") == (
        400, "InvalidArgument")
    told = s3.send("GET", f"/{bucket}/{key}", signed={
        "x-amz-server-side-encryption-customer-algorithm": "AES256"})
    assert code_of(told) == (501, "NotImplemented")


def test_who_may_not_read(s3: World, client: Any, bucket: str, key: str) -> None:
    guest = s3.client("guest")
    path = {"path": f"s3/{bucket}/{key}", "permission": "600"}
    assert s3.gateway.request("PUT", "/f/file/permission", params=path).ok
    assert refusal(guest.get_object, Bucket=bucket, Key=key) == (403, "AccessDenied")


def test_pages_that_share_the_gateways_origin_are_locked_in(s3: World, client: Any) -> None:
    client.create_bucket(Bucket="pages")
    client.put_object(Bucket="pages", Key="x.html", Body=b"<script>", ContentType="text/html")
    shared = s3.gateway.request("GET", "/api/v1/s3/pages/x.html")
    assert shared.headers["Content-Security-Policy"] == "sandbox"
    assert "Content-Security-Policy" not in s3.send("GET", "/pages/x.html").headers
    by_password = requests.get(f"{s3.url}/pages/x.html", auth=("someone", "secret"), timeout=30)
    assert by_password.headers["Content-Security-Policy"] == "sandbox"
