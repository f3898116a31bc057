"""What is written, against DataNodes and a NameNode that are played: who does what wrong, and when.

A real cluster is written to in test_writing_to_hadoop.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from app.hadoop import datanodes as datanodes_module
from app.hadoop.block_writing import WriteFailed
from app.hadoop.datanodes import Datanodes, NoDatanode
from app.hadoop.file_reading import NotPlain
from app.hadoop.file_writing import PACKET, NothingWritten, write_file
from app.hadoop.ipc import RemoteError
from app.hadoop.ipc_pool import Limits
from app.hadoop.keeping import Keeper
from tests.hadoop.daemon import free_port
from tests.hadoop_protocols.datanode_played import (
    AGREED,
    CHUNK,
    PlayedDatanode,
    PlayedNameNode,
    ack,
    named,
    refusal,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Iterator

    from app.hadoop.packets import Packet

LIMITS = Limits(connect_timeout=20.0, read_timeout=20.0)
BIG = os.urandom(3 * PACKET + 100)


def put(namenode: PlayedNameNode, body: Iterable[bytes], **options: Any) -> Datanodes:
    """Write /file; return the DataNodes it was written with."""
    datanodes = options.pop("datanodes", None) or Datanodes(options.pop("limits", LIMITS))
    keeper = Keeper()
    try:
        write_file(namenode, datanodes, keeper, "/file", body, **{
            "mode": 0o644, "unmasked": None, "overwrite": True, "replication": None,
            "block_size": None, **options})
    finally:
        keeper.close()
    return datanodes


def test_a_small_file_takes_one_block_and_one_connection() -> None:
    with PlayedDatanode() as datanode:
        namenode = PlayedNameNode([datanode.node])
        put(namenode, [b"some ", b"", b"bytes"])
        assert [one.content for one in datanode.written] == [b"some bytes"]
        assert namenode.names() == ["get_server_defaults", "create", "add_block", "complete"]
        assert namenode.of("complete")[0][0].length == 10


def test_nothing_is_a_file_without_a_block() -> None:
    namenode = PlayedNameNode([named(free_port())])
    put(namenode, [b"", b""])
    assert namenode.names() == ["get_server_defaults", "create", "complete"]
    assert namenode.of("complete") == [(None,)]


def test_what_the_cluster_wants_is_asked_once() -> None:
    with PlayedDatanode() as datanode:
        namenode = PlayedNameNode([datanode.node], defaults={
            "replication": 2, "block_size": 4096, "checksum_type": 1})
        datanodes = put(namenode, [b"a"])
        put(namenode, [b"b"], datanodes=datanodes, replication=3, block_size=8192)
    assert namenode.names().count("get_server_defaults") == 1
    first, second = (options for _, _, options in namenode.of("create"))
    assert (first["replication"], first["block_size"]) == (2, 4096)
    assert (second["replication"], second["block_size"]) == (3, 8192)
    # CRC32 over 512 bytes, as asked for; room for the whole block.
    assert datanode.written[0].request[9] == [b"\x08\x01\x10\x80\x04"]


def test_each_file_is_another_clients() -> None:
    with PlayedDatanode() as datanode:
        namenode = PlayedNameNode([datanode.node])
        put(namenode, [b"a"])
        put(namenode, [b"b"])
    clients = {client for _, client, _ in namenode.of("create")}
    assert len(clients) == 2
    assert all(client.startswith("httpfs-proxy_") for client in clients)


def test_blocks_are_cut_where_they_are_full_and_committed_with_their_lengths() -> None:
    with PlayedDatanode() as datanode:
        namenode = PlayedNameNode([datanode.node])
        put(namenode, [BIG], block_size=PACKET + CHUNK)
        contents = [one.content for one in datanode.written]
    assert b"".join(contents) == BIG
    assert [len(one) for one in contents] == [PACKET + CHUNK] * 2 + [PACKET + 100 - 2 * CHUNK]
    previous = [block and block.length for block, _ in namenode.of("add_block")]
    assert previous == [None, PACKET + CHUNK, PACKET + CHUNK]
    assert namenode.of("complete")[0][0].length == PACKET + 100 - 2 * CHUNK


def test_a_block_that_is_not_reported_yet_is_asked_for_again() -> None:
    with PlayedDatanode() as datanode:
        namenode = PlayedNameNode([datanode.node], incomplete=3)
        put(namenode, [b"bytes"])
    assert namenode.names().count("complete") == 4


@pytest.mark.parametrize(("defaults", "options"), [
    ({"encrypts_transfer": True}, {}), ({}, {"block_size": 1025})])
def test_what_does_not_pass_plainly_is_not_begun(
    defaults: dict[str, Any], options: dict[str, Any],
) -> None:
    namenode = PlayedNameNode([named(free_port())], defaults=defaults)
    with pytest.raises(NotPlain):
        put(namenode, [b"bytes"], **options)
    assert namenode.names() == ["get_server_defaults"]


@pytest.mark.parametrize("status", [{"encrypted": True}, {"erasure_coded": True}])
def test_a_file_that_is_not_plain_is_removed_again(status: dict[str, Any]) -> None:
    namenode = PlayedNameNode([named(free_port())], status=status)
    with pytest.raises(NotPlain):
        put(namenode, iter([b"bytes"]))
    assert namenode.names() == ["get_server_defaults", "create", "delete"]


# --- DataNodes that do not take a block


@pytest.mark.parametrize("body", [[b"small"], [BIG]], ids=["small", "big"])
def test_a_datanode_that_cannot_be_reached_is_left_out(body: list[bytes]) -> None:
    gone = named(free_port())
    with PlayedDatanode() as datanode:
        namenode = PlayedNameNode([gone], [datanode.node])
        put(namenode, body)
        assert datanode.written[0].content == b"".join(body)
    assert namenode.of("abandon_block") == [(1,)]
    assert [excluded for _, excluded in namenode.of("add_block")] == [(), (gone.port,)]


def test_a_port_that_was_shut_a_moment_ago_is_not_tried_by_each_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = named(free_port())
    tried: list[int] = []
    connected = datanodes_module._connected

    def noting(address: tuple[str, int], seconds: float) -> socket.socket:
        tried.append(address[1])
        return connected(address, seconds)

    monkeypatch.setattr(datanodes_module, "_connected", noting)
    monkeypatch.setattr(datanodes_module, "_SHUNNED", 3600.0)
    with PlayedDatanode() as datanode:
        datanodes = Datanodes(LIMITS)
        for _ in range(3):
            namenode = PlayedNameNode([gone], [datanode.node])
            put(namenode, [b"bytes"], datanodes=datanodes)
            assert [excluded for _, excluded in namenode.of("add_block")] == [(), (gone.port,)]
            assert namenode.of("abandon_block") == [(1,)]
        assert tried.count(gone.port) == 1
        # Once there are bytes all is tried: nobody else can go on with them.
        namenode = PlayedNameNode([datanode.node], [gone], [datanode.node])
        put(namenode, [BIG], datanodes=datanodes, block_size=2 * PACKET)
        assert tried.count(gone.port) == 2


@pytest.mark.parametrize("body", [[b"small"], [BIG]], ids=["small", "big"])
@pytest.mark.parametrize("answer", [refusal(), None, b"\xff\xff\xff\xff", b"\x02\xff\xff", b"\x00"])
def test_a_datanode_that_refuses_is_left_out(body: list[bytes], answer: bytes | None) -> None:
    with PlayedDatanode(lambda _: answer) as bad, PlayedDatanode() as good:
        namenode = PlayedNameNode([bad.node], [good.node])
        put(namenode, body)
        assert good.written[0].content == b"".join(body)
        assert [excluded for _, excluded in namenode.of("add_block")] == [(), (bad.port,)]


def test_of_several_the_one_that_is_called_bad_is_left_out() -> None:
    bad = named(free_port())
    says = refusal(bad_link=f"127.0.0.1:{bad.port}")
    with PlayedDatanode(lambda before: AGREED if before else says) as first:
        namenode = PlayedNameNode([first.node, bad], [first.node])
        put(namenode, [b"bytes"])
        assert namenode.of("add_block")[1][1] == (bad.port,)
        assert first.written[1].content == b"bytes"


def test_where_no_datanode_is_reached_nothing_is_left_and_what_was_taken_is_told() -> None:
    gone = [named(free_port()) for _ in range(5)]
    namenode = PlayedNameNode(*([node] for node in gone))
    body = iter([b"a" * PACKET + b"b", b"more"])
    with pytest.raises(NothingWritten) as told:
        put(namenode, body)
    assert told.value.taken == b"a" * PACKET + b"b"
    assert isinstance(told.value, NoDatanode)
    assert list(body) == [b"more"]
    # By its number: what another puts there meanwhile stays.
    assert namenode.calls[-1] == ("delete", "/.reserved/.inodes/7", False)
    assert len(namenode.of("add_block")[-1][1]) == 3


def test_where_the_namenode_knows_no_other_datanode_nothing_is_left_either() -> None:
    class Poor(PlayedNameNode):
        def add_block(self, *said: Any) -> Any:
            if said[-1]:
                raise RemoteError("java.io.IOException", "could only be written to 0 of 1 nodes")
            return super().add_block(*said)

    namenode = Poor([named(free_port())])
    with pytest.raises(NothingWritten) as told:
        put(namenode, [b"bytes"])
    assert told.value.taken == b"bytes"
    assert namenode.names()[-1] == "delete"


def test_a_file_that_another_has_replaced_meanwhile_is_gone_already() -> None:
    gone = RemoteError("java.io.FileNotFoundException", "no such inode")
    namenode = PlayedNameNode([named(free_port())], raises={"delete": gone})
    with pytest.raises(NothingWritten):
        put(namenode, [b"bytes"])


def test_when_a_later_block_finds_no_datanode_the_file_is_closed_as_it_is() -> None:
    with PlayedDatanode() as datanode:
        namenode = PlayedNameNode([datanode.node], [named(free_port())])
        with pytest.raises(WriteFailed):
            put(namenode, [BIG], block_size=PACKET)
    assert namenode.names()[-1] == "complete"
    assert namenode.of("complete")[-1][0].block_id == 1
    assert "delete" not in namenode.names()


# --- DataNodes that fail in the middle


def fails(at: int, answer: bytes | None) -> Any:
    """Return an `acked` that lies about packet number `at` of the first connection."""
    def acked(before: int, packet: Packet, nodes: int) -> bytes | None:
        if before == 0 and packet.sequence == at:
            return answer
        return ack(packet.sequence, *[0] * nodes)

    return acked


LIES = {
    "hangs up": None,
    "an error": ack(1, 1),
    "another packet's": ack(7, 0),
    "too many": ack(1, 0, 0, 0, 0),
    "no status": ack(1),
    "not a message": b"\x03\xff\xff\xff",
    "without end": b"\xff\xff\xff\xff\xff",
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_lone_datanode_that_fails_or_lies_fails_the_file(lie: bytes | None) -> None:
    with PlayedDatanode(acked=fails(1, lie)) as datanode:
        namenode = PlayedNameNode([datanode.node])
        with pytest.raises(WriteFailed):
            put(namenode, [BIG])
    # Closed without the block, so that nobody waits for its replica.
    assert namenode.names()[-2:] == ["abandon_block", "complete"]
    assert namenode.of("complete") == [(None,)]


@pytest.mark.parametrize("lie", [ack(1, 0, 1), ack(1, 0, 0, 1)], ids=["second", "third"])
def test_the_others_go_on_without_the_datanode_that_failed(lie: bytes) -> None:
    with PlayedDatanode(acked=fails(1, lie)) as first:
        row = [first.node, named(free_port()), named(free_port())]
        namenode = PlayedNameNode(row)
        put(namenode, [BIG])
        again = first.written[1]
        failed = 1 if len(lie) < len(ack(1, 0, 0, 1)) else 2
        left = [node.port for place, node in enumerate(row) if place != failed]
        assert (again.stage, again.nodes) == (3, 2)
        # Of the block the first packet is safe: it is not sent again.
        assert min(again.data) == PACKET
        assert again.content == BIG[PACKET:]
        assert (again.request[6], again.request[8]) == ([PACKET], [1001])
        (old, new, nodes, storages), = namenode.of("update_pipeline")
        assert (old.stamp, new.stamp, old.length, new.length) == (1000, 1001, PACKET, PACKET)
        assert list(nodes) == left
        assert storages == tuple(f"DS-{port}" for port in left)
        assert namenode.of("complete")[-1][0] == new._replace(length=len(BIG))


def test_when_the_first_datanode_goes_the_next_one_gets_the_packets() -> None:
    with PlayedDatanode(acked=fails(2, None)) as first, PlayedDatanode() as second:
        namenode = PlayedNameNode([first.node, second.node])
        put(namenode, [BIG])
        assert second.written[0].content == BIG[second.written[0].request[6][-1]:]
        assert namenode.of("update_pipeline")[0][2] == (second.port,)


def test_at_the_end_of_a_block_the_others_end_it_as_it_is() -> None:
    with PlayedDatanode(acked=fails(1, ack(1, 0, 1))) as first:
        namenode = PlayedNameNode([first.node, named(free_port())])
        put(namenode, [b"bytes"])
        again = first.written[1]
        assert (again.stage, again.nodes, again.packets) == (5, 1, [])
        assert (again.request[6], again.request[7]) == ([5], [5])
        assert namenode.of("complete")[-1][0].stamp == 1001


def test_when_the_last_datanode_goes_the_file_fails() -> None:
    with PlayedDatanode(acked=fails(1, None)) as first:
        namenode = PlayedNameNode([first.node, named(free_port()), named(free_port())])
        with pytest.raises(WriteFailed):
            put(namenode, [BIG])
        assert namenode.names().count("update_block_for_pipeline") == 2
        assert "update_pipeline" not in namenode.names()


def test_a_lease_that_is_lost_ends_the_file() -> None:
    lost = RemoteError("org.apache.hadoop.hdfs.server.namenode.LeaseExpiredException", "gone")
    with PlayedDatanode(acked=fails(0, ack(0, 0, 1))) as first:
        namenode = PlayedNameNode([first.node, named(free_port())], raises={
            "update_block_for_pipeline": lost, "complete": lost})
        with pytest.raises(RemoteError) as told:
            put(namenode, [BIG])
        assert told.value is lost


def test_a_datanode_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.hadoop.pipeline._SECONDS_A_NODE", 0.0)
    with PlayedDatanode(acked=lambda *_: b"") as datanode:
        namenode = PlayedNameNode([datanode.node])
        with pytest.raises(WriteFailed, match="timed out"):
            put(namenode, [b"bytes"], limits=Limits(read_timeout=0.2))


# --- bodies


class Gone(BaseException):
    """Somebody kills the greenlet that writes."""


@pytest.mark.parametrize("error", [ValueError("broken"), GeneratorExit(), Gone()])
@pytest.mark.parametrize("sent", [b"", b"a", b"a" * PACKET * 2], ids=len)
def test_a_file_whose_body_breaks_is_closed_and_the_error_goes_on(
    error: BaseException, sent: bytes,
) -> None:
    def body() -> Iterator[bytes]:
        yield sent
        raise error

    with PlayedDatanode() as datanode:
        namenode = PlayedNameNode([datanode.node])
        with pytest.raises(type(error)) as told:
            put(namenode, body())
        assert told.value is error
        assert all(one.packets[-1].last for one in datanode.written)
    last, = namenode.of("complete")[-1]
    # What had not filled a packet yet was not written.
    assert (last.length if last else 0) == len(sent) // PACKET * PACKET


def test_a_block_that_was_got_in_vain_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise Gone

    monkeypatch.setattr(Datanodes, "connect", killed)
    namenode = PlayedNameNode([named(free_port())])
    with pytest.raises(Gone):
        put(namenode, [b"bytes"])
    assert namenode.names()[-3:] == ["add_block", "abandon_block", "complete"]


def test_the_bodys_error_wins_over_that_of_closing() -> None:
    def body() -> Iterator[bytes]:
        yield b"a" * PACKET
        raise ValueError("broken")

    with PlayedDatanode() as datanode:
        namenode = PlayedNameNode([datanode.node], raises={"complete": Gone()})
        with pytest.raises(ValueError, match="broken"):
            put(namenode, body())


def test_what_waits_for_acknowledgement_is_bounded() -> None:
    seen: list[int] = []
    with PlayedDatanode(acked=lambda before, packet, nodes: (
            seen.append(packet.sequence), ack(packet.sequence, 0))[1]) as datanode:
        ahead: list[int] = []

        def body() -> Iterator[bytes]:
            for number in range(200):
                ahead.append(number - len(seen))
                yield b"a" * PACKET

        put(PlayedNameNode([datanode.node], defaults={"block_size": 1 << 30}), body())
        assert len(seen) == 201
        # 4 MiB are 64 packets; four are being taken, four being sent.
        assert max(ahead) <= 72
