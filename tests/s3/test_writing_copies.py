"""CopyObject: directives, conditions, sources however they are written, and what is refused."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.s3.conftest import code_of, fresh_bucket, refusal
from tests.s3.wire import names_in

if TYPE_CHECKING:
    from tests.s3.conftest import World

pytestmark = pytest.mark.gunicorn
CONTENT = b"the content" * 1000
ETAG = f'"{hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()}"'


@pytest.fixture
def source(client: Any, bucket: str) -> str:
    """Return `bucket/key` of an object with all that can be kept beside it."""
    client.put_object(Bucket=bucket, Key="source", Body=CONTENT, ContentType="text/plain",
                      CacheControl="no-store", Metadata={"a": "b"}, Tagging="t=1",
                      ChecksumAlgorithm="SHA256")
    return f"{bucket}/source"


def tags_of(client: Any, bucket: str, key: str) -> dict[str, str]:
    tags = client.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
    return {tag["Key"]: tag["Value"] for tag in tags}


def test_a_copy_has_everything(any_client: Any) -> None:
    bucket = fresh_bucket(any_client)
    any_client.put_object(Bucket=bucket, Key="a b/ü+%.txt", Body=CONTENT, Metadata={"a": "b"},
                          ContentType="text/plain", Tagging="t=1", ChecksumAlgorithm="SHA256")
    copied = any_client.copy_object(
        Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "a b/ü+%.txt"})
    assert copied["CopyObjectResult"]["ETag"] == ETAG
    got = any_client.get_object(Bucket=bucket, Key="copy", ChecksumMode="ENABLED")
    assert got["Body"].read() == CONTENT
    assert (got["ETag"], got["ContentType"], got["Metadata"]) == (ETAG, "text/plain", {"a": "b"})
    assert got["ChecksumSHA256"] == copied["CopyObjectResult"]["ChecksumSHA256"]
    assert tags_of(any_client, bucket, "copy") == {"t": "1"}
    head = any_client.head_object(Bucket=bucket, Key="copy")
    assert head["LastModified"] == copied["CopyObjectResult"]["LastModified"]


def test_replaced_metadata_and_tags(client: Any, bucket: str, source: str) -> None:
    client.copy_object(Bucket=bucket, Key="copy", CopySource=source, MetadataDirective="REPLACE",
                       TaggingDirective="REPLACE", Metadata={"c": "d"}, Tagging="u=2")
    got = client.head_object(Bucket=bucket, Key="copy")
    assert (got["Metadata"], got["ContentType"]) == ({"c": "d"}, "binary/octet-stream")
    assert "CacheControl" not in got
    assert tags_of(client, bucket, "copy") == {"u": "2"}
    assert tags_of(client, bucket, "source") == {"t": "1"}


def test_without_the_directive_nothing_is_replaced(
    client: Any, bucket: str, source: str,
) -> None:
    client.copy_object(Bucket=bucket, Key="copy", CopySource=source, Metadata={"c": "d"},
                       ContentType="text/html", Tagging="u=2")
    got = client.head_object(Bucket=bucket, Key="copy")
    assert (got["Metadata"], got["ContentType"]) == ({"a": "b"}, "text/plain")
    assert tags_of(client, bucket, "copy") == {"t": "1"}


def test_onto_itself(client: Any, bucket: str, source: str) -> None:
    assert refusal(client.copy_object, Bucket=bucket, Key="source", CopySource=source) == (
        400, "InvalidRequest")
    before = client.head_object(Bucket=bucket, Key="source", ChecksumMode="ENABLED")
    client.copy_object(Bucket=bucket, Key="source", CopySource=source, Metadata={"c": "d"},
                       MetadataDirective="REPLACE", ContentType="text/html")
    after = client.head_object(Bucket=bucket, Key="source", ChecksumMode="ENABLED")
    assert (after["Metadata"], after["ContentType"]) == ({"c": "d"}, "text/html")
    assert (after["ETag"], after["ChecksumSHA256"]) == (before["ETag"], before["ChecksumSHA256"])
    assert tags_of(client, bucket, "source") == {"t": "1"}
    client.copy_object(Bucket=bucket, Key="source", CopySource=source, ChecksumAlgorithm="SHA1")
    again = client.get_object(Bucket=bucket, Key="source", ChecksumMode="ENABLED")
    assert again["Body"].read() == CONTENT
    assert again["ChecksumSHA1"]
    assert "ChecksumSHA256" not in again


def test_another_kind_of_checksum(client: Any, bucket: str, source: str) -> None:
    copied = client.copy_object(Bucket=bucket, Key="copy", CopySource=source,
                                ChecksumAlgorithm="CRC32C")["CopyObjectResult"]
    assert copied["ChecksumCRC32C"]
    assert "ChecksumSHA256" not in copied
    got = client.head_object(Bucket=bucket, Key="copy", ChecksumMode="ENABLED")
    assert got["ChecksumCRC32C"] == copied["ChecksumCRC32C"]


def test_empty_objects(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="empty")
    client.put_object(Bucket=bucket, Key="dir/")
    for key in ("empty", "dir/"):
        client.copy_object(Bucket=bucket, Key=f"copy-{key}", CopySource=f"{bucket}/{key}")
        assert client.head_object(Bucket=bucket, Key=f"copy-{key}")["ContentLength"] == 0


@pytest.mark.parametrize(("form", "status"), [
    ("{}/source", 200), ("/{}/source", 200), ("{}%2Fsource", 200), ("/{}/%73ource", 200),
    ("{}/source?versionId=null", 200),
])
def test_ways_to_write_a_source(
    s3: World, bucket: str, source: str, form: str, status: int,
) -> None:
    answer = s3.send("PUT", f"/{bucket}/copy",
                     signed={"x-amz-copy-source": form.format(bucket)})
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(("form", "status", "code"), [
    ("{}/source?versionId=abc", 400, "InvalidArgument"), ("{}/%ZZ", 400, "InvalidArgument"),
    ("100%/a/b", 400, "InvalidArgument"), ("{}/%ff", 400, "InvalidArgument"),
    ("{}", 400, "InvalidArgument"), ("{}/", 400, "InvalidArgument"),
    ("bu@cket/key", 400, "InvalidArgument"), ("/", 400, "InvalidArgument"),
    ("{}/nothing", 404, "NoSuchKey"), ("no-such-bucket/key", 404, "NoSuchBucket"),
])
def test_sources_that_are_none(
    s3: World, bucket: str, form: str, status: int, code: str,
) -> None:
    answer = s3.send("PUT", f"/{bucket}/copy",
                     signed={"x-amz-copy-source": form.format(bucket)})
    assert code_of(answer) == (status, code)
    assert names_in(s3, bucket) == 0


@pytest.mark.parametrize(("params", "expected"), [
    ({"MetadataDirective": "UPDATE"}, (400, "InvalidArgument")),
    ({"TaggingDirective": "UPDATE"}, (400, "InvalidArgument")),
    ({"ChecksumAlgorithm": "ADLER32"}, (400, "InvalidRequest")),
    ({"ACL": "public-read"}, (400, "AccessControlListNotSupported")),
    ({"StorageClass": "GLACIER"}, (400, "InvalidStorageClass")),
    ({"ServerSideEncryption": "AES256"}, (501, "NotImplemented")),
    ({"MetadataDirective": "REPLACE", "Metadata": {"a": "a" * 2048}}, (400, "MetadataTooLarge")),
    ({"TaggingDirective": "REPLACE", "Tagging": "a!=b"}, (400, "InvalidTag")),
    ({"ExpectedSourceBucketOwner": "nobody"}, (403, "AccessDenied")),
    ({"Bucket": "no-such-bucket"}, (404, "NoSuchBucket")),
    ({"IfMatch": '"abc"'}, (404, "NoSuchKey")),
])
def test_what_is_refused(
    client: Any, bucket: str, source: str, params: dict[str, Any], expected: tuple[int, str],
) -> None:
    asked = {"Bucket": bucket, "Key": "copy", "CopySource": source} | params
    assert refusal(client.copy_object, **asked) == expected
    assert [one["Key"] for one in client.list_objects_v2(Bucket=bucket)["Contents"]] == ["source"]


PAST = datetime.now(UTC) - timedelta(days=1)
FUTURE = datetime.now(UTC) + timedelta(days=1)


@pytest.mark.parametrize(("params", "copied"), [
    ({"IfMatch": ETAG}, True), ({"IfMatch": '"abc"'}, False),
    ({"IfNoneMatch": '"abc"'}, True), ({"IfNoneMatch": ETAG}, False),
    ({"IfModifiedSince": PAST}, True), ({"IfModifiedSince": FUTURE}, False),
    ({"IfUnmodifiedSince": FUTURE}, True), ({"IfUnmodifiedSince": PAST}, False),
    ({"IfMatch": ETAG, "IfUnmodifiedSince": PAST}, True),
    ({"IfNoneMatch": ETAG, "IfModifiedSince": PAST}, False),
    ({"IfNoneMatch": '"abc"', "IfModifiedSince": FUTURE}, True),
])
def test_conditions_on_the_source(
    client: Any, bucket: str, source: str, params: dict[str, Any], copied: bool,
) -> None:
    asked = {"Bucket": bucket, "Key": "copy", "CopySource": source}
    asked |= {f"CopySource{name}": value for name, value in params.items()}
    if copied:
        client.copy_object(**asked)
    else:
        assert refusal(client.copy_object, **asked) == (412, "PreconditionFailed")


def test_hdfs_says_whose_objects_may_be_copied(s3: World, bucket: str, source: str) -> None:
    other = s3.client("other")
    own = fresh_bucket(other)
    foreign = s3.gateway.request("PUT", "/f/file/permission", params={
        "path": f"/user/alice/s3/{source}", "permission": "600"})
    assert foreign.ok, foreign.text
    guest = s3.client("guest")
    assert refusal(guest.copy_object, Bucket=bucket, Key="copy", CopySource=source) == (
        403, "AccessDenied")
    assert refusal(other.copy_object, Bucket=own, Key="copy", CopySource=source) == (
        404, "NoSuchBucket")
