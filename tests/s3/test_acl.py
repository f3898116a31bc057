"""Access control lists, and what is never configured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from defusedxml.ElementTree import fromstring

from app.s3.table import OPERATIONS, Level
from tests.s3.conftest import PUBLIC, code_of, refusal

if TYPE_CHECKING:
    from app.s3.table import Operation
    from tests.s3.conftest import World

pytestmark = pytest.mark.gunicorn
OWNER = {"ID": "alice", "DisplayName": "alice"}
GRANT = {"Grantee": {**OWNER, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}


@pytest.fixture
def key(client: Any, bucket: str) -> str:
    client.put_object(Bucket=bucket, Key="key", Body=b"x")
    return "key"


def test_the_owner_has_full_control(client: Any, bucket: str, key: str) -> None:
    for told in (client.get_bucket_acl(Bucket=bucket),
                 client.get_object_acl(Bucket=bucket, Key=key)):
        assert told["Owner"] == OWNER
        assert told["Grants"] == [GRANT]
    assert refusal(client.get_object_acl, Bucket=bucket, Key="missing") == (404, "NoSuchKey")
    assert refusal(client.get_bucket_acl, Bucket="no-such-bucket") == (404, "NoSuchBucket")


def test_a_bucket_that_is_open_says_so(client: Any) -> None:
    client.create_bucket(Bucket=PUBLIC)
    grants = client.get_bucket_acl(Bucket=PUBLIC)["Grants"]
    assert grants[1]["Permission"] == "READ"
    assert grants[1]["Grantee"]["URI"].endswith("/AllUsers")


def test_what_is_so_anyway_is_accepted(client: Any, bucket: str, key: str) -> None:
    policy = {"Owner": OWNER, "Grants": [GRANT]}
    for acl in ({"ACL": "private"}, {"AccessControlPolicy": policy}):
        client.put_bucket_acl(Bucket=bucket, **acl)
        client.put_object_acl(Bucket=bucket, Key=key, **acl)


@pytest.mark.parametrize(("acl", "code"), [
    ({"ACL": "public-read"}, "AccessControlListNotSupported"),
    ({"ACL": "unheard-of"}, "InvalidArgument"),
    ({"GrantRead": "id=x"}, "AccessControlListNotSupported"),
    ({"AccessControlPolicy": {"Owner": OWNER, "Grants": []}}, "AccessControlListNotSupported"),
    ({"AccessControlPolicy": {"Owner": OWNER, "Grants": [{**GRANT, "Permission": "READ"}]}},
     "AccessControlListNotSupported"),
    ({"AccessControlPolicy": {"Owner": {"ID": "bob"}, "Grants": [GRANT]}},
     "AccessControlListNotSupported"),
])
def test_anything_else_is_refused(
    client: Any, bucket: str, key: str, acl: dict[str, Any], code: str,
) -> None:
    assert refusal(client.put_bucket_acl, Bucket=bucket, **acl) == (400, code)
    assert refusal(client.put_object_acl, Bucket=bucket, Key=key, **acl) == (400, code)


def test_a_list_without_words(s3: World, bucket: str, key: str) -> None:
    assert code_of(s3.send("PUT", f"/{bucket}?acl")) == (400, "MissingRequestBodyError")
    assert code_of(s3.send("PUT", f"/{bucket}/{key}?acl", data=b"<x")) == (400, "MalformedXML")


ABSENT = {
    "policy": "NoSuchBucketPolicy", "policyStatus": "NoSuchBucketPolicy",
    "lifecycle": "NoSuchLifecycleConfiguration", "website": "NoSuchWebsiteConfiguration",
    "encryption": "ServerSideEncryptionConfigurationNotFoundError",
    "publicAccessBlock": "NoSuchPublicAccessBlockConfiguration",
    "ownershipControls": "OwnershipControlsNotFoundError",
    "object-lock": "ObjectLockConfigurationNotFoundError",
    "replication": "ReplicationConfigurationNotFoundError",
}
UNSET = {"versioning": "VersioningConfiguration", "logging": "BucketLoggingStatus",
         "notification": "NotificationConfiguration", "accelerate": "AccelerateConfiguration"}


@pytest.mark.parametrize("name", [*ABSENT, *UNSET, "requestPayment"])
def test_what_is_never_configured(s3: World, bucket: str, key: str, name: str) -> None:
    told = s3.send("GET", f"/{bucket}?{name}")
    if name in ABSENT:
        assert code_of(told) == (404, ABSENT[name])
    elif name in UNSET:
        assert told.status_code == 200
        tree = fromstring(told.content)
        assert tree.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}" + UNSET[name]
        assert len(tree) == 0
    else:
        assert "<Payer>BucketOwner</Payer>" in told.text
    assert code_of(s3.send("GET", f"/no-such-bucket?{name}")) == (404, "NoSuchBucket")


@pytest.mark.parametrize("name", ["legal-hold", "retention"])
def test_what_no_object_has(s3: World, bucket: str, key: str, name: str) -> None:
    told = s3.send("GET", f"/{bucket}/{key}?{name}")
    assert code_of(told) == (404, "NoSuchObjectLockConfiguration")
    assert code_of(s3.send("GET", f"/{bucket}/missing?{name}")) == (404, "NoSuchKey")


UNSERVED = [row for row in OPERATIONS if row.view is None]
REMOVED = [row for row in OPERATIONS if row.view and row.view.__name__ == "removed"]


def target(row: Operation, bucket: str) -> str:
    path = {Level.SERVICE: "/", Level.BUCKET: f"/{bucket}", Level.OBJECT: f"/{bucket}/key"}
    return path[row.level] + ("?" + "&".join(row.keys) if row.keys else "")


@pytest.mark.parametrize("row", UNSERVED, ids=lambda row: row.name)
def test_what_is_not_implemented_says_so(s3: World, bucket: str, key: str, row: Operation) -> None:
    signed = {row.header: "x"} if row.header else {}
    told = s3.send(row.method, target(row, bucket), signed=signed, data=b"<Some/>")
    assert code_of(told) == (501, "NotImplemented")
    assert s3.send("GET", f"/{bucket}/{key}").content == b"x"
    # Who asks comes first.
    told = s3.send(row.method, target(row, bucket), user=None, headers=signed)
    assert code_of(told) == (403, "AccessDenied")


@pytest.mark.parametrize("row", REMOVED, ids=lambda row: row.name)
def test_removing_what_is_not_configured_is_done(s3: World, bucket: str, row: Operation) -> None:
    assert s3.send("DELETE", target(row, bucket)).status_code == 204
    assert code_of(s3.send("DELETE", target(row, "no-such-bucket"))) == (404, "NoSuchBucket")


def test_attributes_of_an_object(client: Any, bucket: str) -> None:
    names = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    client.put_object(Bucket=bucket, Key="key", Body=b"hello", ChecksumAlgorithm="SHA256")
    where = {"Bucket": bucket, "Key": "key"}
    told = client.get_object_attributes(**where, ObjectAttributes=names)
    assert told["ETag"] == "5d41402abc4b2a76b9719d911017c592"
    assert told["Checksum"] == {
        "ChecksumSHA256": "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
        "ChecksumType": "FULL_OBJECT"}
    assert (told["StorageClass"], told["ObjectSize"]) == ("STANDARD", 5)
    assert "ObjectParts" not in told
    assert told["LastModified"] == client.head_object(**where)["LastModified"]
    only = client.get_object_attributes(**where, ObjectAttributes=["ObjectSize"])
    assert "ETag" not in only
    assert refusal(client.get_object_attributes, Bucket=bucket, Key="missing",
                   ObjectAttributes=names) == (404, "NoSuchKey")


def test_attributes_of_the_parts(client: Any, bucket: str) -> None:
    where = {"Bucket": bucket, "Key": "parts"}
    upload = client.create_multipart_upload(**where)["UploadId"]
    sizes = [5 << 20, 5 << 20, 7]
    parts = [{"PartNumber": number, "ETag": client.upload_part(
        **where, UploadId=upload, PartNumber=number, Body=bytes(size))["ETag"]}
        for number, size in enumerate(sizes, 1)]
    client.complete_multipart_upload(
        **where, UploadId=upload, MultipartUpload={"Parts": parts})
    told = client.get_object_attributes(**where, ObjectAttributes=["ObjectParts"])["ObjectParts"]
    assert told["TotalPartsCount"] == 3
    assert [one["Size"] for one in told["Parts"]] == sizes
    assert told["IsTruncated"] is False
    page = client.get_object_attributes(
        **where, ObjectAttributes=["ObjectParts"], MaxParts=1, PartNumberMarker=1)["ObjectParts"]
    assert [one["PartNumber"] for one in page["Parts"]] == [2]
    assert (page["IsTruncated"], page["NextPartNumberMarker"]) == (True, 2)


def test_attributes_that_are_none(s3: World, bucket: str, key: str) -> None:
    path = f"/{bucket}/{key}?attributes"
    assert code_of(s3.send("GET", path)) == (400, "InvalidRequest")
    told = s3.send("GET", path, signed={"x-amz-object-attributes": "ETag,Colour"})
    assert code_of(told) == (400, "InvalidArgument")
    told = s3.send("GET", path, signed={"x-amz-object-attributes": "ObjectParts",
                                        "x-amz-max-parts": "x"})
    assert code_of(told) == (400, "InvalidArgument")
