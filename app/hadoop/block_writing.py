"""One block, written through a row of DataNodes, and what is done when one of them fails.

Packets are kept until all DataNodes have acknowledged them. When a DataNode fails, the others get
the block with a new generation stamp, by which HDFS knows the replica that was left behind, and
what was not acknowledged once more. No DataNode takes the place of one that failed: the NameNode
makes the missing replica when the file is closed. A cluster that wants more than one replica of a
file at once (`dfs.namenode.replication.min`) does not close one that has fewer left.
Source: org.apache.hadoop.hdfs.DataStreamer, FsDatasetImpl.recoverRbw, recoverClose; Hadoop 3.4.2.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from app.hadoop.datanodes import NoDatanode
from app.hadoop.packets import pack
from app.hadoop.pipeline import (
    CLOSE_RECOVERY,
    CREATE,
    STREAMING_RECOVERY,
    Outgoing,
    Pipeline,
    PipelineBroken,
    Setup,
    only,
)

if TYPE_CHECKING:
    from app.hadoop.checksums import Checksums
    from app.hadoop.client_protocol import NameNodeClient
    from app.hadoop.datanodes import Datanodes
    from app.hadoop.messages import Block, Datanode, LocatedBlock

_AT_ONCE = 4
"""Packets that are sent by one system call: a DataNode that finds some waits less often."""
WINDOW = 4 * 1024 * 1024
"""Bytes that may be on their way before an acknowledgement is waited for."""


class WriteFailed(OSError):
    """A file could not be written to its end; what it has got is not whole."""


class NotBegun(OSError):
    """The DataNodes did not agree to take a block; `node` is the one at fault."""

    def __init__(self, node: Datanode, error: OSError) -> None:
        super().__init__(str(error))
        self.node = node


class Terms(NamedTuple):
    """How the blocks of a file are written: by which client, up to `room` bytes each."""

    namenode: NameNodeClient
    datanodes: Datanodes
    client: str
    checksums: Checksums
    room: int


class BlockWriter:
    """A block that is being written; one thread writes, another may call `beat`."""

    def __init__(self, terms: Terms, located: LocatedBlock) -> None:
        """Connect to the DataNodes. Raises NotBegun."""
        self.size = 0
        self._terms = terms
        self._located = located
        self._safe = 0
        self._sequence = 0
        self._waiting: deque[Outgoing] = deque()
        self._held: list[Outgoing] = []
        self._ending = False
        self._seconds: float | None = None
        self._lock = threading.Lock()
        try:
            self._pipeline = self._open(CREATE, located)
        except NoDatanode as error:
            raise NotBegun(located.nodes[0], error) from error

    @property
    def block(self) -> Block:
        """The block as the NameNode is to know it: with its stamp and its length."""
        return self._located.block._replace(length=self.size)

    def begin(self, data: bytes | memoryview) -> None:
        """Write the first bytes, after the DataNodes have agreed. Raises NotBegun, WriteFailed."""
        with self._lock:
            self._agree()
        self.write(data)

    def write_whole(self, data: bytes | memoryview) -> None:
        """Write all the bytes of the block, up to a packet. Raises NotBegun, WriteFailed."""
        with self._lock:
            if len(self._located.nodes) == 1:
                # Nobody else could go on when this one fails: nothing is gained by waiting.
                self._begin_with([self._packet(data), self._last()])
            else:
                self._agree()
                self._send([self._packet(data)])
        self.finish()

    def write(self, data: bytes | memoryview) -> None:
        """Write a packet, of whole chunks unless it is the block's last.

        It may be held back until there are some more, or the block ends.
        Raises WriteFailed, and what the NameNode says to a recovery.
        """
        with self._lock:
            self._held.append(self._packet(data))
            if len(self._held) >= _AT_ONCE:
                self._send_held()
                self._wait(WINDOW)

    def finish(self) -> None:
        """Return when all DataNodes have the whole block. Raises as `write` does."""
        with self._lock:
            if not self._ending:
                self._send_held()
                if len(self._located.nodes) > 1:
                    # While data is on its way, a DataNode that has ended the block and one that
                    # has not could not be brought together.
                    self._wait(0)
                self._send([self._last()])
            self._wait(-1)
        self.close()

    def beat(self, idle: float) -> None:
        """Keep the DataNodes waiting, if nothing was sent for `idle` seconds; never waits."""
        if self._lock.acquire(blocking=False):
            try:
                if not self._ending:
                    self._pipeline.beat(idle)
            finally:
                self._lock.release()

    def hurry(self, seconds: float) -> None:
        """Wait no longer than so for a DataNode from now on."""
        with self._lock:
            self._seconds = seconds
            self._pipeline.hurry(seconds)

    def close(self) -> None:
        """End the connection; what is not finished then stays so."""
        self._pipeline.close()

    # --- packets

    def _packet(self, data: bytes | memoryview) -> Outgoing:
        sums = self._terms.checksums.of(data)
        head = pack(self.size, self._sequence, last=False, length=len(data), checksums=len(sums))
        self.size += len(data)
        return self._next((head, sums, data) if sums else (head, data))

    def _last(self) -> Outgoing:
        self._ending = True
        return self._next((pack(self.size, self._sequence, last=True, length=0, checksums=0),))

    def _next(self, buffers: tuple[bytes | memoryview, ...]) -> Outgoing:
        packet = Outgoing(self._sequence, self.size, buffers)
        self._sequence += 1
        self._waiting.append(packet)
        return packet

    def _send_held(self) -> None:
        held, self._held = self._held, []
        if held:
            self._send(held)

    def _send(self, packets: list[Outgoing]) -> None:
        try:
            self._pipeline.send(packets)
        except PipelineBroken as error:
            self._recover(error)

    def _wait(self, limit: int) -> None:
        """Wait until no more than `limit` bytes wait for acknowledgement; -1: and no packet."""
        while self._waiting and self.size - self._safe > limit:
            try:
                self._acknowledge(self._pipeline.acknowledged())
            except PipelineBroken as error:
                self._recover(error)

    def _acknowledge(self, sequence: int) -> None:
        packet = self._waiting[0]
        if packet.sequence != sequence:
            raise PipelineBroken(f"packet {sequence} was acknowledged before {packet.sequence}")
        self._waiting.popleft()
        self._safe = packet.end

    # --- DataNodes

    def _open(self, stage: int, located: LocatedBlock) -> Pipeline:
        setup = Setup(stage, self._terms.room, self._safe, self.size, located.block.stamp)
        # A DataNode finds its replica by the stamp that it has had so far.
        known = located._replace(block=self._located.block)
        pipeline = Pipeline(
            self._terms.datanodes, known, self._terms.client, setup, self._terms.checksums)
        if self._seconds is not None:
            pipeline.hurry(self._seconds)
        return pipeline

    def _agree(self) -> None:
        self._begin_with([])

    def _begin_with(self, packets: list[Outgoing]) -> None:
        try:
            if packets:
                self._pipeline.send(packets)
            self._pipeline.begin()
        except PipelineBroken as error:
            self.close()
            raise NotBegun(self._located.nodes[error.node], error) from error

    def _recover(self, error: OSError, node: int = 0) -> None:
        """Go on with the DataNodes that are left, all but the one at fault.

        Raises WriteFailed where none is left, and what the NameNode says.
        """
        while True:
            self.close()
            if isinstance(error, PipelineBroken):
                node = min(error.node, len(self._located.nodes) - 1)
            if len(self._located.nodes) == 1:
                raise WriteFailed(f"no DataNode is left of a block: {error}") from error
            self._located = only(self._located, node)
            try:
                self._rebuild()
            except (PipelineBroken, NoDatanode) as again:
                error, node = again, 0
            else:
                return

    def _rebuild(self) -> None:
        # That the last packet waits alone means that all data is safe.
        closing = self._ending and len(self._waiting) == 1
        old = self._located.block._replace(length=self._safe)
        namenode, client = self._terms.namenode, self._terms.client
        told = namenode.update_block_for_pipeline(old, client)
        new = old._replace(stamp=told.block.stamp)
        self._pipeline = self._open(
            CLOSE_RECOVERY if closing else STREAMING_RECOVERY,
            self._located._replace(block=new, token=told.token))
        self._pipeline.begin()
        namenode.update_pipeline(
            client, old, new, self._located.nodes, self._located.storage_ids)
        self._located = self._located._replace(block=new, token=told.token)
        if closing:
            # The DataNodes have ended the block as they agreed.
            self._waiting.clear()
        else:
            self._pipeline.send(list(self._waiting))
