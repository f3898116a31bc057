"""DataNodes are killed by SIGKILL in the middle of a block: the file is whole right afterwards."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from app.hadoop.block_writing import WriteFailed
from app.hadoop.client_protocol import NameNodeClient
from app.hadoop.file_writing import PACKET, write_file
from app.hadoop.ipc import Identity
from tests.gateway import wait_for
from tests.hadoop.probe import bean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.hadoop.messages import LocatedBlock
    from tests.hadoop_protocols.trio import Trio

pytestmark = pytest.mark.hadoop
CONTENT = os.urandom(5 * PACKET + 77)
DATANODES = 3


class Watched(NameNodeClient):
    """Remembers which DataNodes the latest block was to go to, and who of them was left."""

    located: LocatedBlock | None = None
    recovered = 0

    def add_block(self, *said: Any) -> LocatedBlock:
        self.located = super().add_block(*said)
        return self.located

    def update_pipeline(self, *said: Any) -> None:
        self.recovered += 1
        super().update_pipeline(*said)


class Upload:
    """A file that is written up to `pause` bytes, and from there when `go` is set."""

    def __init__(self, trio: Trio, path: str, pause: int) -> None:
        self.path = path
        self.go = threading.Event()
        self.paused = threading.Event()
        self._trio = trio
        self._pause = pause
        self.namenode = Watched(trio.caller, Identity("alice"))

    def run(self) -> None:
        """Write it."""
        write_file(
            self.namenode, self._trio.datanodes, self._trio.keeper, self.path, self._body(),
            mode=0o644, unmasked=None, overwrite=True, replication=3, block_size=1 << 27)

    def place_of(self, port: int) -> int | None:
        """Return which of a whole row the DataNode at this port is."""
        assert self.namenode.located is not None
        ports = [node.port for node in self.namenode.located.nodes]
        # A DataNode that is late with its heartbeats gets no block.
        return ports.index(port) if len(ports) == DATANODES and port in ports else None

    def _body(self) -> Iterator[bytes]:
        yield CONTENT[:self._pause]
        # The piece before has been sent when the body is asked for more than a packet again.
        self.paused.set()
        assert self.go.wait(120)
        yield CONTENT[self._pause:]


@pytest.fixture
def ports(trio: Trio) -> Iterator[list[int]]:
    """Yield the transfer ports of the DataNodes; those that are dead at the end start again."""
    live = {one["infoAddr"]: int(one["xferaddr"].rpartition(":")[2])
            for one in live_nodes(trio).values()}
    yield [live[url.removeprefix("http://")] for url in trio.cluster.datanode_urls]
    for i in range(DATANODES):
        if f"datanode-{i}" not in trio.cluster.pids:
            trio.cluster.start_datanode(i)
    wait_for("all DataNodes are back", lambda: len(live_nodes(trio)) == DATANODES)


def live_nodes(trio: Trio) -> dict[str, Any]:
    """Return what the NameNode tells of those that live."""

    told = bean(trio.cluster.namenode_url, "NameNode", "NameNodeInfo").get("LiveNodes", "{}")
    return dict(json.loads(told))


def test_each_place_in_a_row_may_die_in_the_middle_and_at_the_end(
    trio: Trio, ports: list[int],
) -> None:
    ends = (2 * PACKET, len(CONTENT))
    uploads: list[Upload] = []
    with ThreadPoolExecutor(40) as pool:
        done = []

        def places() -> set[tuple[int | None, int]]:
            return {(one.place_of(ports[0]), one._pause) for one in uploads
                    if one.place_of(ports[0]) is not None}

        # Who comes first in a row is left to chance.
        while len(uploads) < 40 and len(places()) < DATANODES * len(ends):
            for pause in ends:
                upload = Upload(trio, f"/user/alice/killed-{len(uploads)}", pause)
                uploads.append(upload)
                done.append(pool.submit(upload.run))
                wait_for("it pauses", lambda one=upload: one.paused.is_set() or done[-1].done())
        trio.cluster.kill_datanode(0)
        affected = [one for one in uploads if one.place_of(ports[0]) is not None]
        for upload in uploads:
            upload.go.set()
        for one in done:
            one.result(120)
        # HDFS may leave a DataNode out of one place for a while, in all rows that it makes.
        assert len(places()) >= (DATANODES - 1) * len(ends)
    for upload in uploads:
        assert trio.is_closed(upload.path)
        assert trio.read(upload.path) == CONTENT
    assert {one.namenode.recovered for one in affected} == {1}


def test_one_after_the_other_may_die_but_the_last(trio: Trio, ports: list[int]) -> None:
    pauses = [threading.Event() for _ in range(DATANODES)]
    goes = [threading.Event() for _ in range(DATANODES)]

    def body() -> Iterator[bytes]:
        for paused, go in zip(pauses, goes, strict=True):
            yield CONTENT
            paused.set()
            assert go.wait(120)
        yield CONTENT

    def die(count: int, path: str) -> Any:
        for event in (*pauses, *goes):
            event.clear()
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(trio.put, path, body())
            for i in range(DATANODES):
                wait_for("the upload pauses", lambda i=i: pauses[i].is_set() or done.done())
                if i < count:
                    trio.cluster.kill_datanode(i)
                goes[i].set()
            return done.exception(120)

    assert die(2, "/user/alice/survived") is None
    assert trio.read("/user/alice/survived") == CONTENT * 4
    for i in range(2):
        trio.cluster.start_datanode(i)
    failed = die(3, "/user/alice/failed")
    assert isinstance(failed, WriteFailed), failed
