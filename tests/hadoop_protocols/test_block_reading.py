"""What is read of a block is right, however it comes, or it is not handed out."""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.hadoop.block_reading import BlockFailed, BlockReader, Corrupt
from app.hadoop.datanodes import Datanodes, NoDatanode
from app.hadoop.ipc_pool import Limits
from app.hadoop.protobuf import decode, delimited, number, octets, read_delimited
from tests.hadoop_protocols.block_stream import (
    CRC32,
    TOKEN,
    FedDatanodes,
    Frame,
    answer,
    frames,
    located,
    node,
    refusal,
    scripted,
    stream,
    sums,
)
from tests.hadoop_protocols.properties import PATIENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.hadoop.messages import Datanode

CONTENT = random.Random(0).randbytes(300_000)
FAREWELL = b"\x02\x08\x06"
LIMITS = Limits(connect_timeout=5, read_timeout=10)


def read_all(reader: BlockReader, sizes: Sequence[int] = (65536,)) -> bytes:
    pieces = []
    while piece := reader.read(sizes[len(pieces) % len(sizes)]):
        assert len(piece) <= sizes[len(pieces) % len(sizes)]
        pieces.append(piece)
    reader.close()
    return b"".join(pieces)


def fed(
    data: bytes, start: int, length: int, pieces: Sequence[int] = (1 << 20,),
) -> tuple[BlockReader, FedDatanodes]:
    datanodes = FedDatanodes(data, pieces)
    return BlockReader(datanodes, located(len(CONTENT), [node(1)]), node(1), start, length), (
        datanodes)


@PATIENT
@given(st.data(), st.sampled_from([(512, 128, 2), (512, 1, 2), (64, 7, 1), (4096, 3, 2),
                                   (1000, 500, 2), (512, 16, 0)]))
def test_any_stretch_in_any_pieces_is_what_the_block_has(
    data: st.DataObject, form: tuple[int, int, int],
) -> None:
    chunk, per_packet, kind = form
    start = data.draw(st.integers(0, len(CONTENT) - 1))
    length = data.draw(st.integers(1, min(len(CONTENT) - start, 150_000)))
    sizes = data.draw(st.lists(st.integers(1, 100_000), min_size=1, max_size=5))
    comes = data.draw(st.lists(st.integers(1, 100_000), min_size=1, max_size=5))
    if max(comes) < 100:
        comes.append(5000)
    if max(sizes) < 100:
        sizes.append(5000)
    sent = stream(CONTENT, start, length, chunk=chunk, per_packet=per_packet, kind=kind)
    reader, datanodes = fed(sent, start, length, comes)
    assert read_all(reader, sizes) == CONTENT[start:start + length]
    assert datanodes.feed.sent.endswith(FAREWELL)
    assert len(datanodes.given) == 1


@pytest.mark.parametrize("start", [0, 1, 255, 510, 511, 512, 513, 1023, 65535, 65536])
@pytest.mark.parametrize("length", [1, 2, 511, 512, 513, 4096, 65536])
def test_every_position_in_a_chunk(start: int, length: int) -> None:
    reader, _ = fed(stream(CONTENT, start, length), start, length)
    assert read_all(reader) == CONTENT[start:start + length]


def test_what_is_asked_for() -> None:
    reader, datanodes = fed(stream(CONTENT, 700, 5000), 700, 5000)
    read_all(reader)
    sent = datanodes.feed.sent
    assert sent[:3] == b"\x00\x1c\x51"
    start, end = read_delimited(sent, 3)
    assert sent[end:] == FAREWELL
    told = decode(sent, start, end)
    assert (told[2], told[3], told[4]) == (700, 5000, 1)
    base = decode(decode(told[1])[1])
    assert decode(base[1]) == {1: b"pool", 2: 7, 3: 3, 4: len(CONTENT)}
    assert base[2] == TOKEN


def test_a_stream_that_ends_anywhere_is_a_failure_and_gives_no_byte_too_many() -> None:
    whole = stream(CONTENT, 100, 5000, per_packet=3)
    trailer = len(frames(CONTENT, 100, 5000)[-1].octets())
    for cut in range(0, len(whole) - trailer, 7):
        got = b""
        with pytest.raises(BlockFailed):  # noqa: PT012 - either may raise
            reader, _ = fed(whole[:cut], 100, 5000, (997,))
            while piece := reader.read(1000):
                got += piece
        assert CONTENT[100:].startswith(got)
        assert len(got) < 5000


def test_bytes_that_came_count_though_the_end_does_not() -> None:
    whole = stream(CONTENT, 0, 5000)
    trailer = len(frames(CONTENT, 0, 5000)[-1].octets())
    for cut in range(1, trailer + 1):
        reader, datanodes = fed(whole[:-cut], 0, 5000)
        assert read_all(reader) == CONTENT[:5000]
        assert not datanodes.given


def test_every_flipped_octet_is_seen_or_is_none_of_the_bytes() -> None:
    whole = stream(CONTENT, 100, 3000, per_packet=2)
    for at in range(0, len(whole), 3):
        bad = bytearray(whole)
        bad[at] ^= 1 << (at % 8)
        got = b""
        try:
            reader, _ = fed(bytes(bad), 100, 3000)
            while piece := reader.read(1000):
                got += piece
        except BlockFailed:
            assert CONTENT[100:].startswith(got)
        else:
            assert got == CONTENT[100:3100]


def test_wrong_bytes_are_told_from_a_broken_stream() -> None:
    good = frames(CONTENT, 0, 65536 * 2)
    bad = good[1]._replace(data=bytes(len(good[1].data)))
    sent = answer(0) + b"".join(one.octets() for one in (good[0], bad, good[2]))
    reader, datanodes = fed(sent, 0, 65536 * 2)
    assert reader.read(65536) == CONTENT[:65536]
    with pytest.raises(Corrupt, match="65536 to 131072"):
        reader.read(65536)
    reader.close()
    assert not datanodes.given


def lies() -> list[tuple[str, list[Frame]]]:
    one, two, end = frames(CONTENT, 0, 2048, per_packet=2)
    return [
        ("another sequence", [one, two._replace(sequence=2), end]),
        ("the first again", [one, one, end]),
        ("a gap", [one, two._replace(offset=1536), end]),
        ("bytes from before", [one, two._replace(offset=512), end]),
        ("negative offset", [one._replace(offset=-1024), two, end]),
        ("empty", [Frame(0, 0, False, b"", b""), one._replace(sequence=1), end]),
        ("the end too early", [one, Frame(1024, 1, True, b"", b"")]),
        ("data in the last", [one._replace(last=True), two, end]),
        ("no checksums", [one._replace(sums=b""), two, end]),
        ("a checksum more", [one._replace(sums=one.sums + bytes(4)), two, end]),
        ("part of a chunk", [one._replace(data=one.data[:700], sums=sums(one.data[:700]))]),
        ("more than was asked for", [one, two._replace(
            data=CONTENT[1024:3000], sums=sums(CONTENT[1024:3000])), end]),
        ("a heartbeat", [Frame(0, -1, False, b"", b""), one, two, end]),
    ]


@pytest.mark.parametrize(("name", "packets"), lies())
def test_packets_that_do_not_follow_are_refused(name: str, packets: list[Frame]) -> None:
    sent = answer(0) + b"".join(one.octets() for one in packets)
    reader, datanodes = fed(sent, 0, 2048)
    with pytest.raises(BlockFailed):
        read_all(reader)
    assert not datanodes.given


@pytest.mark.parametrize("told", [
    b"\xff\xff\xff\xff\x7f", b"\xff" * 10, b"\x80" * 10, b"\x00", b"\x03abc",
    delimited(number(1, 0)),
    delimited(number(1, 0) + number(4, 5)),
    delimited(number(1, 0) + octets(4, octets(1, number(1, 9) + number(2, 512)) + number(2, 0))),
    delimited(number(1, 0) + octets(4, octets(1, number(1, 2) + number(2, 0)) + number(2, 0))),
    delimited(number(1, 0) + octets(4, octets(1, number(1, 2) + number(2, 512)) + octets(2, b"x"))),
    answer(512), answer(1 << 62), answer(-512), answer(0, chunk=1 << 31),
])
def test_answers_that_make_no_sense_are_refused(told: bytes) -> None:
    with pytest.raises(BlockFailed):
        fed(told + stream(CONTENT, 0, 10)[20:], 300, 10)


def test_a_refusal_says_what_the_datanode_said() -> None:
    with pytest.raises(BlockFailed, match=r"127\.0\.0\.1:1: status 5: the token has expired"):
        fed(refusal(5, "the token has expired"), 0, 10)


def test_packets_larger_than_expected_are_read() -> None:
    reader, _ = fed(stream(CONTENT, 5, 290_000, per_packet=600), 5, 290_000, (70_000,))
    assert read_all(reader, (100_000,)) == CONTENT[5:290_005]


def test_heads_with_more_fields_are_read() -> None:
    more = octets(15, bytes(200))
    sent = answer(0, kind=CRC32) + b"".join(
        one._replace(more_fields=more).octets() for one in frames(CONTENT, 0, 70_000, kind=CRC32))
    reader, _ = fed(sent, 0, 70_000, (33,))
    assert read_all(reader) == CONTENT[:70_000]


def test_who_stops_in_between_keeps_no_connection() -> None:
    reader, datanodes = fed(stream(CONTENT, 0, 200_000), 0, 200_000)
    assert reader.read(10) == CONTENT[:10]
    reader.close()
    reader.close()
    assert not datanodes.given
    assert datanodes.feed.closed


# --- over real sockets

def ask(datanodes: Datanodes, one: Datanode, start: int = 0, length: int = 1000) -> bytes:
    return read_all(BlockReader(datanodes, located(len(CONTENT), [one]), one, start, length))


def request_of(connection: socket.socket) -> tuple[int, int] | None:
    """Read one request: where the wanted bytes start, and how many; None when the client went."""
    data = connection.recv(3)
    if not data:
        return None
    while True:
        data += connection.recv(1)
        try:
            start, end = read_delimited(data, 3)
        except ValueError:
            continue
        told = decode(data, start, end)
        return told[2], told[3]


def serve_well(connection: socket.socket, _: int) -> None:
    while wanted := request_of(connection):
        connection.sendall(stream(CONTENT, *wanted))
        assert connection.recv(3) == FAREWELL


def test_a_connection_serves_one_read_after_the_other() -> None:
    served: list[int] = []

    def serve(connection: socket.socket, index: int) -> None:
        served.append(index)
        serve_well(connection, index)

    with scripted(serve) as port:
        datanodes = Datanodes(LIMITS)
        for start in range(0, 10_000, 1000):
            assert ask(datanodes, node(port), start) == CONTENT[start:start + 1000]
        datanodes.close()
    assert served == [0]


@pytest.mark.parametrize("reset", [False, True])
def test_a_connection_that_was_closed_while_idle_is_replaced(reset: bool) -> None:
    closed = [threading.Event(), threading.Event()]

    def serve(connection: socket.socket, index: int) -> None:
        wanted = request_of(connection)
        assert wanted
        connection.sendall(stream(CONTENT, *wanted))
        connection.recv(3)
        if reset:
            connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.close()
        closed[index].set()

    with scripted(serve) as port:
        datanodes = Datanodes(LIMITS)
        for event in closed:
            assert ask(datanodes, node(port)) == CONTENT[:1000]
            assert event.wait(30)
        datanodes.close()


def test_a_new_connection_that_is_closed_is_not_tried_again() -> None:
    served: list[int] = []

    def serve(connection: socket.socket, index: int) -> None:
        served.append(index)
        request_of(connection)

    with scripted(serve) as port, pytest.raises(BlockFailed, match="closed"):
        ask(Datanodes(LIMITS), node(port))
    assert served == [0]


@pytest.mark.parametrize("sent", [0, 5, 300])
def test_a_datanode_that_falls_silent_is_given_up_and_shunned(sent: int) -> None:
    over = threading.Event()

    def serve(connection: socket.socket, _: int) -> None:
        wanted = request_of(connection)
        assert wanted
        connection.sendall(stream(CONTENT, *wanted)[:sent])
        over.wait(60)

    with scripted(serve) as port:
        datanodes = Datanodes(LIMITS._replace(read_timeout=0.2))
        silent, other = node(port), node(1, "other")
        with pytest.raises(BlockFailed, match=r"nothing came in 0\.2 s"):
            ask(datanodes, silent)
        over.set()
        assert datanodes.ranked([silent, other]) == [other, silent]


def test_a_datanode_that_is_not_there_is_shunned_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gone, other = node(listener.getsockname()[1]), node(1, "other")
    datanodes = Datanodes(LIMITS)
    with pytest.raises(NoDatanode):
        ask(datanodes, gone)
    assert datanodes.ranked([gone, other]) == [other, gone]
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 60)
    assert datanodes.ranked([gone, other]) == [gone, other]


def test_connections_that_were_idle_too_long_are_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served: list[int] = []

    def serve(connection: socket.socket, index: int) -> None:
        served.append(index)
        serve_well(connection, index)

    with scripted(serve) as port:
        datanodes = Datanodes(LIMITS)
        ask(datanodes, node(port))
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + 3.5)
        ask(datanodes, node(port))
        monkeypatch.undo()
        datanodes.close()
    assert served == [0, 1]


def test_a_forked_child_has_connections_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[int] = []

    def serve(connection: socket.socket, index: int) -> None:
        served.append(index)
        serve_well(connection, index)

    with scripted(serve) as port:
        datanodes = Datanodes(LIMITS)
        ask(datanodes, node(port))
        child = os.getpid() + 1
        monkeypatch.setattr(os, "getpid", lambda: child)
        ask(datanodes, node(port))
        ask(datanodes, node(port))
        datanodes.close()
    assert served == [0, 1]


@pytest.mark.parametrize("one", [
    node(1 << 40), node(1)._replace(host="x" * 300), node(1)._replace(host="no such host")])
def test_an_address_that_is_none_is_out_of_reach(one: Datanode) -> None:
    with pytest.raises(NoDatanode):
        Datanodes(LIMITS).connect(one)


def test_many_threads_share_the_connections() -> None:
    results: list[bool] = []
    with scripted(serve_well) as port:
        datanodes = Datanodes(LIMITS._replace(pool_size=2))

        def work(seed: int) -> None:
            picks = random.Random(seed)
            for _ in range(20):
                start, length = picks.randrange(200_000), picks.randrange(1, 100_000)
                got = ask(datanodes, node(port), start, length)
                results.append(got == CONTENT[start:start + length])

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        kept = sum(map(len, datanodes._idle.values()))
        datanodes.close()
    assert results == [True] * 120
    assert kept <= 2
