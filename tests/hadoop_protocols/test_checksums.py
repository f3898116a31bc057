"""Checksums are those that one CRC a chunk makes, and any change of a byte is seen."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.hadoop.checksums import CHUNK_LIMIT, CRC32, CRC32C, NULL, Checksums
from app.hadoop.protobuf import BadMessage
from tests.hadoop_protocols.block_stream import sums
from tests.hadoop_protocols.properties import PATIENT

CHUNKS = (1, 3, 4, 5, 64, 512, 1000, 4096)
LENGTHS = (0, 1, 511, 512, 513, 8 * 512, 5000, 65535, 65536, 66048)


def content(length: int) -> bytes:
    return random.Random(length).randbytes(length)


@pytest.mark.parametrize("kind", [CRC32, CRC32C])
@pytest.mark.parametrize("chunk", CHUNKS)
def test_each_chunk_has_its_crc(kind: int, chunk: int) -> None:
    checksums = Checksums(kind, chunk)
    for length in LENGTHS:
        data = content(length)
        wanted = sums(data, chunk=chunk, kind=kind)
        assert checksums.of(data) == wanted
        assert checksums.octets(length) == len(wanted)
        assert checksums.match(data, wanted)


def test_the_crcs_of_castagnoli_and_of_zip() -> None:
    assert Checksums(CRC32C, 512).of(b"123456789").hex() == "e3069283"
    assert Checksums(CRC32, 512).of(b"123456789").hex() == "cbf43926"


@PATIENT
@given(st.sampled_from([CRC32, CRC32C]), st.sampled_from(CHUNKS), st.integers(1, 20_000),
       st.data())
def test_a_changed_octet_is_seen_wherever_it_is(
    kind: int, chunk: int, length: int, data: st.DataObject,
) -> None:
    checksums = Checksums(kind, chunk)
    good = content(length)
    wanted = sums(good, chunk=chunk, kind=kind)
    change = data.draw(st.integers(1, 255))
    bad = bytearray(good)
    bad[data.draw(st.integers(0, length - 1))] ^= change
    assert not checksums.match(bytes(bad), wanted)
    wrong = bytearray(wanted)
    wrong[data.draw(st.integers(0, len(wanted) - 1))] ^= change
    assert not checksums.match(good, bytes(wrong))


@pytest.mark.parametrize("length", [8 * 512, 65536, 65536 + 100])
def test_what_is_exchanged_is_seen(length: int) -> None:
    data = content(length)
    wanted = sums(data)
    checksums = Checksums(CRC32C, 512)
    assert not checksums.match(data[512:1024] + data[:512] + data[1024:], wanted)
    assert not checksums.match(data, wanted[4:8] + wanted[:4] + wanted[8:])
    assert not checksums.match(bytes(length), wanted)
    assert not checksums.match(data, bytes(len(wanted)))


@pytest.mark.parametrize("count", [0, 1, 4, 511, 516, 1024])
def test_too_few_or_too_many_are_wrong(count: int) -> None:
    data = content(65536)
    assert not Checksums(CRC32C, 512).match(data, (sums(data) * 2)[:count])


def test_blocks_without_checksums_have_none() -> None:
    checksums = Checksums(NULL, 512)
    assert (checksums.octets(1000), checksums.of(b"data")) == (0, b"")
    assert checksums.match(b"data", b"")
    assert not checksums.match(b"data", b"1234")


@pytest.mark.parametrize(("kind", "chunk"), [
    (3, 512), (-1, 512), (CRC32C, 0), (CRC32C, -512), (CRC32C, CHUNK_LIMIT + 1)])
def test_other_kinds_and_sizes_are_refused(kind: int, chunk: int) -> None:
    with pytest.raises(BadMessage):
        Checksums(kind, chunk)
