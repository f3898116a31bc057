"""The document of a completion: what it names, and that nothing else comes of any input."""

from __future__ import annotations

import base64
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import GatewayError
from app.core.object_errors import MalformedDocument
from app.core.objects import ObjectMeta, PartClaim, Upload
from app.s3.completion import Completion, claims_of
from app.s3.errors import S3Error

CRC = base64.b64encode(b"\x00\x01\x02\x03").decode()


def document(*parts: str) -> bytes:
    inner = "".join(f"<Part>{part}</Part>" for part in parts)
    return (f'<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{inner}'
            "</CompleteMultipartUpload>").encode()


def test_claims() -> None:
    assert claims_of(document(
        '<PartNumber>1</PartNumber><ETag>"abc"</ETag>',
        f"<ETag>&quot;def&quot;</ETag><ChecksumCRC32>{CRC}</ChecksumCRC32>"
        "<PartNumber> 2 </PartNumber><Size>9</Size>",
    )) == [PartClaim(1, "abc", {}), PartClaim(2, "def", {"CRC32": CRC})]


WORDS = st.sampled_from([
    b"<CompleteMultipartUpload>", b"</CompleteMultipartUpload>", b"<Part>", b"</Part>", b"<Part/>",
    b"<PartNumber>", b"</PartNumber>", b"<ETag>", b"</ETag>", b"1", b"-1", b"9" * 5000, b"&quot;",
    b"&amp;", b"&#0;", b"&x;", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?xml version='1.1'?>",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"<ChecksumCRC32>", b"</ChecksumCRC32>", b"AAAAAA==",
    b"\xff\xfe", b"\x00", b" ", b"\xc3\xa9",
])


@given(st.lists(st.one_of(WORDS, st.binary(max_size=8)), max_size=30))
def test_any_input_names_parts_or_is_refused(words: list[bytes]) -> None:
    try:
        claims = claims_of(b"".join(words))
    except GatewayError:
        return
    assert claims
    assert all(claim.number >= 1 for claim in claims)


@given(st.lists(st.tuples(st.integers(-5, 10**20), st.text(max_size=40)), min_size=1, max_size=5))
def test_any_part_that_can_be_written_is_read_back(parts: list[tuple[int, str]]) -> None:
    def written(text: str) -> str:
        return "".join(f"&#{ord(c)};" for c in text)

    given_parts = [f"<PartNumber>{number}</PartNumber><ETag>{written(etag)}</ETag>"
                   for number, etag in parts]
    try:
        claims = claims_of(document(*given_parts))
    except GatewayError:
        return
    assert [claim.number for claim in claims] == [
        number for number, _ in groupby(number for number, _ in parts)]


@pytest.mark.parametrize("deep", [10, 100_000])
def test_a_document_of_great_depth(deep: int) -> None:
    with pytest.raises(MalformedDocument):
        claims_of(b"<CompleteMultipartUpload>" + b"<Part>" * deep)
    with pytest.raises(MalformedDocument):
        claims_of(b"<CompleteMultipartUpload>" + b"<Part>" * deep + b"</Part>" * deep
                  + b"</CompleteMultipartUpload>")


def test_a_billion_laughs() -> None:
    lol = '<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">'
    with pytest.raises(MalformedDocument):
        claims_of(f"<!DOCTYPE x [{lol}]><CompleteMultipartUpload>&c;"
                  "</CompleteMultipartUpload>".encode())


# --- what the object must come to


def upload(algorithm: str = "", of_what: str = "FULL_OBJECT") -> Upload:
    return Upload("id", "key", ObjectMeta(), 0, algorithm, of_what)


def completion(checksums: dict[str, str] | None = None, **headers: str) -> Completion:
    given_headers = {f"x-amz-{name.replace('_', '-')}": value for name, value in headers.items()}
    return Completion([PartClaim(1, "abc", checksums or {})], given_headers)


def code(call: Any, *args: Any) -> str:
    with pytest.raises(GatewayError) as raised:
        call(*args)
    return raised.value.code if isinstance(raised.value, S3Error) else type(raised.value).__name__


def test_what_was_agreed_on_when_it_began() -> None:
    completion().check(upload())
    completion().check(upload("CRC32"))
    completion({"CRC32": CRC}).check(upload("CRC32", "COMPOSITE"))
    completion(checksum_type="full_object").check(upload("CRC32"))
    completion().check(upload("CRC32", "COMPOSITE"))
    assert code(completion({"SHA1": CRC}).check, upload("CRC32")) == "BadDigest"
    assert code(completion(checksum_type="COMPOSITE").check, upload("CRC32")) == "InvalidRequest"


def test_checksum_and_size_of_the_object() -> None:
    meta = ObjectMeta(checksums={"CRC32": f"{CRC}-2"}, part_sizes=(5, 4))
    completion(mp_object_size="9", checksum_crc32=f"{CRC}-2").verify(meta)
    completion(checksum_crc32=CRC).verify(meta)
    assert code(completion(checksum_crc32=f"{CRC}-3").verify, meta) == "BadDigest"
    assert code(completion(checksum_crc32c=CRC).verify, meta) == "BadDigest"
    assert code(completion(mp_object_size="8").verify, meta) == "InvalidRequest"


def test_a_checksum_that_nothing_was_agreed_on_is_not_looked_at() -> None:
    made = completion(checksum_crc32=CRC)
    made.check(upload())
    made.verify(ObjectMeta(checksums={"CRC64NVME": "rosUhgp5mIg="}))
    made = completion(checksum_crc64nvme="AAAAAAAAAAA=", checksum_type="FULL_OBJECT")
    made.check(upload())
    assert code(made.verify, ObjectMeta(checksums={"CRC64NVME": "rosUhgp5mIg="})) == "BadDigest"
