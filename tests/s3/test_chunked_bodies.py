"""aws-chunked bodies over the wire: unsigned ones with a trailer, and those signed in chunks."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import TYPE_CHECKING

import pytest

from tests.s3.conftest import code_of
from tests.s3.wire import ask, names_in, signed

if TYPE_CHECKING:
    import requests

    from tests.s3.conftest import World

pytestmark = pytest.mark.gunicorn
CONTENT = b"four score and seven years ago\n"
EMPTY = hashlib.sha256(b"").hexdigest()
CRC32 = base64.b64encode(zlib.crc32(CONTENT).to_bytes(4, "big")).decode()


def outcome(answer: requests.Response) -> tuple[int, str]:
    return (answer.status_code, "") if answer.ok else code_of(answer)


def test_chunks_in_the_body(s3: World, bucket: str) -> None:
    def put(body: bytes, length: str, **headers: str) -> tuple[int, str]:
        given = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                 "x-amz-decoded-content-length": length, "Content-Encoding": "aws-chunked"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return outcome(s3.send("PUT", f"/{bucket}/key", data=body, signed={
            name: value for name, value in given.items() if value}))

    good = b"9\r\n123456789\r\n0\r\nx-amz-checksum-crc64nvme:rosUhgp5mIg=\r\n\r\n"
    announced = {"x_amz_trailer": "x-amz-checksum-crc64nvme"}
    assert put(good, "9", **announced) == (200, "")
    assert s3.client().get_object(Bucket=bucket, Key="key")["Body"].read() == b"123456789"
    assert "ContentEncoding" not in s3.client().head_object(Bucket=bucket, Key="key")
    for body, length, headers, expected in (
        (good, "", announced, (411, "MissingContentLength")),
        (good, "x", announced, (411, "MissingContentLength")),
        (good, "8", announced, (400, "IncompleteBody")),
        (good, "10", announced, (400, "IncompleteBody")),
        (good[:-2], "9", announced, (400, "IncompleteBody")),
        (good.replace(b"9\r\n1", b"Z\r\n1"), "9", announced, (400, "IncompleteBody")),
        (good, "9", {}, (400, "MalformedTrailerError")),
        (good.replace(b"rosU", b"rosV"), "9", announced, (400, "BadDigest")),
        (good.replace(b"rosU", b"!"), "9", announced, (400, "InvalidRequest")),
        (good, "9", {"x_amz_trailer": "x-amz-checksum-crc32"}, (400, "MalformedTrailerError")),
        (b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n", "2", {}, (403, "InvalidChunkSizeError")),
        (good, "9", announced | {"x_amz_checksum_crc32": CRC32}, (400, "InvalidRequest")),
        (good, "9", announced | {"x_amz_sdk_checksum_algorithm": "SHA1"}, (400, "InvalidRequest")),
    ):
        assert put(body, length, **headers) == expected, (body, length, headers)
    assert s3.client().get_object(Bucket=bucket, Key="key")["Body"].read() == b"123456789"
    assert names_in(s3, bucket) == 1


def chunked(s3: World, path: str, chunks: list[bytes], *, trailer: str = "") -> tuple[
        dict[str, str], bytes]:
    """Return the headers and the body of a PUT whose chunks are signed, as an SDK makes them."""
    kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")
    given = {"x-amz-content-sha256": kind, "Content-Encoding": "aws-chunked,gzip",
             "x-amz-decoded-content-length": str(sum(map(len, chunks)))}
    if trailer:
        given["x-amz-trailer"] = trailer.partition(":")[0]
    headers, signer = signed(s3, "PUT", path, given)
    stamp = headers["X-Amz-Date"]
    scope = f"{stamp}\n{stamp[:8]}/us-east-1/s3/aws4_request"
    last = headers["Authorization"].rpartition("Signature=")[2]

    def sign(kind: str, *digests: str) -> str:
        text = "\n".join([f"AWS4-HMAC-SHA256-{kind}", scope, last, *digests])
        return str(signer.signature(text, type("Dated", (), {"context": {"timestamp": stamp}})))

    body = b""
    for chunk in (*chunks, b""):
        last = sign("PAYLOAD", EMPTY, hashlib.sha256(chunk).hexdigest())
        body += f"{len(chunk):x};chunk-signature={last}\r\n".encode() + chunk
        body += b"\r\n" if chunk else b""
    if trailer:
        last = sign("TRAILER", hashlib.sha256(f"{trailer}\n".encode()).hexdigest())
        body += f"{trailer}\r\nx-amz-trailer-signature:{last}\r\n".encode()
    return headers, body + b"\r\n"


@pytest.mark.parametrize("trailer", ["", f"x-amz-checksum-crc32:{CRC32}"])
def test_signed_chunks(s3: World, bucket: str, trailer: str) -> None:
    path = f"/{bucket}/key"
    chunks = [CONTENT] if trailer else [bytes(65536), CONTENT]
    headers, body = chunked(s3, path, chunks, trailer=trailer)
    length = {"Content-Length": str(len(body))}
    answer = ask(s3, "PUT", path, headers | length, body)
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    client = s3.client()
    got = client.get_object(Bucket=bucket, Key="key")
    assert got["Body"].read() == b"".join(chunks)
    assert got["ContentEncoding"] == "gzip"
    for changed in (body.replace(CONTENT, CONTENT[:-2] + b"!\n"),
                    body.replace(b"signature=", b"signature=0", 1),
                    body[:-100] + (b"1" if body[-100:-99] == b"0" else b"0") + body[-99:]):
        answer = ask(s3, "PUT", path, headers | {"Content-Length": str(len(changed))}, changed)
        assert answer.split()[1] in (b"400", b"403"), answer
    assert client.head_object(Bucket=bucket, Key="key")["ETag"] == got["ETag"]
    assert names_in(s3, bucket) == 1
