"""Checksums: known values, the promises that headers make, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import zlib

import pytest
from awscrt.checksums import XXHash
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import GatewayError, InvalidRequest, Unsupported
from app.s3.checksums import KINDS, Promise, Tally, header_of, kind_named, promised
from app.s3.errors import S3Error

DIGITS = b"123456789"
# The check values of the CRC catalogue (reveng), and digests of the same nine bytes by others'
# implementations.
KNOWN = {
    "CRC32": 0xCBF43926.to_bytes(4, "big"),
    "CRC32C": 0xE3069283.to_bytes(4, "big"),
    "CRC64NVME": 0xAE8B14860A799888.to_bytes(8, "big"),
    "SHA1": hashlib.sha1(DIGITS, usedforsecurity=False).digest(),
    "SHA256": hashlib.sha256(DIGITS).digest(),
    "SHA512": hashlib.sha512(DIGITS).digest(),
    "MD5": hashlib.md5(DIGITS, usedforsecurity=False).digest(),
    "XXHASH64": XXHash.compute_xxhash64(DIGITS),
    "XXHASH3": XXHash.compute_xxhash3_64(DIGITS),
    "XXHASH128": XXHash.compute_xxhash3_128(DIGITS),
}
MD5 = hashlib.md5(DIGITS, usedforsecurity=False)
MD5_HEADER = base64.b64encode(MD5.digest()).decode()


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def tally(content: bytes = DIGITS, kinds: tuple[str, ...] = tuple(KINDS)) -> Tally:
    made = Tally(kinds, sha256=True)
    made.update(content)
    return made


def code_of(error: pytest.ExceptionInfo[GatewayError]) -> str:
    return error.value.code if isinstance(error.value, S3Error) else type(error.value).__name__


def test_known_values() -> None:
    made = tally()
    assert made.checksums == {kind: text(raw) for kind, raw in KNOWN.items()}
    assert made.etag == MD5.hexdigest()
    assert made.size == 9


@given(st.lists(st.binary(max_size=70)))
def test_pieces_make_no_difference(pieces: list[bytes]) -> None:
    whole, made = b"".join(pieces), Tally(KINDS)
    for piece in pieces:
        made.update(piece)
    assert made.checksums == tally(whole).checksums
    assert made.checksums["CRC32"] == text(zlib.crc32(whole).to_bytes(4, "big"))
    assert made.etag == hashlib.md5(whole, usedforsecurity=False).hexdigest()


def test_nothing_is_promised() -> None:
    assert promised({}, "") == Promise()
    assert promised({}, "UNSIGNED-PAYLOAD") == Promise()
    tally().keep(Promise(), {})


@pytest.mark.parametrize("kind", KINDS)
def test_a_checksum_in_a_header(kind: str) -> None:
    promise = promised({header_of(kind): text(KNOWN[kind]),
                        "x-amz-sdk-checksum-algorithm": kind.lower()}, "")
    assert (promise.kind, promise.value, promise.trailing) == (kind, text(KNOWN[kind]), False)
    tally().keep(promise, {})
    with pytest.raises(S3Error) as raised:
        tally(b"other").keep(promise, {})
    assert raised.value.code == "BadDigest"
    assert str(raised.value) == f"The {kind} you specified did not match the calculated checksum."


@pytest.mark.parametrize("kind", KINDS)
def test_a_checksum_in_a_trailer(kind: str) -> None:
    promise = promised({"x-amz-trailer": header_of(kind).title()},
                       "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    assert promise.trailing
    tally().keep(promise, {header_of(kind): text(KNOWN[kind])})
    for trailers, code in (
        ({}, "MalformedTrailerError"),
        ({"x-amz-other": "x"}, "MalformedTrailerError"),
        ({header_of(kind): text(KNOWN[kind]), "x-amz-other": "x"}, "MalformedTrailerError"),
        ({header_of(kind): "invalid"}, "InvalidRequest"),
        ({header_of(kind): text(bytes(KINDS[kind].size))}, "BadDigest"),
    ):
        with pytest.raises(GatewayError) as raised:
            tally().keep(promise, trailers)
        assert code_of(raised) == code


def test_a_trailer_that_nobody_announced() -> None:
    with pytest.raises(S3Error) as raised:
        tally().keep(Promise(), {"x-amz-checksum-crc32": text(KNOWN["CRC32"])})
    assert raised.value.code == "MalformedTrailerError"


def test_trailers_are_announced_for_bodies_with_trailers_only() -> None:
    assert promised({"x-amz-trailer": "x-amz-checksum-crc32"}, "UNSIGNED-PAYLOAD") == Promise()


def test_content_md5() -> None:
    promise = promised({"content-md5": MD5_HEADER}, "")
    assert promise.md5 == MD5.hexdigest()
    tally(kinds=()).keep(promise, {})
    with pytest.raises(S3Error) as raised:
        tally(b"other", ()).keep(promise, {})
    assert raised.value.code == "BadDigest"


@pytest.mark.parametrize("given", ["", "invalid", "aGVsbG8=", MD5.hexdigest(), MD5_HEADER[:-1]])
def test_a_content_md5_that_is_none(given: str) -> None:
    with pytest.raises(S3Error) as raised:
        promised({"content-md5": given}, "")
    assert raised.value.code == "InvalidDigest"


def test_the_signed_sha256() -> None:
    promise = promised({}, KNOWN["SHA256"].hex())
    tally().keep(promise, {})
    tally(kinds=()).keep(promise, {})
    with pytest.raises(S3Error) as raised:
        tally(b"other").keep(promise, {})
    assert raised.value.code == "XAmzContentSHA256Mismatch"
    assert raised.value.details["ClientComputedContentSHA256"] == KNOWN["SHA256"].hex()
    assert raised.value.details["S3ComputedContentSHA256"] == hashlib.sha256(b"other").hexdigest()


@pytest.mark.parametrize("payload_hash", ["nonsense", "A" * 64, "STREAMING-SOMETHING", "0" * 63])
def test_a_payload_hash_that_is_none(payload_hash: str) -> None:
    with pytest.raises(S3Error) as raised:
        promised({}, payload_hash)
    assert raised.value.code == "InvalidArgument"
    assert raised.value.details["ArgumentName"] == "x-amz-content-sha256"


def test_ecdsa_is_not_there() -> None:
    with pytest.raises(Unsupported):
        promised({}, "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD")


@pytest.mark.parametrize(("headers", "message"), [
    ({"x-amz-checksum-crc32": text(KNOWN["CRC32"]), "x-amz-checksum-sha1": text(KNOWN["SHA1"])},
     "Expecting a single x-amz-checksum- header"),
    ({"x-amz-checksum-crc32": "", "x-amz-checksum-sha1": ""}, "Expecting a single"),
    ({"x-amz-checksum-crc32": text(KNOWN["CRC32"]), "x-amz-trailer": "x-amz-checksum-crc32"},
     "Expecting a single x-amz-checksum- header"),
    ({"x-amz-checksum-adler32": "AAAA"}, "The algorithm type you specified"),
    ({"x-amz-trailer": "x-amz-meta-a"}, "The value specified in the x-amz-trailer header is not"),
    ({"x-amz-sdk-checksum-algorithm": "CRC32"}, "x-amz-sdk-checksum-algorithm specified, but no"),
    ({"x-amz-sdk-checksum-algorithm": "ADLER32"}, "Value for x-amz-sdk-checksum-algorithm"),
    ({"x-amz-sdk-checksum-algorithm": "SHA1", "x-amz-trailer": "x-amz-checksum-crc32"},
     "Value for x-amz-sdk-checksum-algorithm header is invalid."),
])
def test_headers_that_contradict(headers: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        promised(headers, "STREAMING-UNSIGNED-PAYLOAD-TRAILER")


@pytest.mark.parametrize("given", ["", "not base64", text(KNOWN["SHA1"])])
def test_a_checksum_that_can_be_none(given: str) -> None:
    with pytest.raises(S3Error, match="Value for x-amz-checksum-crc32 header is invalid") as raised:
        promised({"x-amz-checksum-crc32": given}, "")
    assert raised.value.code == "BadDigest"


def test_headers_about_checksums_that_are_none() -> None:
    headers = {"x-amz-checksum-mode": "ENABLED", "x-amz-checksum-algorithm": "SHA256",
               "x-amz-checksum-type": "COMPOSITE"}
    assert promised(headers, "") == Promise()


def test_kinds_have_names() -> None:
    assert kind_named("crc64nvme", "x-amz-checksum-algorithm") == "CRC64NVME"
    with pytest.raises(InvalidRequest, match="Checksum algorithm provided is unsupported"):
        kind_named("adler32", "x-amz-checksum-algorithm")
