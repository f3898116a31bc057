"""The decoder of aws-chunked bodies: arbitrary splits, corruptions and nonsense."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.errors import GatewayError, IncompleteBody, LengthRequired
from app.core.object_errors import WrongSignature
from app.s3.aws_chunked import LEAST_CHUNK, MAX_TRAILER, Decoder, decoded_length
from app.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CRC = "x-amz-checksum-crc32c:sOO8/Q=="


class Signer:
    """Signs as SigV4 does, in shape: each signature depends on the one before."""

    def __init__(self) -> None:
        self._last = "seed"

    def _sign(self, what: str, digest: str) -> str:
        self._last = hmac.new(b"key", f"{what}\n{self._last}\n{digest}".encode(),
                              "sha256").hexdigest()
        return self._last

    def chunk(self, data_sha256_hex: str) -> str:
        return self._sign("chunk", data_sha256_hex)

    def trailer(self, canonical_trailer: bytes) -> str:
        return self._sign("trailer", hashlib.sha256(canonical_trailer).hexdigest())


def encoded(chunks: Sequence[bytes], *, signed: bool, trailer: str = "") -> bytes:
    signer, out = Signer(), b""
    for chunk in (*chunks, b""):
        extension = f";chunk-signature={signer.chunk(hashlib.sha256(chunk).hexdigest())}"
        out += f"{len(chunk):x}{extension if signed else ''}\r\n".encode() + chunk
        out += b"\r\n" if chunk else b""
    if trailer:
        out += f"{trailer}\r\n".encode()
        if signed:
            signature = signer.trailer(f"{trailer}\n".encode())
            out += f"x-amz-trailer-signature:{signature}\r\n".encode()
    return out + b"\r\n"


def split(data: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    """Yield `data` in pieces; empty ones too."""
    last = 0
    for cut in sorted(cut % (len(data) + 1) for cut in cuts):
        yield data[last:cut]
        last = cut
    yield data[last:]


def decoder(length: int, *, signed: bool, trailer: bool = True) -> Decoder:
    return Decoder(length, signer=Signer() if signed else None, trailer=trailer)


def decode(data: bytes, length: int, *, signed: bool = False, trailer: bool = True,
           cuts: Sequence[int] = ()) -> bytes:
    made = decoder(length, signed=signed, trailer=trailer)
    return b"".join(made.decode(split(data, cuts)))


CUTS = st.lists(st.integers(0, 1 << 20), max_size=12)
LARGE = st.integers(LEAST_CHUNK, LEAST_CHUNK + 300).map(
    lambda size: (b"x\r\n" * size)[:size])
CHUNKS = st.tuples(st.lists(LARGE, max_size=3), st.binary(max_size=100)).map(
    lambda both: [*both[0], *filter(None, both[1:])])


@given(CHUNKS, CUTS, st.booleans(), st.booleans())
def test_any_split_decodes_to_the_same(
    chunks: list[bytes], cuts: list[int], signed: bool, trailer: bool,
) -> None:
    content = b"".join(chunks)
    data = encoded(chunks, signed=signed, trailer=CRC if trailer else "")
    made = decoder(len(content), signed=signed, trailer=trailer)
    assert b"".join(made.decode(split(data, cuts))) == content
    assert made.trailers == ({"x-amz-checksum-crc32c": "sOO8/Q=="} if trailer else {})


@given(st.binary(min_size=1, max_size=200), st.data(), st.booleans())
def test_a_changed_byte_of_a_signed_body_is_an_error(
    content: bytes, data: st.DataObject, trailer: bool,
) -> None:
    whole = encoded([content], signed=True, trailer=CRC if trailer else "")
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255))
    changed = whole[:at] + bytes([byte]) + whole[at + 1:]
    try:
        got = decode(changed, len(content), signed=True, trailer=trailer)
    except (IncompleteBody, WrongSignature, S3Error):
        assert changed != whole
    else:  # what is left are other spellings of the same: `0A` for `0a`, a name in upper case
        assert got == content
        assert changed.lower() == whole.lower()


@given(st.binary(max_size=300), st.integers(0, 100), CUTS, st.booleans(), st.booleans())
@example(b"0\r\n\r\n", 0, [], False, False)
@example(b"ffffffffffffffff\r\nabc", 3, [], False, True)
def test_nonsense_ends_in_an_error_or_the_bytes_promised(
    data: bytes, length: int, cuts: list[int], signed: bool, trailer: bool,
) -> None:
    got = b""
    try:
        for piece in decoder(length, signed=signed, trailer=trailer).decode(split(data, cuts)):
            got += piece
            assert len(got) <= length
    except GatewayError:
        return
    assert len(got) == length


@given(CHUNKS, CUTS, st.booleans(), st.integers(0, 1 << 20))
def test_a_body_cut_short_is_incomplete(
    chunks: list[bytes], cuts: list[int], signed: bool, end: int,
) -> None:
    whole = encoded(chunks, signed=signed, trailer=CRC)
    short = whole[:end % len(whole)]
    with pytest.raises(IncompleteBody):
        decode(short, sum(map(len, chunks)), signed=signed, cuts=cuts)


@pytest.mark.parametrize("body", [
    b"A\ndummy data\r\n0\r\n\r\n",
    b"A\r\ndummy data0\r\n\r\n",
    b"A\r\nXYZ\r\ndummy data\r\n0\r\n\r\n",
    b"A\r\ndummy data\r\n0\r\n",
    b"A\r\ndummy data\r\nJ\r\n\r\n",
    b"A;chunk-signature=" + b"0" * 64 + b"\r\ndummy data\r\n0\r\n\r\n",
    b"\r\nA\r\ndummy data\r\n0\r\n\r\n",
    b"-A\r\ndummy data\r\n0\r\n\r\n",
    b"0x0A\r\ndummy data\r\n0\r\n\r\n",
    b" A\r\ndummy data\r\n0\r\n\r\n",
    b"A\r\ndummy data\r\n0\r\nx",
    b"A" * 5000,
    b"",
])
def test_broken_framing(body: bytes) -> None:
    with pytest.raises(IncompleteBody):
        decode(body, 10)
    with pytest.raises(IncompleteBody):
        decode(body, 10, cuts=range(len(body)))


@pytest.mark.parametrize("promised", [0, 9, 11, 200])
def test_another_length_than_promised(promised: int) -> None:
    with pytest.raises(IncompleteBody, match="the number of bytes"):
        decode(encoded([b"dummy data"], signed=False), promised)


@pytest.mark.parametrize(("sizes", "allowed"), [
    ([8192, 8192, 100], True), ([100], True), ([10000, 9500, 20], True), ([], True),
    ([100, 8192, 100], False), ([8192, 10, 100], False), ([10, 10], False), ([8191, 1], False),
])
@pytest.mark.parametrize("signed", [True, False])
def test_only_the_last_chunk_may_be_small(sizes: list[int], allowed: bool, signed: bool) -> None:
    chunks = [b"c" * size for size in sizes]
    data = encoded(chunks, signed=signed)
    if allowed:
        assert decode(data, sum(sizes), signed=signed, trailer=False) == b"".join(chunks)
        return
    with pytest.raises(S3Error) as raised:
        decode(data, sum(sizes), signed=signed, trailer=False)
    assert raised.value.code == "InvalidChunkSizeError"


def test_chunks_in_another_order_are_not_signed() -> None:
    first, second = b"1" * LEAST_CHUNK, b"2" * LEAST_CHUNK
    data = encoded([first, second], signed=True)
    swapped = data.replace(first, b"T" * LEAST_CHUNK).replace(second, first).replace(
        b"T" * LEAST_CHUNK, second)
    with pytest.raises(WrongSignature):
        decode(swapped, 2 * LEAST_CHUNK, signed=True, trailer=False)


def test_a_wrong_signature_is_found_before_the_next_chunk() -> None:
    good = encoded([b"1" * LEAST_CHUNK, b"2" * LEAST_CHUNK], signed=True)
    at = good.index(b"=") + 1
    bad = good[:at] + (b"0" if good[at:at + 1] != b"0" else b"1") + good[at + 1:]
    seen: list[bytes] = []
    with pytest.raises(WrongSignature):
        seen.extend(decoder(2 * LEAST_CHUNK, signed=True, trailer=False).decode([bad]))
    assert set(b"".join(seen)) == {ord("1")}


def test_no_chunk_is_held() -> None:
    """Each piece goes on as it comes, whatever the size of the chunk says."""
    seen: list[int] = []

    def pieces() -> Iterator[bytes]:
        yield b"40000000\r\n"
        for number in range(4):
            assert len(seen) == number
            yield bytes(256 * 1024)

    with pytest.raises(IncompleteBody):
        seen.extend(len(piece) for piece in decoder(1 << 30, signed=False).decode(pieces()))
    assert seen == [256 * 1024] * 4


@pytest.mark.parametrize("tail", [
    "x-amz-checksum-crc32c\r\n\r\n", ":value\r\n\r\n", "na me:value\r\n\r\n",
    f"{CRC}\r\n{CRC}\r\n\r\n", "a:" + "b" * MAX_TRAILER + "\r\n\r\n",
])
def test_a_trailer_that_cannot_be_read(tail: str) -> None:
    with pytest.raises(S3Error) as raised:
        decode(b"0\r\n" + tail.encode(), 0)
    assert raised.value.code == "MalformedTrailerError"


def test_a_trailer_where_none_may_be() -> None:
    with pytest.raises(S3Error) as raised:
        decode(b"0\r\n" + CRC.encode() + b"\r\n\r\n", 0, trailer=False)
    assert raised.value.code == "MalformedTrailerError"


def test_a_signed_trailer_without_its_signature() -> None:
    data = encoded([b"abc"], signed=True)[:-2] + CRC.encode() + b"\r\n\r\n"
    with pytest.raises(S3Error) as raised:
        decode(data, 3, signed=True)
    assert raised.value.code == "MalformedTrailerError"


def test_a_trailer_changed_behind_its_signature() -> None:
    data = encoded([b"abc"], signed=True, trailer=CRC)
    with pytest.raises(WrongSignature):
        decode(data.replace(b"sOO8/Q==", b"sOO8/A=="), 3, signed=True)


def test_lines_of_trailers_ended_as_minio_does() -> None:
    signer = Signer()
    head = encoded([b"abc"], signed=True)[:-2]
    for chunk in (b"abc", b""):
        signer.chunk(hashlib.sha256(chunk).hexdigest())
    signature = signer.trailer(f"{CRC}\n".encode())
    tail = f"{CRC}\n\r\nx-amz-trailer-signature:{signature}\r\n\r\n"
    assert decode(head + tail.encode(), 3, signed=True) == b"abc"


@pytest.mark.parametrize("header", [None, "", "abc", "12x", "-1", "1" * 30])
def test_a_length_that_is_none(header: str | None) -> None:
    with pytest.raises(LengthRequired):
        decoded_length(header)


def test_a_length() -> None:
    assert decoded_length("0") == 0
    assert decoded_length(str(1 << 40)) == 1 << 40
