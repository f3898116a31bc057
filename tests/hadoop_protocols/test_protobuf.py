"""Fields go out as Protocol Buffers has them and come back; nothing else than BadMessage comes
of what is none."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.hadoop.protobuf import (
    BadMessage,
    decode,
    decode_all,
    delimited,
    number,
    octets,
    read_delimited,
    read_varint,
    signed,
    text,
    varint,
)
from tests.hadoop_protocols.properties import PATIENT

FIELDS = st.integers(1, (1 << 29) - 1)
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
FIELD = st.one_of(
    st.tuples(FIELDS, INT64), st.tuples(FIELDS, st.binary(max_size=300)))


@PATIENT
@given(INT64)
def test_numbers_of_64_bits_come_back(value: int) -> None:
    told, end = read_varint(varint(value) + b"more", 0)
    assert (signed(told), end) == (value, len(varint(value)))


@pytest.mark.parametrize(("value", "written"), [
    (0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (-1, "ff" * 9 + "01"),
    (1 << 63, "80" * 9 + "01"),
])
def test_numbers_are_written_as_the_format_says(value: int, written: str) -> None:
    assert varint(value).hex() == written


def test_a_message_of_the_documentation() -> None:
    assert number(1, 150) == bytes.fromhex("089601")
    assert text(2, "testing") == bytes.fromhex("120774657374696e67")


@PATIENT
@given(st.lists(FIELD, max_size=20), st.binary(max_size=5), st.binary(max_size=5))
def test_messages_come_back_wherever_they_stand(
    fields: list[tuple[int, int | bytes]], before: bytes, behind: bytes,
) -> None:
    message = b"".join(
        octets(field, value) if isinstance(value, bytes) else number(field, value)
        for field, value in fields)
    expected: dict[int, list[int | bytes]] = {}
    for field, value in fields:
        expected.setdefault(field, []).append(
            value if isinstance(value, bytes) else value & ((1 << 64) - 1))
    told = decode_all(before + message + behind, len(before), len(before) + len(message))
    assert told == expected
    assert decode(message) == {field: values[-1] for field, values in expected.items()}


@PATIENT
@given(st.integers(0, (1 << 64) - 1), st.integers(0, (1 << 32) - 1))
def test_fields_of_fixed_width(wide: int, narrow: int) -> None:
    message = b"\x09" + struct.pack("<Q", wide) + b"\x15" + struct.pack("<I", narrow)
    assert decode(message) == {1: wide, 2: narrow}


@PATIENT
@given(st.lists(FIELD, min_size=1, max_size=5), st.data())
def test_a_message_that_is_cut_is_told_or_is_a_shorter_one(
    fields: list[tuple[int, int | bytes]], data: st.DataObject,
) -> None:
    pieces = [octets(field, value) if isinstance(value, bytes) else number(field, value)
              for field, value in fields]
    message = b"".join(pieces)
    ends = {sum(map(len, pieces[:count])) for count in range(len(pieces) + 1)}
    cut = data.draw(st.integers(0, len(message)))
    if cut in ends:
        decode(message[:cut])
    else:
        with pytest.raises(BadMessage):
            decode(message[:cut])
        with pytest.raises(BadMessage):
            decode(message, 0, cut)  # what stands behind the end is not the message's


@PATIENT
@given(st.binary(max_size=200))
def test_garbage_is_fields_or_a_bad_message(data: bytes) -> None:
    for look in (decode, decode_all):
        try:
            told = look(data)
        except BadMessage:
            continue
        assert all(isinstance(field, int) for field in told)
    try:
        start, end = read_delimited(data, 0)
    except BadMessage:
        return
    assert 0 < start <= end <= len(data)


@PATIENT
@given(st.binary(max_size=300), st.integers(0, 299))
def test_a_message_with_its_length(message: bytes, cut: int) -> None:
    framed = delimited(message)
    start, end = read_delimited(framed + b"more", 0)
    assert framed[start:end] == message
    if cut < len(framed):
        with pytest.raises(BadMessage):
            read_delimited(framed[:cut], 0)


def test_numbers_without_end_are_refused() -> None:
    with pytest.raises(BadMessage, match="more than 10"):
        read_varint(b"\x80" * 11, 0)
    with pytest.raises(BadMessage):
        decode(b"\x08" + b"\xff" * 10_000)


@pytest.mark.parametrize("kind", [3, 4, 6, 7])
def test_kinds_that_hadoop_does_not_use_are_refused(kind: int) -> None:
    with pytest.raises(BadMessage, match=f"kind {kind}"):
        decode(bytes([8 | kind, 0]))
