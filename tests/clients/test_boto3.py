"""boto3, in the version and with the settings that `pip install boto3` gives."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.clients.endpoint import MIB, REGION, content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.clients.endpoint import Endpoint

TEXT = b"Hello Hadoop!\n"


def session(s3: Endpoint) -> Any:
    return boto3.session.Session(
        aws_access_key_id=s3.key_id, aws_secret_access_key=s3.secret, region_name=REGION)


def options(s3: Endpoint, **changed: Any) -> dict[str, Any]:
    trusted = {"verify": str(s3.certificate)} if s3.certificate else {}
    return {"endpoint_url": s3.url, **trusted, **changed}


@pytest.fixture
def client(s3: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Yield a client that no setting of the machine reaches."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(s3.home / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(s3.home / "credentials"))
    made = session(s3).client("s3", **options(s3))
    yield made
    made.close()


def code(refused: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    answer = refused.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_buckets(s3: Endpoint, client: Any) -> None:
    client.create_bucket(Bucket="fresh-one")
    client.create_bucket(Bucket="fresh-one")
    assert "fresh-one" in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]
    assert "fresh-one" in s3.names("")
    assert client.head_bucket(Bucket="fresh-one")["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert client.get_bucket_location(Bucket="fresh-one")["LocationConstraint"] is None
    assert "Status" not in client.get_bucket_versioning(Bucket="fresh-one")
    assert client.get_bucket_acl(Bucket="fresh-one")["Grants"][0]["Permission"] == "FULL_CONTROL"
    client.put_object(Bucket="fresh-one", Key="a/b", Body=TEXT)
    with pytest.raises(ClientError) as refused:
        client.delete_bucket(Bucket="fresh-one")
    assert code(refused) == ("BucketNotEmpty", 409)
    client.delete_object(Bucket="fresh-one", Key="a/b")
    client.delete_bucket(Bucket="fresh-one")
    with pytest.raises(ClientError) as gone:
        client.head_bucket(Bucket="fresh-one")
    assert code(gone) == ("404", 404)


def test_an_object_and_all_that_is_kept_beside_it(
    s3: Endpoint, client: Any, bucket: str,
) -> None:
    key = "dir with space/ünï+code=&;.txt"
    put = client.put_object(
        Bucket=bucket, Key=key, Body=TEXT, ContentType="text/plain; charset=utf-8",
        CacheControl="max-age=60", ContentDisposition='attachment; filename="x"',
        ContentLanguage="de", Metadata={"Colour": "blue", "n": "1"}, Tagging="a=1&b=2")
    assert put["ETag"] == f'"{hashlib.md5(TEXT).hexdigest()}"'
    assert put["ChecksumCRC32"]
    assert s3.stored(f"/{bucket}/{key}") == TEXT
    head = client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    assert head["ContentLength"] == len(TEXT)
    assert head["ContentType"] == "text/plain; charset=utf-8"
    assert head["CacheControl"] == "max-age=60"
    assert head["ContentDisposition"] == 'attachment; filename="x"'
    assert head["ContentLanguage"] == "de"
    assert head["Metadata"] == {"colour": "blue", "n": "1"}
    assert head["ChecksumCRC32"] == put["ChecksumCRC32"]
    assert "ContentEncoding" not in head
    got = client.get_object(Bucket=bucket, Key=key)
    assert got["Body"].read() == TEXT
    assert got["TagCount"] == 2
    assert client.get_object(Bucket=bucket, Key=key, Range="bytes=6-11")["Body"].read() == b"Hadoop"
    tags = client.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
    assert tags == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    client.put_object_tagging(
        Bucket=bucket, Key=key, Tagging={"TagSet": [{"Key": "c", "Value": "ü"}]})
    assert client.get_object_tagging(Bucket=bucket, Key=key)["TagSet"] == [
        {"Key": "c", "Value": "ü"}]
    client.delete_object_tagging(Bucket=bucket, Key=key)
    assert client.get_object_tagging(Bucket=bucket, Key=key)["TagSet"] == []
    attributes = client.get_object_attributes(
        Bucket=bucket, Key=key, ObjectAttributes=["ETag", "Checksum", "ObjectSize"])
    assert attributes["ObjectSize"] == len(TEXT)
    assert attributes["Checksum"]["ChecksumCRC32"] == put["ChecksumCRC32"]
    assert client.get_object_acl(Bucket=bucket, Key=key)["Grants"][0]["Permission"]
    client.delete_object(Bucket=bucket, Key=key)
    assert s3.names(f"/{bucket}") == []
    with pytest.raises(ClientError) as gone:
        client.get_object(Bucket=bucket, Key=key)
    assert code(gone) == ("NoSuchKey", 404)


@pytest.mark.parametrize("algorithm", [
    "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512", "XXHASH64", "XXHASH3", "XXHASH128"])
def test_checksums_of_each_kind(client: Any, bucket: str, algorithm: str) -> None:
    put = client.put_object(Bucket=bucket, Key="sum", Body=TEXT, ChecksumAlgorithm=algorithm)
    field = f"Checksum{algorithm}"
    assert put[field]
    head = client.head_object(Bucket=bucket, Key="sum", ChecksumMode="ENABLED")
    assert (head[field], head["ChecksumType"]) == (put[field], "FULL_OBJECT")
    assert client.get_object(Bucket=bucket, Key="sum")["Body"].read() == TEXT
    wrong = base64.b64encode(bytes(len(base64.b64decode(put[field])))).decode()
    with pytest.raises(ClientError) as refused:
        client.put_object(Bucket=bucket, Key="sum", Body=b"other", **{field: wrong})
    assert code(refused)[1] == 400
    assert client.get_object(Bucket=bucket, Key="sum")["Body"].read() == TEXT


def test_a_body_of_unknown_length_and_an_empty_one(client: Any, bucket: str) -> None:
    data = content("piped", 9 * MIB)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as cat:
        assert cat.stdin
        feeder = threading.Thread(target=lambda: (cat.stdin.write(data), cat.stdin.close()))
        feeder.start()
        client.upload_fileobj(cat.stdout, bucket, "stream")
        feeder.join()
    assert client.get_object(Bucket=bucket, Key="stream")["Body"].read() == data
    client.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert client.head_object(Bucket=bucket, Key="empty")["ContentLength"] == 0
    assert client.get_object(Bucket=bucket, Key="empty")["Body"].read() == b""


def test_managed_transfers_in_parts(
    s3: Endpoint, client: Any, bucket: str, tmp_path: Path,
) -> None:
    data = content("managed", 20 * MIB + 7)
    (tmp_path / "up").write_bytes(data)
    client.upload_file(str(tmp_path / "up"), bucket, "big", ExtraArgs={"Metadata": {"a": "b"}})
    parts = [data[start:start + 8 * MIB] for start in range(0, len(data), 8 * MIB)]
    joined = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest()
    head = client.head_object(Bucket=bucket, Key="big")
    assert (head["ETag"], head["Metadata"]) == (f'"{joined}-3"', {"a": "b"})
    assert client.head_object(Bucket=bucket, Key="big", PartNumber=3)["ContentLength"] == (
        4 * MIB + 7)
    second = client.get_object(Bucket=bucket, Key="big", PartNumber=2)
    assert (second["PartsCount"], second["Body"].read()) == (3, parts[1])
    client.download_file(bucket, "big", str(tmp_path / "down"))
    assert (tmp_path / "down").read_bytes() == data
    client.copy({"Bucket": bucket, "Key": "big"}, bucket, "copies/big")
    assert s3.stored(f"/{bucket}/copies/big") == data
    assert client.head_object(Bucket=bucket, Key="copies/big")["Metadata"] == {"a": "b"}
    assert s3.names(f"/{bucket}") == ["big", "copies"]


def test_uploads_by_hand(s3: Endpoint, client: Any, bucket: str) -> None:
    upload = client.create_multipart_upload(
        Bucket=bucket, Key="parts", ContentType="text/x", ChecksumAlgorithm="SHA256")["UploadId"]
    place = {"Bucket": bucket, "Key": "parts", "UploadId": upload}
    first, last = content("first", 5 * MIB), b"the last one is short"
    told = [client.upload_part(
        **place, PartNumber=number, Body=body, ChecksumAlgorithm="SHA256")
        for number, body in ((1, first), (2, b"replaced"), (2, last))]
    listed = client.list_parts(**place)
    assert [part["Size"] for part in listed["Parts"]] == [len(first), len(last)]
    assert upload in [each["UploadId"]
                      for each in client.list_multipart_uploads(Bucket=bucket)["Uploads"]]
    with pytest.raises(ClientError) as refused:
        client.complete_multipart_upload(**place, MultipartUpload={"Parts": [
            {"PartNumber": 1, "ETag": told[1]["ETag"],
             "ChecksumSHA256": told[1]["ChecksumSHA256"]}]})
    assert code(refused) == ("InvalidPart", 400)
    done = client.complete_multipart_upload(**place, MultipartUpload={"Parts": [
        {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": answer["ChecksumSHA256"]}
        for number, answer in ((1, told[0]), (2, told[2]))]})
    assert done["ETag"].endswith('-2"')
    assert done["ChecksumSHA256"].endswith("-2")
    assert s3.stored(f"/{bucket}/parts") == first + last
    aborted = client.create_multipart_upload(Bucket=bucket, Key="never")["UploadId"]
    client.upload_part(Bucket=bucket, Key="never", UploadId=aborted, PartNumber=1, Body=b"x")
    client.abort_multipart_upload(Bucket=bucket, Key="never", UploadId=aborted)
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)
    with pytest.raises(ClientError) as gone:
        client.list_parts(Bucket=bucket, Key="never", UploadId=aborted)
    assert code(gone) == ("NoSuchUpload", 404)


def test_listings(client: Any, bucket: str) -> None:
    keys = sorted(["a-b", "a/1", "a/2", "a.b", "b/c/d", "ä", "😀", "z z", "e&<>'\"", "walk/a"],
                  key=str.encode)
    for key in keys:
        client.put_object(Bucket=bucket, Key=key, Body=TEXT)
    for method in ("list_objects_v2", "list_objects"):
        pages = client.get_paginator(method).paginate(
            Bucket=bucket, PaginationConfig={"PageSize": 3})
        assert [found["Key"] for page in pages for found in page["Contents"]] == keys
    page = client.list_objects_v2(Bucket=bucket, Delimiter="/", FetchOwner=True)
    assert [found["Prefix"] for found in page["CommonPrefixes"]] == ["a/", "b/", "walk/"]
    assert page["Contents"][0]["ETag"] == f'"{hashlib.md5(TEXT).hexdigest()}"'
    assert page["Contents"][0]["Owner"]["ID"]
    below = client.list_objects_v2(Bucket=bucket, Prefix="a/", StartAfter="a/1")
    assert [found["Key"] for found in below["Contents"]] == ["a/2"]
    versions = client.list_object_versions(Bucket=bucket, Prefix="a/")["Versions"]
    assert [(found["Key"], found["VersionId"]) for found in versions] == [
        ("a/1", "null"), ("a/2", "null")]
    gone = client.delete_objects(Bucket=bucket, Delete={"Objects": [
        {"Key": key} for key in [*keys, "never there"]]})
    assert len(gone["Deleted"]) == len(keys) + 1
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_conditions(client: Any, bucket: str) -> None:
    etag = client.put_object(Bucket=bucket, Key="k", Body=TEXT, IfNoneMatch="*")["ETag"]
    for condition in ({"IfNoneMatch": "*"}, {"IfMatch": '"other"'}):
        with pytest.raises(ClientError) as refused:
            client.put_object(Bucket=bucket, Key="k", Body=b"new", **condition)
        assert code(refused) == ("PreconditionFailed", 412)
    with pytest.raises(ClientError) as unchanged:
        client.get_object(Bucket=bucket, Key="k", IfNoneMatch=etag)
    assert code(unchanged) == ("304", 304)
    assert unchanged.value.response["ResponseMetadata"]["HTTPHeaders"]["etag"] == etag
    assert client.get_object(Bucket=bucket, Key="k", IfMatch=etag)["Body"].read() == TEXT
    client.put_object(Bucket=bucket, Key="k", Body=b"new", IfMatch=etag)
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"new"


def test_copies(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="from", Body=TEXT, Metadata={"a": "1"}, Tagging="t=1")
    source = {"Bucket": bucket, "Key": "from"}
    copied = client.copy_object(Bucket=bucket, Key="to ü", CopySource=source)
    assert copied["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(TEXT).hexdigest()}"'
    assert client.head_object(Bucket=bucket, Key="to ü")["Metadata"] == {"a": "1"}
    client.copy_object(Bucket=bucket, Key="from", CopySource=source, Metadata={"b": "2"},
                       MetadataDirective="REPLACE", ContentType="text/plain")
    head = client.head_object(Bucket=bucket, Key="from")
    assert (head["Metadata"], head["ContentType"]) == ({"b": "2"}, "text/plain")
    with pytest.raises(ClientError) as refused:
        client.copy_object(Bucket=bucket, Key="from", CopySource=source)
    assert code(refused) == ("InvalidRequest", 400)


def test_presigned_addresses(s3: Endpoint, client: Any, bucket: str) -> None:
    verify = str(s3.certificate) if s3.certificate else True
    place = {"Bucket": bucket, "Key": "presigned ü"}
    with requests.Session() as plain:
        plain.trust_env = False
        put = client.generate_presigned_url("put_object", Params=place)
        assert plain.put(put, data=TEXT, verify=verify, timeout=60).status_code == 200
        get = client.generate_presigned_url("get_object", Params=place, ExpiresIn=600)
        assert plain.get(get, verify=verify, timeout=60).content == TEXT
        assert plain.put(get, data=b"x", verify=verify, timeout=60).status_code == 403
        brief = client.generate_presigned_url("get_object", Params=place, ExpiresIn=1)
        deadline = time.monotonic() + 20
        while (late := plain.get(brief, verify=verify, timeout=60)).status_code == 200:
            assert time.monotonic() < deadline
        assert (late.status_code, "<Code>AccessDenied</Code>" in late.text) == (403, True)
        form = client.generate_presigned_post(bucket, "form/${filename}")
        sent = plain.post(form["url"], data=form["fields"], files={"file": ("name.txt", TEXT)},
                          verify=verify, timeout=60)
        assert sent.status_code == 204, sent.text
    assert s3.stored(f"/{bucket}/presigned ü") == TEXT
    assert s3.stored(f"/{bucket}/form/name.txt") == TEXT


def test_signature_version_4_in_the_query_too(s3: Endpoint, client: Any, bucket: str) -> None:
    signing = Config(signature_version="s3v4")
    client.put_object(Bucket=bucket, Key="k", Body=TEXT)
    modern = session(s3).client("s3", **options(s3, config=signing))
    address = modern.generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": "k", "ResponseContentType": "text/x"})
    modern.close()
    verify = str(s3.certificate) if s3.certificate else True
    answer = requests.get(address, verify=verify, timeout=60)
    assert (answer.content, answer.headers["Content-Type"]) == (TEXT, "text/x")


def test_cors_and_bucket_tags(client: Any, bucket: str) -> None:
    rule = {"AllowedOrigins": ["https://example.org"], "AllowedMethods": ["GET"],
            "AllowedHeaders": ["*"], "MaxAgeSeconds": 60}
    client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    assert client.get_bucket_cors(Bucket=bucket)["CORSRules"] == [rule]
    client.delete_bucket_cors(Bucket=bucket)
    with pytest.raises(ClientError) as none:
        client.get_bucket_cors(Bucket=bucket)
    assert code(none) == ("NoSuchCORSConfiguration", 404)
    tags = [{"Key": "team", "Value": "data"}]
    client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert client.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
    client.delete_bucket_tagging(Bucket=bucket)
    with pytest.raises(ClientError) as untagged:
        client.get_bucket_tagging(Bucket=bucket)
    assert code(untagged) == ("NoSuchTagSet", 404)


def test_what_is_not_there(client: Any, bucket: str) -> None:
    with pytest.raises(ClientError) as refused:
        client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={
            "Rules": [{"ID": "x", "Prefix": "", "Status": "Enabled", "Expiration": {"Days": 1}}]})
    assert code(refused) == ("NotImplemented", 501)
    with pytest.raises(ClientError) as nobody:
        client.list_objects_v2(Bucket="no-such-bucket")
    assert code(nobody) == ("NoSuchBucket", 404)


def test_files_of_others_are_objects(s3: Endpoint, client: Any, bucket: str) -> None:
    written = s3.gateway.request(
        "PUT", "/f/file/content", params={"path": f"{s3.root}/{bucket}/others/file.csv"},
        data=TEXT)
    assert written.status_code == 201, written.text
    found = client.list_objects_v2(Bucket=bucket)["Contents"]
    assert [(each["Key"], each["Size"]) for each in found] == [("others/file.csv", len(TEXT))]
    got = client.get_object(Bucket=bucket, Key="others/file.csv")
    assert (got["ETag"], got["Body"].read()) == (found[0]["ETag"], TEXT)


def test_the_documented_prefix_takes_signatures_too(
    s3: Endpoint, monkeypatch: pytest.MonkeyPatch, bucket: str,
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(s3.home / "config"))
    below = session(s3).client("s3", **options(s3, endpoint_url=s3.prefixed))
    below.put_object(Bucket=bucket, Key="a b/c", Body=TEXT)
    page = below.list_objects_v2(Bucket=bucket)
    assert (page["Name"], page["Contents"][0]["Key"]) == (bucket, "a b/c")
    assert below.get_object(Bucket=bucket, Key="a b/c")["Body"].read() == TEXT
    below.close()


def test_a_wrong_secret_and_an_unknown_key(s3: Endpoint, bucket: str) -> None:
    for changed, wanted in (({"aws_secret_access_key": "x" * 40}, "SignatureDoesNotMatch"),
                            ({"aws_access_key_id": "A" * 20}, "InvalidAccessKeyId")):
        keys = {"aws_access_key_id": s3.key_id, "aws_secret_access_key": s3.secret, **changed}
        other = boto3.session.Session(**keys, region_name=REGION).client("s3", **options(s3))
        with pytest.raises(ClientError) as refused:
            other.list_objects_v2(Bucket=bucket)
        other.close()
        assert code(refused) == (wanted, 403)
