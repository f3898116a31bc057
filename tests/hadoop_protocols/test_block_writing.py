"""A block whose DataNodes fail again while they are brought together anew."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from app.hadoop.block_writing import WINDOW, BlockWriter, NotBegun, Terms, WriteFailed
from app.hadoop.checksums import Checksums
from app.hadoop.datanodes import Datanodes
from app.hadoop.ipc_pool import Limits
from tests.hadoop.daemon import free_port
from tests.hadoop_protocols.datanode_played import (
    AGREED,
    PlayedDatanode,
    PlayedNameNode,
    ack,
    named,
    refusal,
)

if TYPE_CHECKING:
    from app.hadoop.messages import Datanode
    from app.hadoop.packets import Packet

LIMITS = Limits(connect_timeout=20.0, read_timeout=20.0)
FIRST, SECOND = b"a" * 5120, b"b" * 1000
CREATE, STREAMING_RECOVERY, CLOSE_RECOVERY = 6, 3, 5


def writer(namenode: PlayedNameNode) -> BlockWriter:
    """Return a writer of the next block."""
    terms = Terms(namenode, Datanodes(LIMITS), "me", Checksums(2, 512), 1 << 20)
    return BlockWriter(terms, namenode.add_block("/file", "me", 7, None, ()))


def row_of(first: PlayedDatanode, more: int) -> list[Datanode]:
    """Return a row of DataNodes, of which the first alone is ever spoken to."""
    return [first.node, *(named(free_port()) for _ in range(more))]


def at(connection: int, sequence: int, *replies: int) -> object:
    """Return an `acked` that says so of one packet, of all others that they arrived."""
    def acked(before: int, packet: Packet, nodes: int) -> bytes:
        if (before, packet.sequence) == (connection, sequence):
            return ack(sequence, *replies)
        return ack(packet.sequence, *[0] * nodes)

    return acked


def test_what_is_safe_is_not_sent_again_and_what_was_sent_is_told() -> None:
    with PlayedDatanode(acked=at(0, 1, 0, 1)) as first:
        namenode = PlayedNameNode(row_of(first, 1))
        block = writer(namenode)
        block.begin(FIRST)
        block.write(SECOND)
        block.finish()
        again = first.written[1]
        assert (again.stage, again.request[6], again.request[7]) == (
            STREAMING_RECOVERY, [len(FIRST)], [len(FIRST + SECOND)])
        assert again.data == {len(FIRST): SECOND}
        assert [one.sequence for one in again.packets] == [1, 2]
        assert (block.size, block.block.length, block.block.stamp) == (6120, 6120, 1001)


def test_the_rest_of_a_row_may_refuse_and_name_another() -> None:
    row: list[Datanode] = []

    def begun(before: int) -> bytes:
        return refusal(bad_link=f"127.0.0.1:{row[3].port}") if before == 1 else AGREED

    with PlayedDatanode(begun, at(0, 0, 0, 1, 0, 0)) as first:
        row += row_of(first, 3)
        namenode = PlayedNameNode(row)
        block = writer(namenode)
        block.begin(FIRST)
        block.finish()
        assert [one.nodes for one in first.written] == [4, 3, 2]
        # The replicas may have any of the stamps up to the newest one.
        assert [one.request[8] for one in first.written] == [[1000], [1001], [1002]]
        (old, new, nodes, _), = namenode.of("update_pipeline")
        assert (old.stamp, new.stamp) == (1000, 1002)
        assert nodes == (row[0].port, row[2].port)


def test_a_row_may_fail_again_after_it_was_made_anew() -> None:
    def acked(before: int, packet: Packet, nodes: int) -> bytes:
        return ack(packet.sequence, *[0] * (nodes - 1), 1 if before < 2 else 0)

    with PlayedDatanode(acked=acked) as first:
        namenode = PlayedNameNode(row_of(first, 2))
        block = writer(namenode)
        block.begin(FIRST)
        block.write(SECOND)
        block.finish()
        assert [one.nodes for one in first.written] == [3, 2, 1]
        assert first.written[-1].content == FIRST + SECOND
        stamps = [(old.stamp, new.stamp) for old, new, *_ in namenode.of("update_pipeline")]
        assert stamps == [(1000, 1001), (1001, 1002)]


def test_at_the_end_all_data_is_safe_before_the_last_packet_goes() -> None:
    held = threading.Event()

    def acked(before: int, packet: Packet, nodes: int) -> bytes:
        if packet.sequence == 0:
            assert held.wait(60)
        return ack(packet.sequence, *[0] * nodes)

    with PlayedDatanode(acked=acked) as first, ThreadPoolExecutor(1) as pool:
        block = writer(PlayedNameNode(row_of(first, 1)))
        done = pool.submit(block.write_whole, FIRST)
        while not (first.written and first.written[0].packets):
            assert not done.done()
        assert not first.written[0].packets[-1].last
        held.set()
        done.result(60)
        assert first.written[0].packets[-1].last


@pytest.mark.parametrize("again", [AGREED, refusal(), None], ids=["agreed", "refused", "gone"])
def test_the_end_of_a_block_may_fail_too(again: bytes | None) -> None:
    def begun(before: int) -> bytes | None:
        return again if before == 1 else AGREED

    with PlayedDatanode(begun, at(0, 1, 0, 0, 1)) as first:
        namenode = PlayedNameNode(row_of(first, 2))
        block = writer(namenode)
        if again == AGREED:
            block.write_whole(FIRST)
            assert [one.stage for one in first.written] == [CREATE, CLOSE_RECOVERY]
            assert first.written[1].packets == []
            assert block.block.stamp == 1001
        else:
            # The first refused, the second is not there.
            with pytest.raises(WriteFailed):
                block.write_whole(FIRST)
            assert "update_pipeline" not in namenode.names()


def test_who_does_not_agree_is_named() -> None:
    bad = named(free_port())
    with PlayedDatanode(lambda _: refusal(bad_link=f"127.0.0.1:{bad.port}")) as first:
        block = writer(PlayedNameNode([first.node, bad]))
        with pytest.raises(NotBegun) as told:
            block.begin(FIRST)
        assert told.value.node == bad


def test_a_beat_never_waits_for_the_writer() -> None:
    held = threading.Event()

    def acked(_: int, packet: Packet, __: int) -> bytes:
        assert held.wait(60)
        return ack(packet.sequence, 0)

    with PlayedDatanode(acked=acked) as first, ThreadPoolExecutor(1) as pool:
        block = writer(PlayedNameNode([first.node]))
        block.begin(b"a" * WINDOW)
        # Packets go out four at a time.
        done = pool.submit(lambda: [block.write(b"b" * 512) for _ in range(4)])
        while not block._lock.locked():
            assert not done.done()
        block.beat(0)
        held.set()
        done.result(60)
        block.finish()
        assert {one.sequence for one in first.written[0].packets} == set(range(6))
