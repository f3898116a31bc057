"""PutObject: what is stored, what is told, what is refused, over plain HTTP and over TLS."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from app.s3.checksums import KINDS, header_of
from tests.gateway import wait_for
from tests.s3.conftest import PREFIX, code_of, fresh_bucket, refusal
from tests.s3.wire import UNSIGNED, ask, connect, names_in, send_head, signed

if TYPE_CHECKING:
    import requests

    from tests.s3.conftest import World

pytestmark = pytest.mark.gunicorn
CONTENT = b"four score and seven years ago\n"
MD5 = hashlib.md5(CONTENT, usedforsecurity=False)
CRC32 = base64.b64encode(zlib.crc32(CONTENT).to_bytes(4, "big")).decode()


def read(client: Any, bucket: str, key: str) -> bytes:
    return bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())


def outcome(answer: requests.Response) -> tuple[int, str]:
    return (answer.status_code, "") if answer.ok else code_of(answer)


@pytest.mark.parametrize("size", [0, 1, 100_000, 3 * 1024 * 1024 + 17])
def test_what_is_put_is_read(any_client: Any, size: int) -> None:
    bucket = fresh_bucket(any_client)
    content = bytes(range(256)) * (size // 256 + 1)
    content = content[:size]
    put = any_client.put_object(Bucket=bucket, Key="dir/key", Body=content)
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    assert put["ETag"] == f'"{md5}"'
    assert put["ChecksumCRC32"] == base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()
    assert put["ChecksumType"] == "FULL_OBJECT"
    got = any_client.get_object(Bucket=bucket, Key="dir/key")
    assert got["Body"].read() == content
    assert got["ETag"] == put["ETag"]
    assert got["ChecksumCRC32"] == put["ChecksumCRC32"]


def test_a_body_without_a_length(any_client: Any) -> None:
    bucket = fresh_bucket(any_client)

    class Stream(io.BytesIO):
        def seekable(self) -> bool:
            return True

    any_client.put_object(Bucket=bucket, Key="key", Body=Stream(CONTENT * 100_000))
    assert read(any_client, bucket, "key") == CONTENT * 100_000


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_checksum(any_client: Any, kind: str) -> None:
    bucket = fresh_bucket(any_client)
    md5 = base64.b64encode(hashlib.md5(CONTENT, usedforsecurity=False).digest()).decode()
    # boto3 makes every kind but this one.
    asked = {"ChecksumMD5": md5} if kind == "MD5" else {"ChecksumAlgorithm": kind}
    put = any_client.put_object(Bucket=bucket, Key="key", Body=CONTENT, **asked)
    assert put[f"Checksum{kind}"]
    head = any_client.head_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    assert head[f"Checksum{kind}"] == put[f"Checksum{kind}"]
    assert "x-amz-checksum" not in str(any_client.head_object(
        Bucket=bucket, Key="key")["ResponseMetadata"]["HTTPHeaders"].keys() - {
            header_of(kind), "x-amz-checksum-type"})
    wrong = base64.b64encode(bytes(KINDS[kind].size)).decode()
    assert refusal(any_client.put_object, Bucket=bucket, Key="key", Body=b"other",
                   **{f"Checksum{kind}": wrong}) == (400, "BadDigest")
    assert read(any_client, bucket, "key") == CONTENT


def test_without_a_checksum_it_is_crc64nvme(s3: World, bucket: str) -> None:
    answer = s3.send("PUT", f"/{bucket}/key", data=b"123456789")
    assert answer.status_code == 200
    assert answer.headers["x-amz-checksum-crc64nvme"] == "rosUhgp5mIg="
    assert answer.headers["ETag"] == '"25f9e794323b453885f5181f1b624d0b"'
    assert answer.content == b""


def test_headers_and_metadata_are_kept(any_client: Any) -> None:
    bucket = fresh_bucket(any_client)
    any_client.put_object(
        Bucket=bucket, Key="key", Body=CONTENT, ContentType="text/x-speech",
        CacheControl="max-age=5", ContentDisposition='attachment; filename="a b"',
        ContentEncoding="x-own", ContentLanguage="en", Expires="Thu, 01 Dec 2044 16:00:00 GMT",
        Metadata={"Speaker": "Lincoln", "place": "Gettysburg, PA", "empty": ""},
        Tagging="kind=speech&year=1863&with+space=a%2Bb", StorageClass="STANDARD", ACL="private")
    got = any_client.head_object(Bucket=bucket, Key="key")
    assert {name: got[name] for name in (
        "ContentType", "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage",
        "ExpiresString")} == {
        "ContentType": "text/x-speech", "CacheControl": "max-age=5",
        "ContentDisposition": 'attachment; filename="a b"', "ContentEncoding": "x-own",
        "ContentLanguage": "en", "ExpiresString": "Thu, 01 Dec 2044 16:00:00 GMT"}
    assert got["Metadata"] == {"speaker": "Lincoln", "place": "Gettysburg, PA", "empty": ""}
    tags = any_client.get_object_tagging(Bucket=bucket, Key="key")["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "kind": "speech", "year": "1863", "with space": "a+b"}


def test_names_of_metadata_may_have_underscores(any_client: Any) -> None:
    bucket = fresh_bucket(any_client)
    any_client.put_object(Bucket=bucket, Key="key", Metadata={"a_b": "1", "a-b": "2"})
    assert any_client.head_object(Bucket=bucket, Key="key")["Metadata"] == {"a_b": "1", "a-b": "2"}


def test_without_a_type_it_is_octets(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="key")
    got = client.head_object(Bucket=bucket, Key="key")
    assert got["ContentType"] == "binary/octet-stream"
    assert "ContentEncoding" not in got


def test_gzip_is_stored_as_it_is(any_client: Any) -> None:
    bucket = fresh_bucket(any_client)
    packed = gzip.compress(CONTENT)
    any_client.put_object(Bucket=bucket, Key="key", Body=packed, ContentEncoding="gzip")
    got = any_client.get_object(Bucket=bucket, Key="key")
    assert got["ContentEncoding"] == "gzip"
    assert got["Body"].read() == packed


def test_overwriting_keeps_nothing(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="key", Body=b"old", Metadata={"a": "b"}, Tagging="a=b",
                      ContentType="text/plain")
    client.put_object(Bucket=bucket, Key="key", Body=CONTENT)
    got = client.get_object(Bucket=bucket, Key="key")
    assert (got["Body"].read(), got["Metadata"], got["ContentType"]) == (
        CONTENT, {}, "binary/octet-stream")
    assert client.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == []


# --- what a body must be


@pytest.mark.parametrize(("md5", "status", "code"), [
    ("", 400, "InvalidDigest"), ("invalid", 400, "InvalidDigest"),
    ("aGVsbG8=", 400, "InvalidDigest"), ("XrY7u+Ae7tCTyyK7j1rNww==", 400, "BadDigest"),
    (base64.b64encode(MD5.digest()).decode(), 200, ""),
])
def test_content_md5(s3: World, bucket: str, md5: str, status: int, code: str) -> None:
    answer = s3.send("PUT", f"/{bucket}/key", data=CONTENT, signed={"Content-MD5": md5})
    assert outcome(answer) == (status, code)
    assert names_in(s3, bucket) == (1 if status == 200 else 0)


def test_another_body_than_the_signed_one(s3: World, bucket: str) -> None:
    signed = hashlib.sha256(b"other").hexdigest()
    answer = s3.send("PUT", f"/{bucket}/key", data=CONTENT, signed={"x-amz-content-sha256": signed})
    assert outcome(answer) == (400, "XAmzContentSHA256Mismatch")
    assert hashlib.sha256(CONTENT).hexdigest() in answer.text
    assert outcome(s3.send("GET", f"/{bucket}/key")) == (404, "NoSuchKey")


def test_a_body_must_say_where_it_ends(s3: World, bucket: str) -> None:
    headers, _ = signed(s3, "PUT", f"/{bucket}/key", UNSIGNED)
    answer = ask(s3, "PUT", f"/{bucket}/key", headers, b"")
    assert answer.startswith(b"HTTP/1.1 411 ")
    assert b"<Code>MissingContentLength</Code>" in answer
    assert names_in(s3, bucket) == 0
    chunked = headers | {"Transfer-Encoding": "chunked"}
    answer = ask(s3, "PUT", f"/{bucket}/key", chunked, b"1\r\na\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert s3.send("GET", f"/{bucket}/key").content == b"a"


@pytest.mark.parametrize(("headers", "status", "code"), [
    ({"x-amz-checksum-crc32": CRC32, "x-amz-checksum-sha1": "Kq5sNclPz7QV2+lfQIuc6R7oRu0="},
     400, "InvalidRequest"),
    ({"x-amz-checksum-crc32": "!"}, 400, "BadDigest"),
    ({"x-amz-checksum-xyz": CRC32}, 400, "InvalidRequest"),
    ({"x-amz-sdk-checksum-algorithm": "CRC32"}, 400, "InvalidRequest"),
    ({"x-amz-acl": "public-read"}, 400, "AccessControlListNotSupported"),
    ({"x-amz-grant-read": "id=someone"}, 400, "AccessControlListNotSupported"),
    ({"x-amz-acl": "bucket-owner-full-control"}, 200, ""),
    ({"x-amz-storage-class": "GLACIER"}, 400, "InvalidStorageClass"),
    ({"x-amz-server-side-encryption": "AES256"}, 501, "NotImplemented"),
    ({"x-amz-server-side-encryption-customer-algorithm": "AES256"}, 501, "NotImplemented"),
    ({"x-amz-object-lock-mode": "GOVERNANCE"}, 501, "NotImplemented"),
    ({"x-amz-website-redirect-location": "/elsewhere"}, 501, "NotImplemented"),
    ({"x-amz-meta-long": "a" * 2048}, 400, "MetadataTooLarge"),
    ({"x-amz-meta-long": "a" * 2044}, 200, ""),
    ({"x-amz-tagging": "="}, 400, "InvalidArgument"),
    ({"x-amz-tagging": "a%"}, 400, "InvalidArgument"),
    ({"x-amz-tagging": "a=1&a=2"}, 400, "InvalidArgument"),
    ({"x-amz-tagging": "a?=b"}, 400, "InvalidTag"),
    ({"x-amz-tagging": "a=b!"}, 400, "InvalidTag"),
    ({"x-amz-tagging": "&".join(f"k{n}=v" for n in range(11))}, 400, "InvalidTag"),
    ({"x-amz-tagging": "&&"}, 200, ""),
    ({"If-None-Match": '"abc"'}, 200, ""),
    ({"If-None-Match": "*", "If-Match": '"abc"'}, 501, "NotImplemented"),
    ({"If-Unmodified-Since": "Thu, 01 Dec 1994 16:00:00 GMT"}, 501, "NotImplemented"),
])
def test_headers(s3: World, bucket: str, headers: dict[str, str], status: int, code: str) -> None:
    answer = s3.send("PUT", f"/{bucket}/key", data=CONTENT, signed=headers)
    assert outcome(answer) == (status, code)
    assert s3.send("HEAD", f"/{bucket}/key").status_code == (200 if status == 200 else 404)


@pytest.mark.parametrize("value", ["voil\xe0", "\xc5"])
def test_octets_of_utf_8_that_are_spaces_in_latin_1(s3: World, bucket: str, value: str) -> None:
    path, sent = f"/{bucket}/key", value.encode().decode("latin-1")
    head, _ = signed(s3, "PUT", path, {"x-amz-meta-a": value, **UNSIGNED})
    answer = ask(s3, "PUT", path, head | {"x-amz-meta-a": sent, "Content-Length": "1"}, b"a")
    assert answer.startswith(b"HTTP/1.1 200")
    assert s3.send("HEAD", path).headers["x-amz-meta-a"] == sent
    put = s3.gateway.request("PUT", f"{PREFIX}{path}", data=b"a",
                             headers={"x-amz-meta-a": value.encode()})
    assert put.status_code == 200
    assert s3.send("HEAD", path).headers["x-amz-meta-a"] == sent


@pytest.mark.parametrize("query", ["partNumber=1", "versionId=abc"])
def test_queries_that_mean_another_operation(s3: World, bucket: str, query: str) -> None:
    answer = s3.send("PUT", f"/{bucket}/key?{query}", data=CONTENT)
    assert outcome(answer) == (400, "InvalidArgument")


@pytest.mark.parametrize("key", ["a%00b", "a%01%00", "%EF%BF%BF%00"])
def test_keys_that_cannot_be_told_in_xml_are_refused_in_xml(
    s3: World, bucket: str, key: str,
) -> None:
    answer = s3.send("PUT", f"/{bucket}/{key}", data=CONTENT)
    assert code_of(answer) == (400, "InvalidArgument")


def test_no_bucket(client: Any) -> None:
    assert refusal(client.put_object, Bucket="no-such-bucket", Key="key", Body=b"x") == (
        404, "NoSuchBucket")


def test_a_reader_may_not_write(s3: World, bucket: str) -> None:
    assert refusal(s3.client("reader").put_object, Bucket=bucket, Key="key", Body=b"x") == (
        403, "AccessDenied")


def test_anonymous_callers_may_not_write(s3: World, bucket: str) -> None:
    assert outcome(s3.send("PUT", f"/{bucket}/key", user=None, data=b"x")) == (403, "AccessDenied")


# --- conditions


def test_conditions(any_client: Any) -> None:
    bucket = fresh_bucket(any_client)

    def put(**params: Any) -> str:
        return str(any_client.put_object(Bucket=bucket, Key="key", Body=CONTENT, **params)["ETag"])

    assert refusal(put, IfMatch='"abc"') == (404, "NoSuchKey")
    etag = put(IfNoneMatch="*")
    assert refusal(put, IfNoneMatch="*") == (412, "PreconditionFailed")
    assert refusal(put, IfMatch='"abc"') == (412, "PreconditionFailed")
    assert put(IfMatch=etag) == put(IfMatch=etag.strip('"'))


# --- requests that break off


def test_a_body_cut_short_leaves_the_old_object(s3: World, bucket: str) -> None:
    client = s3.client()
    client.put_object(Bucket=bucket, Key="key", Body=b"old")
    answer = s3.send("PUT", f"/{bucket}/key", data=b"9\r\n12345",
                     signed={"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                             "x-amz-decoded-content-length": "9"})
    assert outcome(answer) == (400, "IncompleteBody")
    assert read(client, bucket, "key") == b"old"
    assert names_in(s3, bucket) == 1


def test_a_connection_cut_in_the_body_leaves_the_old_object(s3: World, bucket: str) -> None:
    client = s3.client()
    client.put_object(Bucket=bucket, Key="key", Body=b"old")
    headers, _ = signed(s3, "PUT", f"/{bucket}/key", UNSIGNED)
    with connect(s3) as connection:
        send_head(connection, "PUT", f"/{bucket}/key", headers | {"Content-Length": "1000000"})
        connection.sendall(bytes(500_000))
        wait_for("the staged file", lambda: names_in(s3, bucket) == 2)
    wait_for("the staged file gone", lambda: names_in(s3, bucket) == 1)
    assert read(client, bucket, "key") == b"old"


def test_who_may_not_write_is_told_before_the_body(s3: World, bucket: str) -> None:
    """The connection waits for `100 Continue` and gets the refusal at once."""
    for path, code in ((f"/{bucket}/key", b"412 "), ("/no-such-bucket/key", b"404 ")):
        s3.client().put_object(Bucket=bucket, Key="key", Body=b"old")
        headers, _ = signed(s3, "PUT", path, UNSIGNED | {"If-None-Match": "*"})
        waiting = {"Content-Length": str(1 << 30), "Expect": "100-continue"}
        assert ask(s3, "PUT", path, headers | waiting).startswith(b"HTTP/1.1 " + code)
