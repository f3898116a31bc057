"""Buckets: listed, made, looked at, removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.s3.conftest import REGION, code_of, fresh_bucket, refusal

if TYPE_CHECKING:
    from tests.s3.conftest import World

pytestmark = pytest.mark.gunicorn
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def configuration(region: str) -> bytes:
    return (f'<CreateBucketConfiguration xmlns="{NAMESPACE}"><LocationConstraint>{region}'
            "</LocationConstraint></CreateBucketConfiguration>").encode()


def test_a_bucket_from_its_beginning_to_its_end(any_client: Any) -> None:
    name = fresh_bucket(any_client)
    again = any_client.create_bucket(Bucket=name)
    assert again["Location"] == f"/{name}"
    told = any_client.head_bucket(Bucket=name)
    assert told["BucketRegion"] == REGION
    assert any_client.get_bucket_location(Bucket=name)["LocationConstraint"] is None
    buckets = {found["Name"]: found for found in any_client.list_buckets()["Buckets"]}
    assert buckets[name]["CreationDate"].year > 2000
    assert list(buckets) == sorted(buckets)
    any_client.delete_bucket(Bucket=name)
    assert refusal(any_client.head_bucket, Bucket=name) == (404, "404")
    assert refusal(any_client.delete_bucket, Bucket=name) == (404, "NoSuchBucket")


def test_a_bucket_is_a_directory_below_the_bucket_root(s3: World, bucket: str) -> None:
    status = s3.gateway.request("GET", "/f/file/status", params={"path": f"s3/{bucket}"})
    assert status.json()["result"]["status"]["type"] == "DIRECTORY"


def test_a_name_with_colons_is_a_nested_directory(s3: World, client: Any, bucket: str) -> None:
    made = s3.send("PUT", f"/{bucket}:below:them")
    assert made.status_code == 200, made.text
    status = s3.gateway.request("GET", "/f/file/status", params={"path": f"s3/{bucket}/below/them"})
    assert status.status_code == 200
    s3.send("PUT", f"/{bucket}:below:them/key", data=b"nested")
    assert client.get_object(Bucket=bucket, Key="below/them/key")["Body"].read() == b"nested"


def test_a_directory_of_another_is_a_bucket_that_exists(s3: World, bucket: str) -> None:
    guest = s3.client("guest")
    assert refusal(guest.create_bucket, Bucket=bucket) == (409, "BucketAlreadyExists")


def test_a_bucket_with_objects_is_not_removed(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="deep/below/it", Body=b"")
    assert refusal(client.delete_bucket, Bucket=bucket) == (409, "BucketNotEmpty")
    client.delete_object(Bucket=bucket, Key="deep/below/it")
    client.delete_bucket(Bucket=bucket)


@pytest.mark.parametrize("name", ["ab", "Upper-Case", "under_score", "a..b", "-dash", "1.2.3.4"])
def test_new_buckets_have_names_that_s3_allows(s3: World, name: str) -> None:
    assert code_of(s3.send("PUT", f"/{name}")) == (400, "InvalidBucketName")


def test_who_may_only_read_makes_and_removes_nothing(s3: World, bucket: str) -> None:
    reader = s3.client("reader")
    assert refusal(reader.create_bucket, Bucket="not-by-a-reader") == (403, "AccessDenied")
    assert refusal(reader.delete_bucket, Bucket=bucket) == (403, "AccessDenied")
    assert bucket in [found["Name"] for found in reader.list_buckets()["Buckets"]]


def test_the_region_of_a_new_bucket_is_this_one(s3: World) -> None:
    assert s3.send("PUT", "/regional", data=configuration(REGION)).status_code == 200
    assert s3.send("PUT", "/regional", data=configuration("")).status_code == 200
    told = s3.send("PUT", "/regional", data=configuration("eu-west-1"))
    assert code_of(told) == (400, "InvalidLocationConstraint")


@pytest.mark.parametrize(("body", "code"), [
    (b"<CreateBucketConfiguration>", "MalformedXML"),
    (b"no XML at all", "MalformedXML"),
    (b"<Other/>", "MalformedXML"),
    (b'<!DOCTYPE x [<!ENTITY a "b">]><CreateBucketConfiguration/>', "MalformedXML"),
    (b"<CreateBucketConfiguration>" + b" " * 70_000 + b"</CreateBucketConfiguration>",
     "MaxMessageLengthExceeded"),
])
def test_a_body_that_is_no_configuration(s3: World, body: bytes, code: str) -> None:
    assert code_of(s3.send("PUT", "/malformed", data=body)) == (400, code)


@pytest.mark.parametrize(("header", "value", "status"), [
    ("x-amz-acl", "private", 200), ("x-amz-object-ownership", "BucketOwnerEnforced", 200),
    ("x-amz-bucket-object-lock-enabled", "false", 200),
    ("x-amz-acl", "public-read", 400), ("x-amz-acl", "unheard-of", 400),
    ("x-amz-grant-read", "id=x", 400),
    ("x-amz-object-ownership", "ObjectWriter", 501),
    ("x-amz-bucket-object-lock-enabled", "true", 501),
])
def test_what_a_new_bucket_may_be_asked_to_be(
    s3: World, header: str, value: str, status: int,
) -> None:
    told = s3.send("PUT", "/with-headers", signed={header: value})
    assert told.status_code == status, told.text
    if status != 200:
        code_of(told)


def test_buckets_are_listed_page_by_page(s3: World) -> None:
    client = s3.client("other")
    names = [f"paged-{number}" for number in range(5)]
    for name in (*names, "unlike"):
        client.create_bucket(Bucket=name)
    found, token = [], {}
    while True:
        page = client.list_buckets(MaxBuckets=2, Prefix="paged", **token)
        assert page["Prefix"] == "paged"
        assert len(page["Buckets"]) <= 2
        found += [one["Name"] for one in page["Buckets"]]
        if "ContinuationToken" not in page:
            break
        token = {"ContinuationToken": page["ContinuationToken"]}
    assert found == names
    assert code_of(s3.send("GET", "/?max-buckets=0")) == (400, "InvalidArgument")
    assert client.list_buckets()["Owner"]["ID"] == "bob"


def test_the_expected_owner_is_looked_at(s3: World, client: Any, bucket: str) -> None:
    client.head_bucket(Bucket=bucket, ExpectedBucketOwner="alice")
    told = s3.send("GET", f"/{bucket}?location", signed={"x-amz-expected-bucket-owner": "123"})
    assert code_of(told) == (403, "AccessDenied")


def test_who_may_not_remove_a_bucket_leaves_its_uploads(s3: World, client: Any) -> None:
    name = fresh_bucket(client)
    directory = f"s3/{name}"
    opened = s3.gateway.request("PUT", "/f/file/permission", params={
        "path": directory, "permission": "777"})
    assert opened.ok, opened.text
    upload = client.create_multipart_upload(Bucket=name, Key="key")["UploadId"]
    client.upload_part(Bucket=name, Key="key", UploadId=upload, PartNumber=1, Body=b"x")
    guest = s3.client("guest")
    assert refusal(guest.delete_bucket, Bucket=name) == (403, "AccessDenied")
    assert len(client.list_parts(Bucket=name, Key="key", UploadId=upload)["Parts"]) == 1
    client.delete_bucket(Bucket=name)
    assert refusal(client.head_bucket, Bucket=name) == (404, "404")


def test_a_number_of_buckets_with_more_digits_than_are_read(s3: World) -> None:
    assert code_of(s3.send("GET", f"/?max-buckets=000000001{'0' * 5000}")) == (
        400, "InvalidArgument")


def test_a_bucket_is_made_with_its_tags(client: Any) -> None:
    name, tags = "made-with-tags", [{"Key": "team", "Value": "blue"}, {"Key": "use", "Value": ""}]
    for _ in range(2):
        client.create_bucket(Bucket=name, CreateBucketConfiguration={"Tags": tags})
        assert client.get_bucket_tagging(Bucket=name)["TagSet"] == tags
    client.create_bucket(Bucket=name)
    assert client.get_bucket_tagging(Bucket=name)["TagSet"] == tags


@pytest.mark.parametrize("tags", [
    [{"Key": "aws:team", "Value": "blue"}],
    [{"Key": "twice", "Value": "1"}, {"Key": "twice", "Value": "2"}],
    [{"Key": f"tag-{i}", "Value": ""} for i in range(51)]])
def test_a_bucket_with_tags_that_are_none_is_not_made(client: Any, tags: list[Any]) -> None:
    name = "never-made-with-tags"
    assert refusal(client.create_bucket, Bucket=name, CreateBucketConfiguration={
        "Tags": tags}) == (400, "InvalidTag")
    assert refusal(client.head_bucket, Bucket=name) == (404, "404")
