"""A row of DataNodes: what it is asked, and how its answers are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.hadoop.checksums import Checksums
from app.hadoop.datanodes import Datanodes, NoDatanode
from app.hadoop.ipc_pool import Limits
from app.hadoop.messages import Block, LocatedBlock
from app.hadoop.packets import pack
from app.hadoop.pipeline import CREATE, Outgoing, Pipeline, PipelineBroken, Setup, only
from app.hadoop.protobuf import delimited, number, octets, text
from tests.gateway import wait_for
from tests.hadoop.daemon import free_port
from tests.hadoop_protocols.datanode_played import AGREED, PlayedDatanode, ack, named, refusal

if TYPE_CHECKING:
    from app.hadoop.messages import Datanode

LIMITS = Limits(connect_timeout=20.0, read_timeout=20.0)
SETUP = Setup(CREATE, 1 << 20, 0, 0, 1000)


def located(*nodes: Datanode) -> LocatedBlock:
    """Return a block on these DataNodes."""
    return LocatedBlock(
        Block("BP-1", 5, 1000, 0), 0, nodes, False, text(1, "token"),
        tuple(range(1, len(nodes) + 1)), tuple(f"DS-{node.port}" for node in nodes))


def pipeline(*nodes: Datanode) -> Pipeline:
    """Return a pipeline through these DataNodes."""
    return Pipeline(Datanodes(LIMITS), located(*nodes), "me", SETUP, Checksums(2, 512))


def packet(sequence: int, data: bytes, *, last: bool = False) -> Outgoing:
    """Return a packet that begins the block."""
    sums = Checksums(2, 512).of(data)
    head = pack(0, sequence, last=last, length=len(data), checksums=len(sums))
    return Outgoing(sequence, len(data), (head, sums, data))


def test_a_row_is_told_of_all_but_its_first() -> None:
    second, third = named(1002), named(1003)
    with PlayedDatanode() as first:
        row = pipeline(first.node, second, third)
        row.begin()
        row.close()
        told = first.written[0].request
    assert told[2] == [second.raw, third.raw]
    assert told[5] == [3]
    assert (told[11], told[12]) == ([1], [2, 3])
    assert (told[16], told[17]) == ([f"DS-{first.port}".encode()], [b"DS-1002", b"DS-1003"])
    block = text(1, "BP-1") + number(2, 5) + number(3, 1000) + number(4, 1 << 20)
    base = octets(1, block) + octets(2, text(1, "token"))
    assert told[1] == [octets(1, base) + text(2, "me")]


def test_without_one_the_others_keep_their_storages() -> None:
    left = only(located(named(1), named(2), named(3)), 1)
    assert [node.port for node in left.nodes] == [1, 3]
    assert (left.storage_types, left.storage_ids) == ((1, 3), ("DS-1", "DS-3"))


def test_nobody_there_is_told_as_such() -> None:
    with pytest.raises(NoDatanode):
        pipeline(named(free_port()))


def test_packets_may_go_before_the_answer() -> None:
    with PlayedDatanode() as datanode:
        row = pipeline(datanode.node)
        row.send([packet(0, b"a" * 1000), packet(1, b"", last=True)])
        assert not row.begun
        assert [row.acknowledged(), row.acknowledged()] == [0, 1]
        assert row.begun
        row.close()
        assert datanode.written[0].content == b"a" * 1000


def test_answers_may_come_in_any_pieces() -> None:
    answers = AGREED + ack(-1, 0) + ack(0, 0) + ack(-1, 0) + ack(1 << 40, 0)
    with PlayedDatanode(lambda _: answers) as datanode:
        row = pipeline(datanode.node)
        row._link.socket = row._socket = Drop(row._socket)
        assert [row.acknowledged(), row.acknowledged()] == [0, 1 << 40]
        row.close()


class Drop:
    """A socket from which an octet comes at a time."""

    def __init__(self, real: object) -> None:
        self._real = real

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def recv(self, _: int) -> bytes:
        received: bytes = self._real.recv(1)
        return received


@pytest.mark.parametrize(("answer", "place"), [
    (refusal(), 0), (refusal(bad_link="127.0.0.1:1003"), 2), (refusal(bad_link="x:1"), 0),
    (refusal(status=5), 0), (b"\x00", 0), (b"\x80\x80\x80\x01", 0), (b"\x81\x80\x04", 0),
    (delimited(b"\xff"), 0), (None, 0)])
def test_who_is_at_fault_when_a_block_is_refused(answer: bytes | None, place: int) -> None:
    with PlayedDatanode(lambda _: answer) as first:
        row = pipeline(first.node, named(1002), named(1003))
        with pytest.raises(PipelineBroken) as told:
            row.begin()
        row.close()
    assert told.value.node == place


@pytest.mark.parametrize(("answer", "place"), [
    (ack(0, 0, 0, 1), 2), (ack(0, 0, 1, 0), 1), (ack(0, 1), 0), (ack(0, 1, 1, 1), 2),
    (ack(0, 0, 2), 1), (ack(0, 0, 0), 0), (ack(0, 0, 0, 0, 0), 0), (ack(0), 0),
    (delimited(b"\x10"), 0), (None, 0),
    # A DataNode that is restarted says so unasked, as number -2.
    (ack(-2, 8, 0, 0), 0)])
def test_who_is_at_fault_when_a_packet_fails(answer: bytes | None, place: int) -> None:
    with PlayedDatanode(acked=lambda *_: answer) as first:
        row = pipeline(first.node, named(1002), named(1003))
        row.begin()
        row.send([packet(0, b"a")])
        with pytest.raises(PipelineBroken) as told:
            row.acknowledged()
        row.close()
    assert told.value.node == place


def test_a_packet_that_was_cut_short_is_the_last() -> None:
    class Killed(BaseException):
        pass

    class Torn(Drop):
        def sendmsg(self, _: object) -> int:
            raise Killed

    with PlayedDatanode() as datanode:
        row = pipeline(datanode.node)
        row.begin()
        real, row._socket = row._socket, Torn(row._socket)
        with pytest.raises(Killed):
            row.send([packet(0, b"a")])
        row._socket = real
        row.beat(0)
        with pytest.raises(PipelineBroken, match="cut short"):
            row.send([packet(0, b"a")])
        row.close()
        assert datanode.written[0].packets == []


def test_beats_are_sent_to_who_is_idle_and_never_raise() -> None:
    with PlayedDatanode() as datanode:
        row = pipeline(datanode.node)
        row.beat(0)  # before the request nothing may be sent
        row.begin()
        row.beat(60)
        row.beat(0)
        row.send([packet(0, b"a")])
        assert row.acknowledged() == 0
        assert [one.sequence for one in datanode.written[0].packets] == [-1, 0]
        row.close()
        row.beat(0)


def test_a_beat_that_is_cut_short_is_finished_before_the_next_packet() -> None:
    class Narrow(Drop):
        def send(self, data: bytes) -> int:
            sent: int = self._real.send(data[:3])
            return sent

    with PlayedDatanode() as datanode:
        row = pipeline(datanode.node)
        row.begin()
        real, row._socket = row._socket, Narrow(row._socket)
        row.beat(0)
        row._socket = real
        row.beat(0)
        row.send([packet(0, b"a")])
        assert row.acknowledged() == 0
        row.close()
        wait_for("both came", lambda: [one.sequence for one in datanode.written[0].packets] == [
            -1, 0])


def test_a_packet_larger_than_the_sockets_buffer_arrives_whole() -> None:
    data = bytes(range(256)) * 32768
    with PlayedDatanode() as datanode:
        row = pipeline(datanode.node)
        row.begin()
        row.send([packet(0, data)])
        assert row.acknowledged() == 0
        row.close()
        assert datanode.written[0].content == data
