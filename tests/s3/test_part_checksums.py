"""The checksums of a multipart object's parts: HeadObject, GetObject and GetObjectAttributes."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from awscrt.checksums import XXHash

from tests.s3.conftest import code_of
from tests.s3.uploading import FIRST, LAST, begin, complete, put_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.s3.conftest import World

pytestmark = pytest.mark.gunicorn
CONTENTS = FIRST, LAST
ASKED = {"ChecksumMode": "ENABLED"}


def crc32(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(4, "big")


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def sha512(content: bytes) -> bytes:
    return hashlib.sha512(content).digest()


def base64_of(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


KINDS: dict[str, Callable[[bytes], bytes]] = {
    "CRC32": crc32, "SHA256": sha256, "SHA512": sha512, "XXHASH128": XXHash.compute_xxhash3_128}
BOTH = pytest.mark.parametrize(("kind", "of_what"), [
    ("SHA256", "COMPOSITE"), ("CRC32", "COMPOSITE"), ("CRC32", "FULL_OBJECT"),
    ("SHA512", "COMPOSITE"), ("XXHASH128", "COMPOSITE")])


def upload(client: Any, bucket: str, kind: str, of_what: str, *contents: bytes) -> Any:
    """Upload `key` in these parts; return what its completion told."""
    named = begin(client, bucket, ChecksumAlgorithm=kind, ChecksumType=of_what)
    parts = put_parts(client, named, *contents, ChecksumAlgorithm=kind)
    return complete(client, named, parts)


def attributes(client: Any, bucket: str, key: str = "key", **params: Any) -> Any:
    return client.get_object_attributes(
        Bucket=bucket, Key=key, ObjectAttributes=["Checksum", "ObjectParts"], **params)


def sums_in(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.items() if name.startswith("Checksum")}


@BOTH
def test_what_is_begun_says_its_checksum(
    client: Any, bucket: str, kind: str, of_what: str,
) -> None:
    made = client.create_multipart_upload(
        Bucket=bucket, Key="key", ChecksumAlgorithm=kind, ChecksumType=of_what)
    assert (made["ChecksumAlgorithm"], made["ChecksumType"]) == (kind, of_what)


@BOTH
def test_each_part_tells_its_own(client: Any, bucket: str, kind: str, of_what: str) -> None:
    upload(client, bucket, kind, of_what, *CONTENTS)
    for number, content in enumerate(CONTENTS, 1):
        asked = {"Bucket": bucket, "Key": "key", "PartNumber": number}
        expected = {f"Checksum{kind}": base64_of(KINDS[kind](content)), "ChecksumType": of_what}
        got = client.get_object(**asked, **ASKED)  # boto3 compares the content with it
        assert sums_in(got) == sums_in(client.head_object(**asked, **ASKED)) == expected
        assert got["Body"].read() == content
        assert got["PartsCount"] == 2
        assert sums_in(client.head_object(**asked)) == {}


@BOTH
def test_the_object_tells_its_own(client: Any, bucket: str, kind: str, of_what: str) -> None:
    made = upload(client, bucket, kind, of_what, *CONTENTS)
    function = KINDS[kind]
    value = base64_of(function(b"".join(CONTENTS)))
    if of_what == "COMPOSITE":
        value = base64_of(function(b"".join(map(function, CONTENTS)))) + "-2"
    expected = {f"Checksum{kind}": value, "ChecksumType": of_what}
    assert sums_in(made) == expected
    for ask in (client.get_object, client.head_object):
        assert sums_in(ask(Bucket=bucket, Key="key", **ASKED)) == expected
    assert sums_in(client.get_object(Bucket=bucket, Key="key", Range="bytes=1-5", **ASKED)) == {}


@BOTH
def test_attributes_have_those_of_all_parts(
    client: Any, bucket: str, kind: str, of_what: str,
) -> None:
    made = upload(client, bucket, kind, of_what, *CONTENTS)
    told = attributes(client, bucket)
    assert told["Checksum"] == sums_in(made)
    parts = told["ObjectParts"]
    assert parts.pop("Parts") == [
        {"PartNumber": number, "Size": len(content),
         f"Checksum{kind}": base64_of(KINDS[kind](content))}
        for number, content in enumerate(CONTENTS, 1)]
    assert parts == {"TotalPartsCount": 2, "PartNumberMarker": 0, "NextPartNumberMarker": 2,
                     "MaxParts": 1000, "IsTruncated": False}


def test_attributes_page_by_page(client: Any, bucket: str) -> None:
    upload(client, bucket, "SHA256", "COMPOSITE", *CONTENTS)
    for after, more in ((0, True), (1, False)):
        told = attributes(client, bucket, MaxParts=1, PartNumberMarker=after)["ObjectParts"]
        assert told.pop("Parts") == [{
            "PartNumber": after + 1, "Size": len(CONTENTS[after]),
            "ChecksumSHA256": base64_of(sha256(CONTENTS[after]))}]
        assert told == {"TotalPartsCount": 2, "PartNumberMarker": after,
                        "NextPartNumberMarker": after + 1, "MaxParts": 1, "IsTruncated": more}


@BOTH
def test_the_only_part(client: Any, bucket: str, kind: str, of_what: str) -> None:
    upload(client, bucket, kind, of_what, LAST)
    expected = {f"Checksum{kind}": base64_of(KINDS[kind](LAST)), "ChecksumType": of_what}
    got = client.get_object(Bucket=bucket, Key="key", PartNumber=1, **ASKED)
    assert (got["Body"].read(), sums_in(got), got["PartsCount"]) == (LAST, expected, 1)


def test_a_part_without_content(client: Any, bucket: str) -> None:
    upload(client, bucket, "CRC32", "FULL_OBJECT", FIRST, b"")
    for number, content in ((1, FIRST), (2, b"")):
        got = client.get_object(Bucket=bucket, Key="key", PartNumber=number, **ASKED)
        assert got["Body"].read() == content
        assert sums_in(got)["ChecksumCRC32"] == base64_of(crc32(content))
        assert got["PartsCount"] == 2
    assert "ContentRange" not in got


def test_an_upload_that_asked_for_none(s3: World, client: Any, bucket: str) -> None:
    plain = s3.client(request_checksum_calculation="when_required")
    named = begin(plain, bucket)
    complete(plain, named, put_parts(plain, named, *CONTENTS))
    told = attributes(client, bucket)["ObjectParts"]["Parts"]
    assert told == [{"PartNumber": 1, "Size": len(FIRST)}, {"PartNumber": 2, "Size": len(LAST)}]
    asked = {"Bucket": bucket, "Key": "key", **ASKED}
    assert sums_in(client.head_object(**asked, PartNumber=1)) == {}
    assert set(sums_in(client.head_object(**asked))) == {"ChecksumCRC64NVME", "ChecksumType"}


@pytest.mark.parametrize(("onto", "params"), [
    ("copy", {}), ("copy", {"ChecksumAlgorithm": "SHA256"}),
    ("key", {"ChecksumAlgorithm": "CRC32"}),
])
def test_a_copy_has_no_parts(
    client: Any, bucket: str, onto: str, params: dict[str, str],
) -> None:
    upload(client, bucket, "CRC32", "FULL_OBJECT", *CONTENTS)
    client.copy_object(
        Bucket=bucket, Key=onto, CopySource={"Bucket": bucket, "Key": "key"}, **params)
    assert "ObjectParts" not in attributes(client, bucket, onto)
    got = client.get_object(Bucket=bucket, Key=onto, PartNumber=1, **ASKED)
    assert got["Body"].read() == b"".join(CONTENTS)
    assert "PartsCount" not in got


def test_other_metadata_leave_the_parts_alone(client: Any, bucket: str) -> None:
    upload(client, bucket, "CRC32", "COMPOSITE", *CONTENTS)
    before = attributes(client, bucket)["ObjectParts"]
    client.copy_object(Bucket=bucket, Key="key", CopySource={"Bucket": bucket, "Key": "key"},
                       MetadataDirective="REPLACE", Metadata={"a": "b"})
    client.put_object_tagging(
        Bucket=bucket, Key="key", Tagging={"TagSet": [{"Key": "c", "Value": "d"}]})
    assert client.head_object(Bucket=bucket, Key="key")["Metadata"] == {"a": "b"}
    assert attributes(client, bucket)["ObjectParts"] == before
    assert "ChecksumCRC32" in before["Parts"][1]


@BOTH
def test_a_file_changed_behind_the_gateway(
    s3: World, client: Any, bucket: str, kind: str, of_what: str,
) -> None:
    upload(client, bucket, kind, of_what, *CONTENTS)
    answer = s3.gateway.request(
        "POST", "/f/file/content", params={"path": f"s3/{bucket}/key"}, data=b"!",
        headers={"Content-Type": "application/octet-stream"})
    assert answer.status_code == 201, answer.text
    told = attributes(client, bucket)
    assert not {"Checksum", "ObjectParts"} & set(told)
    got = client.get_object(Bucket=bucket, Key="key", PartNumber=1, **ASKED)
    assert got["Body"].read() == b"".join(CONTENTS) + b"!"
    assert sums_in(got) == {}
    assert code_of(s3.send("GET", f"/{bucket}/key?partNumber=2"))[1] in {
        "InvalidPart", "InvalidPartNumber"}
