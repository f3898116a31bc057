"""A stretch of a file, read from the DataNodes that have its blocks.

The NameNode tells of some blocks at a time. What one DataNode does not give, another is asked
for; bytes that were handed out are not asked for again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from app.hadoop.block_reading import BlockFailed, BlockReader, Corrupt
from app.hadoop.datanodes import NoDatanode
from app.hadoop.ipc import BadFrame, RemoteError

if TYPE_CHECKING:
    from app.hadoop.client_protocol import NameNodeClient
    from app.hadoop.datanodes import Datanodes
    from app.hadoop.messages import Datanode, LocatedBlock, LocatedBlocks

_FIRST_WINDOW = 64 * 1024 * 1024
"""Bytes whose blocks are asked for while it is not known how large these are."""
_WINDOW = 10
"""Blocks that are asked for at a time, as `dfs.client.read.prefetch.size` has it."""


class NotPlain(Exception):
    """The bytes do not pass as they are, or are not in finished blocks; WebHDFS knows how."""


class ReadFailed(OSError):
    """No DataNode gave the bytes of a block, or none has it; not all were out of reach."""


class FileReader:
    """`length` > 0 bytes of a file from `offset` on.

    They are those of one version if the path is one by inode number, which keeps its blocks.
    """

    def __init__(
        self, namenode: NameNodeClient, datanodes: Datanodes, path: str, offset: int, length: int,
    ) -> None:
        """Ask for blocks, and a DataNode for the first; it has answered when this returns.

        Raises NotPlain, NoDatanode, ReadFailed, and what NameNodeClient raises.
        """
        self._namenode = namenode
        self._datanodes = datanodes
        self._path = path
        self._start = self._position = offset
        self._end = offset + length
        self._attempts = _Attempts()
        located = self._ask(min(length, _FIRST_WINDOW))
        if not located.plain or not located.complete or located.file_length < self._end:
            raise NotPlain(f"{path}: encrypted, erasure-coded, being written, or too short")
        self._blocks = located.blocks
        if datanodes.are_shut(self._block().nodes):
            raise NoDatanode(f"{path}: no DataNode that has it could be reached a moment ago")
        self._reader: BlockReader | None = self._open()

    def read(self, size: int) -> bytes:
        """Return 1 to `size` bytes, b"" at the end.

        Raises ReadFailed, and what NameNodeClient raises.
        """
        while self._position < self._end:
            if self._reader is None:
                self._reader = self._open()
            try:
                data = self._reader.read(size)
            except BlockFailed as error:
                self._attempts.failed(self._reader.node, error)
                self._reader = None
                continue
            if data:
                if self._attempts.corrupt:
                    self._report()
                self._position += len(data)
                return data
            self._let_go()
        self.close()
        return b""

    def close(self) -> None:
        """Let go of the DataNode; nothing more is read."""
        self._position = self._end
        self._let_go()

    def _let_go(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def _report(self) -> None:
        """Tell the NameNode who has wrong bytes, so that these are replaced by right ones."""
        block = self._block()
        while self._attempts.corrupt:
            _, node = self._attempts.corrupt.popitem()
            with suppress(OSError, RemoteError, BadFrame):
                self._namenode.report_bad_block(block, node)

    def _open(self) -> BlockReader:
        """Ask one DataNode after the other for the block at the position."""
        block = self._block()
        if self._attempts.block_id != block.block.block_id:
            self._attempts = _Attempts(block.block.block_id)
        while True:
            for node in self._attempts.order(self._datanodes.ranked(block.nodes)):
                try:
                    return self._read(block, node)
                except (BlockFailed, NoDatanode) as error:
                    self._attempts.failed(node, error)
            block = self._located_anew(block)

    def _read(self, block: LocatedBlock, node: Datanode) -> BlockReader:
        end = min(self._end, block.offset + block.block.length)
        return BlockReader(
            self._datanodes, block, node, self._position - block.offset, end - self._position)

    def _block(self) -> LocatedBlock:
        """Return the block at the position, asking for more blocks where it must."""
        found = self._known()
        if found is None:
            size = self._blocks[-1].block.length * _WINDOW if self._blocks else _FIRST_WINDOW
            self._blocks = self._ask(min(self._end - self._position, size)).blocks
            found = self._known()
        if found is None:
            raise ReadFailed(f"{self._path}: no block has byte {self._position}")
        return found

    def _known(self) -> LocatedBlock | None:
        for block in self._blocks:
            if block.offset <= self._position < block.offset + block.block.length:
                return block
        return None

    def _located_anew(self, block: LocatedBlock) -> LocatedBlock:
        """Return the block with the DataNodes that have it by now, once.

        Before the first byte another way is quicker than DataNodes that are all out of reach.
        """
        begun = self._position > self._start
        if (self._attempts.all_unreached and not begun) or not self._attempts.begin_anew():
            raise self._attempts.error(self._path, begun=begun)
        self._blocks = self._ask(1).blocks
        found = self._block()
        if found.block.block_id != block.block.block_id:
            raise ReadFailed(f"{self._path}: byte {self._position} is in another block now")
        return found

    def _ask(self, length: int) -> LocatedBlocks:
        located = self._namenode.get_block_locations(self._path, self._position, length)
        if located is None:
            raise NotPlain(f"{self._path}: nothing is there")
        return located


class _Attempts:
    """What was tried for one block; `corrupt` have wrong bytes of it, which nobody was told."""

    def __init__(self, block_id: int = 0) -> None:
        self.block_id = block_id
        self._tried: set[str] = set()
        self.corrupt: dict[str, Datanode] = {}
        self._errors: list[OSError] = []
        self._anew = False

    def order(self, nodes: list[Datanode]) -> list[Datanode]:
        """Return the DataNodes that were not tried, those with wrong bytes last."""
        if not self._errors:
            return nodes
        return sorted((node for node in nodes if node.uuid not in self._tried),
                      key=lambda node: node.uuid in self.corrupt)

    def failed(self, node: Datanode, error: OSError) -> None:
        """Note what became of a try."""
        self._tried.add(node.uuid)
        self._errors.append(error)
        if isinstance(error, Corrupt):
            self.corrupt[node.uuid] = node

    def begin_anew(self) -> bool:
        """Let all be tried again; False if they were already."""
        if self._anew:
            return False
        self._anew = True
        self._tried.clear()
        return True

    @property
    def all_unreached(self) -> bool:
        """Whether there were DataNodes, and no connection to any came about."""
        return bool(self._errors) and all(
            isinstance(error, NoDatanode) for error in self._errors)

    def error(self, path: str, *, begun: bool) -> OSError:
        """Return what to raise when nothing helped."""
        told = "; ".join(str(error) for error in self._errors) or "no DataNode has it"
        if self.all_unreached and not begun:
            return NoDatanode(f"{path}: {told}")
        return ReadFailed(f"{path}: block {self.block_id}: {told}")
