"""Messages say what they say, and garbage is a bad message whatever it is taken for."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.hadoop import messages
from app.hadoop.messages import Block, Datanode
from app.hadoop.protobuf import BadMessage, number, octets, text
from tests.hadoop_protocols.properties import PATIENT

READERS = [messages.file_status, messages.located_blocks, messages.located_block, messages.block,
           messages.datanode, messages.server_defaults, messages.xattrs]
VALUE = st.one_of(st.integers(0, (1 << 64) - 1), st.binary(max_size=20))
IDENTITY = text(1, "10.0.0.1") + text(2, "host") + text(3, "uuid") + number(4, 9866)
FIGURES = number(2, 5000) + text(10, "normal")


def located(**changed: bytes) -> bytes:
    parts = {
        "block": octets(1, Block("pool", 1, 2, 300).message()), "offset": number(2, 600),
        "nodes": octets(3, octets(1, IDENTITY) + FIGURES), "corrupt": number(4, 0),
        "token": octets(5, b"token"), "types": number(7, 1), "ids": text(8, "DS-1"), **changed}
    return b"".join(parts.values())


def test_a_located_block() -> None:
    raw = octets(1, IDENTITY) + FIGURES
    told = messages.located_block(located())
    assert told == (
        Block("pool", 1, 2, 300), 600, (Datanode("10.0.0.1", 9866, "uuid", raw),), False,
        b"token", (1,), ("DS-1",))


@pytest.mark.parametrize("missing", ["block", "offset", "corrupt", "token"])
def test_a_located_block_without_a_field_is_none(missing: str) -> None:
    with pytest.raises(BadMessage):
        messages.located_block(located(**{missing: b""}))


def test_a_datanode_is_who_it_is_wherever_that_stands_and_whatever_its_figures() -> None:
    for raw in (octets(1, IDENTITY), octets(1, IDENTITY) + FIGURES, FIGURES + octets(1, IDENTITY)):
        assert messages.datanode(raw) == Datanode("10.0.0.1", 9866, "uuid", raw)


@pytest.mark.parametrize("raw", [
    b"", FIGURES, octets(1, b""), octets(1, text(1, "10.0.0.1")), octets(1, IDENTITY)[:-1],
    octets(1, octets(1, b"\xff") + IDENTITY[10:]), number(1, 5)])
def test_what_is_no_datanode(raw: bytes) -> None:
    with pytest.raises(BadMessage):
        messages.datanode(raw)


def test_blocks_of_a_file() -> None:
    block = octets(2, located())
    end = number(3, 0) + number(5, 1)
    told = messages.located_blocks(number(1, 900) + block + block + end)
    assert (told.file_length, len(told.blocks), told.plain, told.complete) == (900, 2, True, True)
    assert not messages.located_blocks(number(1, 9) + number(3, 1) + number(5, 1)).complete
    assert not messages.located_blocks(number(1, 9) + number(3, 0) + number(5, 0)).complete
    for how in (6, 7):
        assert not messages.located_blocks(number(1, 9) + end + octets(how, b"x")).plain


@pytest.mark.parametrize(("bits", "flags"), [(0, 0b111), (0b111 << 12, 0)])
def test_older_namenodes_tell_of_acls_and_coding_in_the_mode(bits: int, flags: int) -> None:
    told = messages.file_status(b"".join((
        number(1, 2), octets(2, b""), number(3, 0), octets(4, number(1, 0o1640 | bits)),
        text(5, "alice"), text(6, "us"), number(7, 1), number(8, 1),
        number(18, flags) if flags else b"")))
    assert told.permission == "1640"
    assert (told.acl, told.encrypted, told.erasure_coded) == (True, True, True)


@pytest.mark.parametrize("reader", READERS)
@PATIENT
@given(st.one_of(st.binary(max_size=100), st.lists(st.tuples(st.integers(1, 20), VALUE)).map(
    lambda fields: b"".join(
        octets(field, value) if isinstance(value, bytes) else number(field, value)
        for field, value in fields))))
def test_garbage_is_a_bad_message(reader: Any, data: bytes) -> None:
    try:
        reader(data)
    except BadMessage:
        return


@PATIENT
@given(st.binary(max_size=12), st.integers(0, 255))
def test_fields_of_fixed_width_in_the_place_of_others_are_no_surprise(
    tail: bytes, key: int,
) -> None:
    for reader in READERS:
        try:
            reader(bytes([key]) + struct.pack("<Q", 7) + tail)
        except BadMessage:
            continue
