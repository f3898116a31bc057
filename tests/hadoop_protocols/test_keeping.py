"""Files that nothing is written to for a while stay open."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from app.hadoop.datanodes import Datanodes
from app.hadoop.file_writing import PACKET, write_file
from app.hadoop.ipc_pool import Limits
from app.hadoop.keeping import Keeper
from app.hadoop.packets import HEARTBEAT
from tests.gateway import wait_for
from tests.hadoop_protocols.datanode_played import PlayedDatanode, PlayedNameNode, ack

if TYPE_CHECKING:
    from collections.abc import Iterator


class File:
    """Counts what is done for it; `error` is raised each time, `hold` is waited for."""

    def __init__(self, error: Exception | None = None, hold: threading.Event | None = None) -> None:
        self.renewed = self.beaten = 0
        self._error = error
        self._hold = hold

    def renew(self) -> None:
        self.renewed += 1
        if self._hold:
            self._hold.wait(60)
        if self._error:
            raise self._error

    def beat(self, idle: float) -> None:
        self.beaten += 1
        if self._error:
            raise self._error


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    keeper = Keeper(renew_every=0.04, beat_after=0.04)
    yield keeper
    keeper.close()


def test_what_is_open_is_renewed_and_beaten_until_it_is_closed(keeper: Keeper) -> None:
    kept, other = File(), File()
    with keeper.keeping(other):
        with keeper.keeping(kept):
            wait_for("it is renewed", lambda: kept.renewed > 2 and kept.beaten > 2)
        renewed, beaten, seen = kept.renewed, kept.beaten, other.beaten
        wait_for("the other goes on", lambda: other.beaten > seen + 3 and other.renewed > renewed)
        # One round may have been under way.
        assert kept.renewed <= renewed + 1
        assert kept.beaten <= beaten + 1


def test_a_file_that_cannot_be_kept_costs_the_others_nothing(keeper: Keeper) -> None:
    with keeper.keeping(File(ValueError("gone"))) as _, keeper.keeping(kept := File()):
        wait_for("it is renewed", lambda: kept.renewed > 2 and kept.beaten > 2)


def test_a_namenode_that_hangs_costs_no_beat(keeper: Keeper) -> None:
    hold = threading.Event()
    with keeper.keeping(hung := File(hold=hold)), keeper.keeping(kept := File()):
        wait_for("it hangs", lambda: hung.renewed)
        beaten = kept.beaten
        wait_for("beats go on", lambda: kept.beaten > beaten + 3)
        hold.set()


def test_threads_begin_with_the_first_file_and_end_when_told(keeper: Keeper) -> None:
    def alive() -> set[threading.Thread]:
        return {one for one in threading.enumerate() if one.name == "hdfs-keeper"}

    before = alive()
    with keeper.keeping(File()), keeper.keeping(File()):
        begun = alive() - before
        assert len(begun) == 2
        assert all(thread.daemon for thread in begun)
    keeper.close()
    wait_for("they end", lambda: not alive() & begun)
    with keeper.keeping(kept := File()):
        wait_for("they begin again", lambda: kept.beaten)


def test_a_child_keeps_its_own_files_alone(keeper: Keeper) -> None:
    with keeper.keeping(inherited := File()):
        wait_for("it is renewed", lambda: inherited.renewed)
        child = os.fork()
        if child == 0:
            failed = 1
            try:
                inherited.renewed = 0
                with keeper.keeping(own := File()):
                    wait_for("it is renewed", lambda: own.renewed > 2)
                failed = inherited.renewed
            finally:
                os._exit(failed)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.parametrize("nodes", [1, 2])
def test_a_slow_body_is_renewed_and_beaten_and_written(nodes: int) -> None:
    keeper = Keeper(renew_every=0.04, beat_after=0.04)
    with PlayedDatanode() as datanode:
        namenode = PlayedNameNode([datanode.node] * nodes)

        def beats() -> int:
            return sum(one.sequence == HEARTBEAT for one in datanode.written[0].packets)

        def body() -> Iterator[bytes]:
            yield b"a" * PACKET
            wait_for("it is kept", lambda: beats() > 2 and namenode.names().count("renew_lease"))
            yield b"b" * PACKET

        write_file(
            namenode, Datanodes(Limits()), keeper, "/file", body(), mode=0o644, unmasked=None,
            overwrite=True, replication=None, block_size=None)
        assert datanode.written[0].content == b"a" * PACKET + b"b" * PACKET
        clients = {client for _, client, _ in namenode.of("create")}
        assert {client for client, in namenode.of("renew_lease")} == clients
        # A packet that is due was not kept waiting by a beat, nor beaten before its time.
        assert [one.sequence for one in datanode.written[0].packets if one.sequence >= 0] == [
            0, 1, 2]
    keeper.close()


def test_a_busy_pipeline_is_not_beaten() -> None:
    keeper = Keeper(renew_every=60, beat_after=60)
    with PlayedDatanode(acked=lambda _, packet, __: ack(packet.sequence, 0)) as datanode:
        write_file(
            PlayedNameNode([datanode.node]), Datanodes(Limits()), keeper, "/file",
            [b"a" * PACKET] * 3, mode=0o644, unmasked=None, overwrite=True, replication=None,
            block_size=None)
        assert [one.sequence for one in datanode.written[0].packets] == [0, 1, 2, 3]
    keeper.close()
