"""Multipart uploads over the wire: from beginning to end, parts, copied parts, checksums."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from awscrt import checksums as crt

from app.s3.checksums import KINDS
from tests.s3.conftest import code_of, fresh_bucket, refusal
from tests.s3.uploading import FIRST, LAST, MIB, base64_of, begin, complete, etag_of, put_parts
from tests.s3.wire import names_in

if TYPE_CHECKING:
    from tests.s3.conftest import World

pytestmark = pytest.mark.gunicorn


def test_from_beginning_to_end(any_client: Any) -> None:
    bucket = fresh_bucket(any_client)
    upload = begin(any_client, bucket, "dir/key", ContentType="text/plain", Metadata={"a": "b"},
                   Tagging="t=1")
    done = complete(any_client, upload, put_parts(any_client, upload, FIRST, LAST))
    assert (done["Bucket"], done["Key"], done["ETag"]) == (bucket, "dir/key", etag_of(FIRST, LAST))
    assert done["Location"].startswith("http")
    assert done["Location"].endswith("/dir/key")
    got = any_client.get_object(Bucket=bucket, Key="dir/key")
    assert got["Body"].read() == FIRST + LAST
    assert (got["ETag"], got["ContentType"], got["Metadata"]) == (
        done["ETag"], "text/plain", {"a": "b"})
    assert any_client.get_object_tagging(Bucket=bucket, Key="dir/key")["TagSet"] == [
        {"Key": "t", "Value": "1"}]
    assert complete(any_client, upload, [{"PartNumber": 1, "ETag": "x"}])["ETag"] == done["ETag"]
    second = any_client.get_object(Bucket=bucket, Key="dir/key", PartNumber=2)
    assert second["Body"].read() == LAST


def test_boto3_uploads_large_files_so(any_client: Any, tmp_path: Any) -> None:
    bucket = fresh_bucket(any_client)
    file = tmp_path / "large"
    file.write_bytes(bytes(range(256)) * (20 * MIB // 256))
    any_client.upload_file(str(file), bucket, "large")
    any_client.download_file(bucket, "large", str(tmp_path / "again"))
    assert (tmp_path / "again").read_bytes() == file.read_bytes()
    any_client.copy({"Bucket": bucket, "Key": "large"}, bucket, "copy")
    assert any_client.head_object(Bucket=bucket, Key="copy")["ContentLength"] == 20 * MIB


# --- checksums


@pytest.mark.parametrize(("kind", "of_what"), [
    (name, of_what) for name, kind in KINDS.items() for of_what in ("FULL_OBJECT", "COMPOSITE")
    if (kind.full_object if of_what == "FULL_OBJECT" else kind.composite) and name != "MD5"])
def test_each_kind_and_type(client: Any, bucket: str, kind: str, of_what: str) -> None:
    upload = begin(client, bucket, ChecksumAlgorithm=kind, ChecksumType=of_what)
    parts = put_parts(client, upload, FIRST, LAST, ChecksumAlgorithm=kind)
    listed = client.list_parts(**upload)
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == (kind, of_what)
    assert [part[f"Checksum{kind}"] for part in listed["Parts"]] == [
        part[f"Checksum{kind}"] for part in parts]
    done = complete(client, upload, parts)
    assert done["ChecksumType"] == of_what
    head = client.head_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    assert head[f"Checksum{kind}"] == done[f"Checksum{kind}"]
    assert done[f"Checksum{kind}"].endswith("-2") is (of_what == "COMPOSITE")


def test_checksums_of_the_whole_are_right(client: Any, bucket: str) -> None:
    whole = FIRST + LAST
    for kind, expected in (
        ("CRC32", base64_of(zlib.crc32(whole), 4)), ("CRC32C", base64_of(crt.crc32c(whole), 4)),
        ("CRC64NVME", base64_of(crt.crc64nvme(whole), 8)),
    ):
        upload = begin(client, bucket, ChecksumAlgorithm=kind, ChecksumType="FULL_OBJECT")
        parts = put_parts(client, upload, FIRST, LAST, ChecksumAlgorithm=kind)
        wrong = base64_of(1, KINDS[kind].size)
        assert refusal(complete, client=client, upload=upload, parts=parts,
                       **{f"Checksum{kind}": wrong}) == (400, "BadDigest")
        done = complete(client, upload, parts, **{f"Checksum{kind}": expected})
        assert done[f"Checksum{kind}"] == expected


def test_an_md5_that_the_client_has_made_itself(client: Any, bucket: str) -> None:
    upload = begin(client, bucket, ChecksumAlgorithm="MD5")
    digests = [hashlib.md5(content, usedforsecurity=False).digest() for content in (FIRST, LAST)]
    sums = [base64.b64encode(digest).decode() for digest in digests]
    assert refusal(client.upload_part, **upload, PartNumber=1, Body=FIRST,
                   ChecksumMD5=sums[1]) == (400, "BadDigest")
    parts = []
    for number, content in enumerate((FIRST, LAST), 1):
        told = client.upload_part(**upload, PartNumber=number, Body=content,
                                  ChecksumMD5=sums[number - 1])
        assert told["ChecksumMD5"] == sums[number - 1]
        parts.append({"PartNumber": number, "ETag": told["ETag"], "ChecksumMD5": sums[number - 1]})
    whole = hashlib.md5(b"".join(digests), usedforsecurity=False).digest()
    assert complete(client, upload, parts)["ChecksumMD5"] == (
        base64.b64encode(whole).decode() + "-2")


def test_a_composite_checksum_is_verified(client: Any, bucket: str) -> None:
    upload = begin(client, bucket, ChecksumAlgorithm="SHA256")
    parts = put_parts(client, upload, FIRST, LAST, ChecksumAlgorithm="SHA256")
    digests = hashlib.sha256(FIRST).digest() + hashlib.sha256(LAST).digest()
    value = base64.b64encode(hashlib.sha256(digests).digest()).decode()
    wrong = base64.b64encode(bytes(32)).decode()
    for given in (f"{wrong}-2", f"{value}-3"):
        assert refusal(complete, client=client, upload=upload, parts=parts,
                       ChecksumSHA256=given) == (400, "BadDigest")
    assert complete(client, upload, parts, ChecksumSHA256=f"{value}-2")[
        "ChecksumSHA256"] == f"{value}-2"


def test_without_a_kind_it_is_crc64nvme(s3: World, client: Any, bucket: str) -> None:
    answer = s3.send("POST", f"/{bucket}/key?uploads")
    upload_id = answer.text.partition("<UploadId>")[2].partition("<")[0]
    assert "x-amz-checksum-algorithm" not in answer.headers
    part = s3.send("PUT", f"/{bucket}/key?partNumber=1&uploadId={upload_id}", data=b"123456789")
    assert part.headers["x-amz-checksum-crc64nvme"] == "rosUhgp5mIg="
    upload = {"Bucket": bucket, "Key": "key", "UploadId": upload_id}
    assert "ChecksumCRC64NVME" not in client.list_parts(**upload)["Parts"][0]
    done = complete(client, upload, [{"PartNumber": 1, "ETag": part.headers["ETag"]}])
    assert (done["ChecksumCRC64NVME"], done["ChecksumType"]) == ("rosUhgp5mIg=", "FULL_OBJECT")


@pytest.mark.parametrize("headers", [
    {"x-amz-checksum-algorithm": "ADLER32"}, {"x-amz-checksum-algorithm": ""},
    {"x-amz-checksum-type": "FULL_OBJECT"},
    {"x-amz-checksum-algorithm": "SHA1", "x-amz-checksum-type": "FULL_OBJECT"},
    {"x-amz-checksum-algorithm": "CRC64NVME", "x-amz-checksum-type": "COMPOSITE"},
    {"x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "SOME"},
])
def test_checksums_that_do_not_go_together(
    s3: World, bucket: str, headers: dict[str, str],
) -> None:
    assert code_of(s3.send("POST", f"/{bucket}/key?uploads", signed=headers)) == (
        400, "InvalidRequest")
    assert names_in(s3, bucket) == 0


def test_parts_have_the_checksum_of_their_upload(s3: World, client: Any, bucket: str) -> None:
    upload = begin(client, bucket, ChecksumAlgorithm="CRC32C")
    path = f"/{bucket}/key?partNumber=1&uploadId={upload['UploadId']}"
    assert code_of(s3.send("PUT", path, data=b"x")) == (400, "InvalidRequest")
    assert refusal(client.upload_part, **upload, PartNumber=1, Body=b"x",
                   ChecksumAlgorithm="SHA1") == (400, "InvalidRequest")
    assert refusal(client.upload_part, **upload, PartNumber=1, Body=b"x",
                   ChecksumCRC32C=base64_of(1, 4)) == (400, "BadDigest")
    assert "Parts" not in client.list_parts(**upload)
    whole = begin(client, bucket, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    path = f"/{bucket}/key?partNumber=1&uploadId={whole['UploadId']}"
    answer = s3.send("PUT", path, data=b"123456789")
    assert answer.headers["x-amz-checksum-crc32"] == base64_of(0xCBF43926, 4)


# --- parts


@pytest.mark.parametrize("number", ["0", "10001", "-1", "abc", "", "1" * 30, "%D9%A1"])
def test_numbers_that_no_part_has(s3: World, client: Any, bucket: str, number: str) -> None:
    upload = begin(client, bucket)
    path = f"/{bucket}/key?partNumber={number}&uploadId={upload['UploadId']}"
    assert code_of(s3.send("PUT", path, data=b"x")) == (400, "InvalidArgument")
    copy = s3.send("PUT", path, signed={"x-amz-copy-source": f"{bucket}/key"})
    assert code_of(copy) == (400, "InvalidArgument")


def test_a_part_broken_off_is_none(s3: World, client: Any, bucket: str) -> None:
    upload = begin(client, bucket)
    kept = put_parts(client, upload, b"kept")
    answer = s3.send(
        "PUT", f"/{bucket}/key?partNumber=1&uploadId={upload['UploadId']}", data=b"9\r\n1234",
        signed={"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                "x-amz-decoded-content-length": "9"})
    assert code_of(answer) == (400, "IncompleteBody")
    complete(client, upload, kept)
    assert client.get_object(Bucket=bucket, Key="key")["Body"].read() == b"kept"
    assert names_in(s3, bucket) == 1


def test_parts_listed_in_pages(s3: World, client: Any, bucket: str) -> None:
    upload = begin(client, bucket)
    put_parts(client, upload, b"1", b"22", b"333")
    client.upload_part(**upload, PartNumber=2, Body=b"4444")
    first = client.list_parts(**upload, MaxParts=2)
    assert [(part["PartNumber"], part["Size"]) for part in first["Parts"]] == [(1, 1), (2, 4)]
    assert (first["IsTruncated"], first["NextPartNumberMarker"]) == (True, 2)
    assert first["Parts"][0]["ETag"] == f'"{hashlib.md5(b"1", usedforsecurity=False).hexdigest()}"'
    assert first["StorageClass"] == "STANDARD"
    rest = client.list_parts(**upload, PartNumberMarker=2)
    assert [part["PartNumber"] for part in rest["Parts"]] == [3]
    assert (rest["IsTruncated"], rest["MaxParts"]) == (False, 1000)
    for query in ("max-parts=-1", "max-parts=x", "part-number-marker=" + "1" * 30):
        answer = s3.send("GET", f"/{bucket}/key?uploadId={upload['UploadId']}&{query}")
        assert code_of(answer) == (400, "InvalidArgument")


# --- copies


def test_parts_copied(any_client: Any) -> None:
    bucket = fresh_bucket(any_client)
    source = FIRST + LAST
    any_client.put_object(Bucket=bucket, Key="source", Body=source)
    upload = begin(any_client, bucket, ChecksumAlgorithm="CRC32")
    asked = {**upload, "CopySource": f"{bucket}/source"}
    first = any_client.upload_part_copy(**asked, PartNumber=1)["CopyPartResult"]
    assert first["ETag"] == f'"{hashlib.md5(source, usedforsecurity=False).hexdigest()}"'
    assert first["ChecksumCRC32"] == base64_of(zlib.crc32(source), 4)
    second = any_client.upload_part_copy(
        **asked, PartNumber=2, CopySourceRange=f"bytes={5 * MIB - 1}-{5 * MIB}")["CopyPartResult"]
    parts = [{"PartNumber": number, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}
             for number, part in ((1, first), (2, second))]
    complete(any_client, upload, parts)
    assert any_client.get_object(Bucket=bucket, Key="key")["Body"].read() == source + b"12"


@pytest.mark.parametrize(("given", "expected"), [
    ("bytes=0-10", (416, "InvalidRange")), ("bytes=10-11", (416, "InvalidRange")),
    *((given, (400, "InvalidArgument")) for given in (
        "bytes=0-", "bytes=-1", "bytes=2-1", "0-1", "bytes=a-b", "bytes=0-1,2-3", "bytes = 0-1",
        "")),
])
def test_ranges_that_are_none(
    s3: World, client: Any, bucket: str, given: str, expected: tuple[int, str],
) -> None:
    client.put_object(Bucket=bucket, Key="source", Body=b"0123456789")
    upload = begin(client, bucket)
    answer = s3.send("PUT", f"/{bucket}/key?partNumber=1&uploadId={upload['UploadId']}", signed={
        "x-amz-copy-source": f"{bucket}/source", "x-amz-copy-source-range": given})
    assert code_of(answer) == expected


def test_sources_of_parts_that_are_none(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="source", Body=b"0123456789")
    upload = begin(client, bucket)
    for source, params, expected in (
        (f"{bucket}/nothing", {}, (404, "NoSuchKey")),
        ("no-such-bucket/a", {}, (404, "NoSuchBucket")),
        (f"{bucket}/source", {"CopySourceIfMatch": '"abc"'}, (412, "PreconditionFailed")),
        (f"{bucket}/source", {"UploadId": "0" * 44}, (404, "NoSuchUpload")),
    ):
        asked = {**upload, "PartNumber": 1, "CopySource": source, **params}
        assert refusal(client.upload_part_copy, **asked) == expected
