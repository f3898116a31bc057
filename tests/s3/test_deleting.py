"""DeleteObject and DeleteObjects."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import pytest

from tests.s3.conftest import code_of, refusal

if TYPE_CHECKING:
    from tests.s3.conftest import World

pytestmark = pytest.mark.gunicorn


def keys_of(client: Any, bucket: str) -> list[str]:
    return [one["Key"] for one in client.list_objects_v2(Bucket=bucket).get("Contents", [])]


def md5(body: bytes) -> dict[str, str]:
    return {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}


@pytest.mark.parametrize("condition", [
    {"Size": 5}, {"LastModifiedTime": "Wed, 21 Oct 2015 07:28:00 GMT"}])
def test_an_object_of_another_size_or_time_stays(
    client: Any, bucket: str, condition: dict[str, Any],
) -> None:
    client.put_object(Bucket=bucket, Key="key", Body=b"four")
    single = {f"IfMatch{name}": value for name, value in condition.items()}
    assert refusal(client.delete_object, Bucket=bucket, Key="key", **single) == (
        412, "PreconditionFailed")
    told = client.delete_objects(
        Bucket=bucket, Delete={"Objects": [{"Key": "key", **condition}]})
    assert [one["Code"] for one in told["Errors"]] == ["PreconditionFailed"]
    assert keys_of(client, bucket) == ["key"]


def test_an_object_of_the_size_and_time_named_goes(client: Any, bucket: str) -> None:
    for size in (4, 0):
        client.put_object(Bucket=bucket, Key="key", Body=b"1" * size)
        modified = client.head_object(Bucket=bucket, Key="key")["LastModified"]
        where = {"Bucket": bucket, "Key": "key", "IfMatchLastModifiedTime": modified}
        client.delete_object(**where, IfMatchSize=size)
        assert keys_of(client, bucket) == []
        client.put_object(Bucket=bucket, Key="key", Body=b"1" * size)
        modified = client.head_object(Bucket=bucket, Key="key")["LastModified"]
        told = client.delete_objects(Bucket=bucket, Delete={"Objects": [
            {"Key": "key", "LastModifiedTime": modified, "Size": size}]})
        assert [one["Key"] for one in told["Deleted"]] == ["key"]


def test_an_object_that_is_not_there_has_no_other_size_or_time(client: Any, bucket: str) -> None:
    """As good as removed, as AWS has it; only If-Match asks for one that is there."""
    modified = "Wed, 21 Oct 2015 07:28:00 GMT"
    client.delete_object(
        Bucket=bucket, Key="none", IfMatchSize=1, IfMatchLastModifiedTime=modified)
    assert refusal(client.delete_object, Bucket=bucket, Key="none", IfMatchSize=1,
                   IfMatch="*") == (404, "NoSuchKey")
    told = client.delete_objects(Bucket=bucket, Delete={"Objects": [
        {"Key": "none", "Size": 1, "LastModifiedTime": modified}]})
    assert ([one["Key"] for one in told["Deleted"]], "Errors" in told) == (["none"], False)


@pytest.mark.parametrize(("headers", "refused"), [
    ({"x-amz-if-match-size": "many"}, (400, "InvalidArgument")),
    ({"x-amz-if-match-last-modified-time": "yesterday"}, (400, "InvalidArgument")),
    ({"If-Unmodified-Since": "Wed, 21 Oct 2015 07:28:00 GMT"}, (501, "NotImplemented")),
    ({"If-Modified-Since": "Wed, 21 Oct 2015 07:28:00 GMT"}, (501, "NotImplemented")),
    ({"If-None-Match": "*"}, (501, "NotImplemented"))])
def test_a_condition_that_is_none_or_not_known_removes_nothing(
    s3: World, client: Any, bucket: str, headers: dict[str, str], refused: tuple[int, str],
) -> None:
    client.put_object(Bucket=bucket, Key="key", Body=b"x")
    assert code_of(s3.send("DELETE", f"/{bucket}/key", signed=headers)) == refused
    assert keys_of(client, bucket) == ["key"]


def document(*keys: str, quiet: str = "") -> bytes:
    inside = "".join(f"<Object><Key>{escape(key)}</Key></Object>" for key in keys)
    return f"<Delete>{quiet}{inside}</Delete>".encode()


def test_an_object_goes_and_its_implied_directories_with_it(any_client: Any) -> None:
    any_client.create_bucket(Bucket="emptied")
    any_client.put_object(Bucket="emptied", Key="a/b/c", Body=b"x")
    told = any_client.delete_object(Bucket="emptied", Key="a/b/c")
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 204
    again = any_client.delete_object(Bucket="emptied", Key="a/b/c")
    assert again["ResponseMetadata"]["HTTPStatusCode"] == 204
    any_client.delete_bucket(Bucket="emptied")


def test_what_is_not_removed(s3: World, client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="key", Body=b"x")
    assert refusal(client.delete_object, Bucket="no-such-bucket", Key="key") == (
        404, "NoSuchBucket")
    assert refusal(s3.client("reader").delete_object, Bucket=bucket, Key="key") == (
        403, "AccessDenied")
    assert refusal(s3.client("guest").delete_object, Bucket=bucket, Key="key") == (
        403, "AccessDenied")
    assert refusal(client.delete_object, Bucket=bucket, Key="key", VersionId="other") == (
        400, "InvalidArgument")
    client.delete_object(Bucket=bucket, Key="key", VersionId="null")
    assert keys_of(client, bucket) == []


def test_only_if_it_is_still_the_same(client: Any, bucket: str) -> None:
    etag = client.put_object(Bucket=bucket, Key="key", Body=b"x")["ETag"]
    assert refusal(client.delete_object, Bucket=bucket, Key="key", IfMatch='"other"') == (
        412, "PreconditionFailed")
    client.delete_object(Bucket=bucket, Key="key", IfMatch=etag)
    assert refusal(client.delete_object, Bucket=bucket, Key="key", IfMatch=etag) == (
        404, "NoSuchKey")


def test_many_at_once(any_client: Any) -> None:
    any_client.create_bucket(Bucket="swept")
    keys = ["a", "b/c", "d e", "f&g", "h\ti", "k//l", "ü"]
    for key in keys:
        any_client.put_object(Bucket="swept", Key=key, Body=b"")
    wanted = [{"Key": key} for key in (*keys[:-1], "not there")]
    told = any_client.delete_objects(Bucket="swept", Delete={"Objects": wanted})
    assert [one["Key"] for one in told["Deleted"]] == [one["Key"] for one in wanted]
    assert "Errors" not in told
    assert keys_of(any_client, "swept") == ["ü"]
    quiet = any_client.delete_objects(
        Bucket="swept", Delete={"Objects": [{"Key": "ü"}], "Quiet": True})
    assert "Deleted" not in quiet
    assert keys_of(any_client, "swept") == []


def test_each_object_has_its_own_outcome(s3: World, client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="open/key", Body=b"x")
    etag = client.put_object(Bucket=bucket, Key="closed/key", Body=b"x")["ETag"]
    shut = {"path": f"s3/{bucket}/closed", "permission": "555"}
    assert s3.gateway.request("PUT", "/f/file/permission", params=shut).ok
    told = client.delete_objects(Bucket=bucket, Delete={"Objects": [
        {"Key": "closed/key"}, {"Key": "open/key", "ETag": '"other"'},
        {"Key": "open/key", "VersionId": "1"}, {"Key": "n" * 1025}, {"Key": "none"},
        {"Key": "open/key", "VersionId": "null"}]})
    assert [(one["Key"], one["Code"]) for one in told["Errors"]] == [
        ("closed/key", "AccessDenied"), ("open/key", "PreconditionFailed"),
        ("open/key", "InvalidArgument"), ("n" * 1025, "KeyTooLongError")]
    assert [one["Key"] for one in told["Deleted"]] == ["none", "open/key"]
    assert "/user/alice" not in str(told["Errors"]).replace("/user/alice/s3", "")
    assert client.head_object(Bucket=bucket, Key="closed/key")["ETag"] == etag


def test_many_in_the_same_directories(client: Any, bucket: str) -> None:
    keys = [f"d{number % 3}/e{number % 5}/{number}" for number in range(60)]
    for key in keys:
        client.put_object(Bucket=bucket, Key=key, Body=b"")
    # Each is named twice: whichever comes second finds nothing, and that is no error.
    told = client.delete_objects(Bucket=bucket, Delete={"Objects": [
        {"Key": key} for key in keys * 2]})
    assert [one["Key"] for one in told["Deleted"]] == keys * 2
    client.delete_bucket(Bucket=bucket)


def test_a_thousand_and_no_more(s3: World, bucket: str) -> None:
    path = f"/{bucket}?delete"
    body = document(*map(str, range(1000)), quiet="<Quiet>true</Quiet>")
    assert s3.send("POST", path, data=body, signed=md5(body)).status_code == 200
    body = document(*map(str, range(1001)))
    assert code_of(s3.send("POST", path, data=body, signed=md5(body))) == (400, "MalformedXML")


@pytest.mark.parametrize("body", [
    b"<Delete></Delete>", b"<Delete><Object/></Delete>", b"<Other/>", b"<Delete>", b"{}",
    b"<Delete><Object><Key>&entity;</Key></Object></Delete>"])
def test_a_body_that_names_nothing(s3: World, bucket: str, body: bytes) -> None:
    told = s3.send("POST", f"/{bucket}?delete", data=body, signed=md5(body))
    assert code_of(told) == (400, "MalformedXML")


def test_the_body_has_a_digest_and_is_what_it_says(s3: World, client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="key", Body=b"x")
    path, body = f"/{bucket}?delete", document("key")
    assert code_of(s3.send("POST", path, data=body)) == (400, "InvalidRequest")
    other = {"Content-MD5": md5(b"another")["Content-MD5"]}
    assert code_of(s3.send("POST", path, data=body, signed=other)) == (400, "BadDigest")
    broken = {"Content-MD5": "not base64"}
    assert code_of(s3.send("POST", path, data=body, signed=broken)) == (400, "InvalidDigest")
    wrong = {"x-amz-checksum-crc32": "AAAAAA=="}
    assert code_of(s3.send("POST", path, data=body, signed=wrong)) == (400, "BadDigest")
    assert keys_of(client, bucket) == ["key"]
    none = s3.send("POST", path, data=b"", signed=md5(b""))
    assert code_of(none) == (400, "MissingRequestBodyError")


def test_of_a_bucket_that_is_not_there(client: Any) -> None:
    assert refusal(client.delete_objects, Bucket="no-such-bucket",
                   Delete={"Objects": [{"Key": "x"}]}) == (404, "NoSuchBucket")
