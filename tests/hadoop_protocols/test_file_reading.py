"""A file is read whole from whoever has its blocks; what one DataNode fails, another gives."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, cast

import pytest

from app.hadoop.datanodes import Datanodes, NoDatanode
from app.hadoop.file_reading import FileReader, NotPlain, ReadFailed
from app.hadoop.ipc import RemoteError
from app.hadoop.ipc_pool import Limits
from app.hadoop.messages import LocatedBlock, LocatedBlocks
from app.hadoop.protobuf import decode, read_delimited
from tests.hadoop_protocols.block_stream import located, node, refusal, scripted, stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.hadoop.client_protocol import NameNodeClient
    from app.hadoop.messages import Datanode

BLOCK = 100_000
CONTENT = random.Random(1).randbytes(25 * BLOCK + 77)
LIMITS = Limits(connect_timeout=5, read_timeout=10)
used: list[Datanodes] = []


@pytest.fixture(autouse=True)
def _ended() -> Iterator[None]:
    yield
    while used:
        used.pop().close()


class FakeNameNode:
    """Tells of the blocks of CONTENT on these DataNodes; `told` is what was asked for."""

    def __init__(self, *nodes: Datanode) -> None:
        self.nodes = nodes
        self.length = len(CONTENT)
        self.first_id = 1000
        self.plain = self.complete = True
        self.told: list[tuple[int, int]] = []
        self.reported: list[tuple[int, str]] = []

    def get_block_locations(self, path: str, offset: int, length: int) -> LocatedBlocks | None:
        assert path == "/file"
        self.told.append((offset, length))
        first, last = offset // BLOCK, (min(offset + length, self.length) - 1) // BLOCK
        return LocatedBlocks(
            self.length, tuple(map(self._block, range(first, last + 1))),
            self.plain, self.complete)

    def report_bad_block(self, block: LocatedBlock, node: Datanode) -> None:
        self.reported.append((block.block.block_id, node.uuid))
        raise RemoteError("StandbyException", "a report is not worth a read")

    def _block(self, index: int) -> LocatedBlock:
        at = index * BLOCK
        return located(min(BLOCK, self.length - at), self.nodes, offset=at,
                       block_id=self.first_id + index)


class FakeDatanode:
    """Serves the blocks of CONTENT, each answer as `spoil` makes it; counts what it was asked."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[tuple[int, int, int]] = []
        self.spoil: Callable[[bytes], bytes] = bytes
        self.refuses = False

    def serve(self, connection: socket.socket, _: int) -> None:
        while data := connection.recv(3):
            while True:
                data += connection.recv(1)
                try:
                    start, end = read_delimited(data, 3)
                except ValueError:
                    continue
                break
            told = decode(data, start, end)
            block = decode(decode(decode(told[1])[1])[1])[2] - 1000
            self.asked.append((block, told[2], told[3]))
            content = CONTENT[block * BLOCK:(block + 1) * BLOCK]
            sent = refusal(5, "no") if self.refuses else stream(content, told[2], told[3])
            spoilt = self.spoil(sent)
            connection.sendall(spoilt)
            if len(spoilt) < len(sent) or self.refuses:
                return
            connection.recv(3)


@contextmanager
def datanodes(count: int) -> Iterator[list[FakeDatanode]]:
    with ExitStack() as stack:
        made = [FakeDatanode() for _ in range(count)]
        for one in made:
            one.port = stack.enter_context(scripted(one.serve))
        yield made


def namenode(nodes: list[FakeDatanode]) -> FakeNameNode:
    return FakeNameNode(*(node(one.port, f"node {one.port}") for one in nodes))


def opened(fake: FakeNameNode, offset: int, length: int) -> FileReader:
    used.append(Datanodes(LIMITS))
    return FileReader(cast("NameNodeClient", fake), used[-1], "/file", offset, length)


def read_all(reader: FileReader, size: int = 65536) -> bytes:
    pieces = []
    while piece := reader.read(size):
        assert len(piece) <= size
        pieces.append(piece)
    assert reader.read(size) == b""
    reader.close()
    return b"".join(pieces)


def test_a_whole_file_is_read_block_by_block_and_asked_for_in_windows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.hadoop.file_reading._FIRST_WINDOW", 3 * BLOCK)
    with datanodes(1) as (one,):
        fake = namenode([one])
        assert read_all(opened(fake, 0, len(CONTENT))) == CONTENT
        assert fake.told == [(0, 3 * BLOCK), (3 * BLOCK, 10 * BLOCK), (13 * BLOCK, 10 * BLOCK),
                             (23 * BLOCK, 2 * BLOCK + 77)]
        assert one.asked == [
            (block, 0, min(BLOCK, len(CONTENT) - block * BLOCK)) for block in range(26)]


@pytest.mark.parametrize(("offset", "length"), [
    (0, 1), (BLOCK - 1, 1), (BLOCK - 1, 2), (BLOCK, BLOCK), (5 * BLOCK + 7, 2 * BLOCK),
    (25 * BLOCK, 77), (25 * BLOCK + 76, 1), (24 * BLOCK + 9, BLOCK + 68)])
@pytest.mark.parametrize("size", [777, 1 << 20])
def test_any_range(offset: int, length: int, size: int) -> None:
    with datanodes(1) as (one,):
        fake = namenode([one])
        assert read_all(opened(fake, offset, length), size) == CONTENT[offset:offset + length]
        assert len(fake.told) == 1


def test_the_datanode_has_answered_when_the_reader_is_there() -> None:
    with datanodes(1) as (one,):
        reader = opened(namenode([one]), 10, 20)
        assert one.asked == [(0, 10, 20)]
        reader.close()
        assert reader.read(10) == b""


@pytest.mark.parametrize(("plain", "complete", "length"), [
    (False, True, len(CONTENT)), (True, False, len(CONTENT)), (True, True, len(CONTENT) - 1)])
def test_what_is_not_plain_is_left_to_webhdfs(plain: bool, complete: bool, length: int) -> None:
    fake = FakeNameNode(node(1))
    fake.plain, fake.complete, fake.length = plain, complete, length
    with pytest.raises(NotPlain):
        opened(fake, 0, len(CONTENT))


def test_where_nothing_is_webhdfs_is_to_say_so() -> None:
    class Empty(FakeNameNode):
        def get_block_locations(self, *_: object) -> None:
            return None

    with pytest.raises(NotPlain):
        opened(Empty(), 0, 1)


def test_what_the_namenode_refuses_comes_through() -> None:
    class Refusing(FakeNameNode):
        def get_block_locations(self, *_: object) -> None:
            raise RemoteError("AccessControlException", "no")

    with pytest.raises(RemoteError, match="no"):
        opened(Refusing(), 0, 1)


@pytest.mark.parametrize("cut", [0, 10, 40, 600, 70_000])
def test_another_replica_goes_on_where_one_broke_off(cut: int) -> None:
    with datanodes(2) as (one, two):
        one.spoil = lambda sent: sent[:cut]
        fake = namenode([one, two])
        assert read_all(opened(fake, 0, 3 * BLOCK)) == CONTENT[:3 * BLOCK]
        handed_out = 65536 if cut > 66_200 else 0
        assert two.asked[0] == (0, handed_out, BLOCK - handed_out)
        assert len(fake.told) == 1


def test_a_replica_with_wrong_bytes_is_left_for_one_with_right_ones() -> None:
    def flip(sent: bytes) -> bytes:
        bad = bytearray(sent)
        bad[-1000] ^= 4
        return bytes(bad)

    with datanodes(2) as (one, two):
        one.spoil = flip
        fake = namenode([one, two])
        assert read_all(opened(fake, 0, 2 * BLOCK)) == CONTENT[:2 * BLOCK]
        assert two.asked == [(0, 65536, BLOCK - 65536), (1, 65536, BLOCK - 65536)]
        assert fake.reported == [(1000, fake.nodes[0].uuid), (1001, fake.nodes[0].uuid)]


def test_wrong_bytes_everywhere_may_be_the_readers_fault_and_are_not_reported() -> None:
    with datanodes(2) as both:
        for one in both:
            one.spoil = lambda sent: sent[:-100] + bytes(100)
        fake = namenode(both)
        reader = opened(fake, 0, 1000)
        with pytest.raises(ReadFailed, match="wrong checksum"):
            reader.read(1000)
        reader.close()
        assert not fake.reported


def test_a_replica_that_refuses_is_left() -> None:
    with datanodes(2) as (one, two):
        one.refuses = True
        assert read_all(opened(namenode([one, two]), 5, 100)) == CONTENT[5:105]
        assert two.asked == [(0, 5, 100)]


def test_a_replica_out_of_reach_is_left_and_asked_last_from_then_on() -> None:
    with datanodes(1) as (one,):
        fake = FakeNameNode(node(closed_port(), "gone"), node(one.port, "there"))
        assert read_all(opened(fake, 0, 3 * BLOCK)) == CONTENT[:3 * BLOCK]
        assert len(fake.told) == 1


def test_the_namenode_is_asked_anew_once_when_all_replicas_failed() -> None:
    with datanodes(2) as (one, two):
        fake = namenode([one])
        one.refuses = True

        def moved(sent: bytes) -> bytes:
            fake.nodes = (node(two.port, "new"),)
            return sent

        one.spoil = moved
        assert read_all(opened(fake, 0, 2 * BLOCK)) == CONTENT[:2 * BLOCK]
        assert fake.told[:2] == [(0, 2 * BLOCK), (0, 1)]


def test_when_all_fail_twice_the_read_fails_and_says_why() -> None:
    with datanodes(2) as both:
        for one in both:
            one.refuses = True
        fake = namenode(both)
        with pytest.raises(ReadFailed, match=r"block 1000: .*status 5: no"):
            opened(fake, 0, 10)
        assert [len(one.asked) for one in both] == [2, 2]
        assert len(fake.told) == 2


def test_when_all_fail_in_the_middle_the_read_fails() -> None:
    with datanodes(1) as (one,):
        reader = opened(namenode([one]), 0, 3 * BLOCK)
        assert reader.read(1000) == CONTENT[:1000]
        one.spoil = lambda sent: sent[:100]
        with pytest.raises(ReadFailed):
            read_all(reader)
        reader.close()


def test_where_no_datanode_can_be_reached_nothing_was_sent() -> None:
    fake = FakeNameNode(node(closed_port(), "one"), node(closed_port(), "two"))
    with pytest.raises(NoDatanode):
        opened(fake, 0, 10)
    assert len(fake.told) == 1, "a port that is shut silently costs seconds each time"


def test_ports_that_were_shut_a_moment_ago_are_not_tried_by_each_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    tried: list[int] = []
    there = node(1, "there")

    def connected(address: tuple[str, int], _: float) -> socket.socket:
        tried.append(address[1])
        raise TimeoutError("timed out")

    monkeypatch.setattr("app.hadoop.datanodes.time.monotonic", lambda: now[0])
    monkeypatch.setattr("app.hadoop.datanodes._connected", connected)
    shut = FakeNameNode(node(2, "two"), node(3, "three"))
    with closing(Datanodes(LIMITS)) as nodes:
        for _ in range(5):
            with pytest.raises(NoDatanode):
                FileReader(cast("NameNodeClient", shut), nodes, "/file", 0, 10)
        assert tried == [2, 3]
        partly = FakeNameNode(*shut.nodes, there)
        with pytest.raises(NoDatanode):
            FileReader(cast("NameNodeClient", partly), nodes, "/file", 0, 10)
        assert tried == [2, 3, 1, 2, 3]
        now[0] += 11
        with pytest.raises(NoDatanode):
            FileReader(cast("NameNodeClient", shut), nodes, "/file", 0, 10)
        assert tried[5:] == [2, 3]


def test_a_block_that_nobody_has_is_no_fault_of_the_datanodes() -> None:
    with pytest.raises(ReadFailed, match="no DataNode has it"):
        opened(FakeNameNode(), 0, 10)


def test_a_block_that_was_replaced_meanwhile_is_not_read() -> None:
    with datanodes(1) as (one,):
        fake = namenode([one])
        reader = opened(fake, 0, 2 * BLOCK)
        assert reader.read(1000) == CONTENT[:1000]
        fake.first_id = 1001
        one.spoil = lambda sent: sent[:100]
        reader._reader.close()  # type: ignore[union-attr]
        reader._reader = None
        with pytest.raises(ReadFailed, match="another block"):
            reader.read(BLOCK)
        reader.close()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
