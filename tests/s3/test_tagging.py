"""Tags of objects and buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.s3.conftest import code_of, refusal

if TYPE_CHECKING:
    from tests.s3.conftest import World

pytestmark = pytest.mark.gunicorn


def tags(**named: str) -> dict[str, Any]:
    return {"TagSet": [{"Key": key, "Value": value} for key, value in named.items()]}


def numbered(count: int) -> dict[str, Any]:
    return tags(**{f"key{number:02}": "v" for number in range(count)})


def test_tags_of_an_object(any_client: Any) -> None:
    where = {"Bucket": "tagged-objects", "Key": "some/key"}
    any_client.create_bucket(Bucket=where["Bucket"])
    etag = any_client.put_object(**where, Body=b"x", Metadata={"kept": "yes"})["ETag"]
    assert any_client.get_object_tagging(**where)["TagSet"] == []
    given = tags(a="", z="1", ü="größe +-=._:/@ 2")
    any_client.put_object_tagging(**where, Tagging=given)
    assert any_client.get_object_tagging(**where)["TagSet"] == given["TagSet"]
    head = any_client.head_object(**where)
    assert (head["ETag"], head["Metadata"]) == (etag, {"kept": "yes"})
    assert any_client.get_object(**where)["TagCount"] == 3
    any_client.put_object_tagging(**where, Tagging=tags(only="one"))
    assert any_client.get_object_tagging(**where)["TagSet"] == tags(only="one")["TagSet"]
    told = any_client.delete_object_tagging(**where)
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert any_client.get_object_tagging(**where)["TagSet"] == []


def test_tags_of_a_bucket(any_client: Any, s3: World) -> None:
    name = "tagged-bucket"
    any_client.create_bucket(Bucket=name)
    assert refusal(any_client.get_bucket_tagging, Bucket=name) == (404, "NoSuchTagSet")
    any_client.put_bucket_tagging(Bucket=name, Tagging=numbered(50))
    assert any_client.get_bucket_tagging(Bucket=name)["TagSet"] == numbered(50)["TagSet"]
    any_client.delete_bucket_tagging(Bucket=name)
    assert refusal(any_client.get_bucket_tagging, Bucket=name) == (404, "NoSuchTagSet")
    any_client.delete_bucket_tagging(Bucket=name)


@pytest.mark.parametrize("given", [
    numbered(11), tags(**{"k" * 129: "v"}), tags(k="v" * 257), tags(**{"aws:k": "v"}),
    tags(k="semi;colon"), tags(**{"new\nline": "v"}), tags(k="<v>"),
    {"TagSet": [{"Key": "twice", "Value": "1"}, {"Key": "twice", "Value": "2"}]},
])
def test_tags_that_s3_does_not_take(client: Any, bucket: str, given: dict[str, Any]) -> None:
    client.put_object(Bucket=bucket, Key="key", Body=b"x")
    assert refusal(client.put_object_tagging, Bucket=bucket, Key="key", Tagging=given) == (
        400, "InvalidTag")
    if given != numbered(11):
        assert refusal(client.put_bucket_tagging, Bucket=bucket, Tagging=given) == (
            400, "InvalidTag")
    assert client.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == []


def test_limits_are_reached(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="key", Body=b"x")
    given = tags(**{f"{number}" + "k" * 127: "v" * 256 for number in range(10)})
    client.put_object_tagging(Bucket=bucket, Key="key", Tagging=given)
    assert client.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == given["TagSet"]
    assert refusal(client.put_bucket_tagging, Bucket=bucket, Tagging=numbered(51)) == (
        400, "InvalidTag")


@pytest.mark.parametrize("body", [
    b"<Tagging/>", b"<Tagging><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>",
    b"<Tagging><TagSet><Other/></TagSet></Tagging>", b"<TagSet/>", b"tags"])
def test_a_body_that_is_no_tagging(s3: World, client: Any, bucket: str, body: bytes) -> None:
    client.put_object(Bucket=bucket, Key="key", Body=b"x")
    for path in (f"/{bucket}?tagging", f"/{bucket}/key?tagging"):
        assert code_of(s3.send("PUT", path, data=body)) == (400, "MalformedXML")
        assert code_of(s3.send("PUT", path)) == (400, "MissingRequestBodyError")


def test_of_what_is_not_there_or_not_ones_own(s3: World, client: Any, bucket: str) -> None:
    missing = {"Bucket": bucket, "Key": "missing"}
    for ask in (client.get_object_tagging, client.delete_object_tagging):
        assert refusal(ask, **missing) == (404, "NoSuchKey")
    assert refusal(client.put_object_tagging, **missing, Tagging=tags(a="b")) == (404, "NoSuchKey")
    for ask in (client.get_bucket_tagging, client.delete_bucket_tagging):
        assert refusal(ask, Bucket="no-such-bucket") == (404, "NoSuchBucket")
    client.put_object(Bucket=bucket, Key="key", Body=b"x")
    for user in ("reader", "guest"):
        other = s3.client(user)
        assert refusal(other.put_object_tagging, Bucket=bucket, Key="key", Tagging=tags(a="b")) == (
            403, "AccessDenied")
        assert refusal(other.put_bucket_tagging, Bucket=bucket, Tagging=tags(a="b")) == (
            403, "AccessDenied")
