"""Heads of packets are written as Hadoop does and read as it does, and nothing else is."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.hadoop.packets import HEAD, PACKET_LIMIT, Packet, head_length, pack, parse
from app.hadoop.protobuf import BadMessage, number, octets
from tests.hadoop_protocols.block_stream import Frame
from tests.hadoop_protocols.properties import PATIENT

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)


def test_a_head_as_hadoop_writes_it() -> None:
    written = pack(65536, 3, last=False, length=1000, checksums=8)
    assert written.hex() == (
        "000003f4" "0019" "090000010000000000" "110300000000000000" "1800" "25e8030000")
    assert len(written) == HEAD


@PATIENT
@given(st.tuples(INT64, INT64, st.booleans(), st.integers(0, 1 << 20), st.integers(0, 1 << 20)),
       st.booleans(), st.binary(max_size=9))
def test_heads_come_back(
    told: tuple[int, int, bool, int, int], sync: bool, before: bytes,
) -> None:
    offset, sequence, last, length, checksums = told
    head = pack(offset, sequence, last=last, length=length, checksums=checksums, sync=sync)
    data = bytearray(before + head + b"what follows")
    assert head_length(memoryview(data), len(before)) == len(head)
    assert parse(memoryview(data), len(before)) == Packet(
        offset, sequence, last, length, checksums, len(head), sync)


def test_fields_in_another_order_or_new_ones_are_read() -> None:
    more = number(9, 77) + octets(10, b"new")
    head = Frame(512, 2, False, b"1234", b"5678", more).octets()
    assert parse(head) == Packet(512, 2, False, 4, 4, HEAD + len(more))
    turned = (b"\x25" + struct.pack("<i", 4) + b"\x18\x00" + b"\x11" + struct.pack("<q", -1)
              + b"\x09" + struct.pack("<q", 7))
    assert parse(struct.pack(">IH", 12, len(turned)) + turned) == Packet(7, -1, False, 4, 4, HEAD)


@PATIENT
@given(st.binary(min_size=HEAD, max_size=HEAD))
def test_garbage_is_no_head(data: bytes) -> None:
    try:
        if head_length(data) > len(data):
            return
        packet = parse(data)
    except BadMessage:
        return
    assert packet.length >= 0
    assert packet.checksums >= 0


@PATIENT
@given(st.binary(min_size=25, max_size=40))
def test_garbage_in_the_fields_is_no_head(fields: bytes) -> None:
    try:
        packet = parse(struct.pack(">IH", 1000, len(fields)) + fields)
    except BadMessage:
        return
    assert packet.length + packet.checksums == 996


@pytest.mark.parametrize(("total", "fields"), [
    (3, 25), (0, 25), (PACKET_LIMIT + 1, 25), (0xFFFFFFFF, 25), (100, 24), (100, 0)])
def test_lengths_out_of_bounds_are_refused(total: int, fields: int) -> None:
    head = pack(0, 0, last=False, length=0, checksums=0)
    with pytest.raises(BadMessage):
        parse(struct.pack(">IH", total, fields) + head[6:])


@pytest.mark.parametrize("length", [-1, 97, -(1 << 31), (1 << 31) - 1])
def test_more_data_than_the_packet_has_room_for_is_refused(length: int) -> None:
    head = pack(0, 0, last=False, length=96, checksums=0)
    with pytest.raises(BadMessage):
        parse(head[:HEAD - 4] + struct.pack("<i", length))
