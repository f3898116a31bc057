"""A file, written by Hadoop's own protocols: made, filled block by block, closed.

It is written from one greenlet or thread, which takes the body, sends packets and reads
acknowledgements by turns; no more of the body is in memory than is on its way to the DataNodes.
Source: org.apache.hadoop.hdfs.DFSOutputStream, DataStreamer of Hadoop 3.4.2.
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from app.hadoop.block_writing import BlockWriter, NotBegun, Terms, WriteFailed
from app.hadoop.checksums import Checksums
from app.hadoop.datanodes import NoDatanode
from app.hadoop.file_reading import NotPlain
from app.hadoop.ipc import RemoteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from app.hadoop.client_protocol import NameNodeClient
    from app.hadoop.datanodes import Datanodes
    from app.hadoop.keeping import Keeper
    from app.hadoop.messages import Block, Datanode, LocatedBlock, ServerDefaults

PACKET = 64 * 1024
"""Bytes of a packet, where the cluster does not want fewer: HDFS's own size. Larger ones spare the
gateway nothing, and a DataNode takes a third as many bytes a second by them, for thrice the CPU."""

_DEFAULTS_SECONDS = 3600.0
_TRIES = 4
"""How often DataNodes are asked to take a block: once, and thrice without those that did not."""
_CLOSE_SECONDS = 30.0
_GIVE_UP_SECONDS = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.4
_NOT_REPLICATED_YET = "NotReplicatedYetException"
_NOT_FOUND = "FileNotFoundException"
_defaults: WeakKeyDictionary[Datanodes, tuple[float, ServerDefaults]] = WeakKeyDictionary()


class NothingWritten(NoDatanode):
    """No DataNode took the first block; the file is gone again.

    `taken` is what was taken of the body until then, a packet and the rest of a piece at the most.
    """

    def __init__(self, message: str, taken: bytes) -> None:
        super().__init__(message)
        self.taken = taken


def write_file(
    namenode: NameNodeClient, datanodes: Datanodes, keeper: Keeper, path: str,
    body: Iterable[bytes], *, mode: int, unmasked: int | None, overwrite: bool,
    replication: int | None, block_size: int | None,
) -> None:
    """Make a file with these bytes; `unmasked` is the mode that counts below a default ACL.

    When `body` raises, the file is closed with what has been written to it before that is passed
    on, so that it can be deleted or read at once. Raises NotPlain and NothingWritten, after which
    nothing is there; WriteFailed; what NameNodeClient's methods raise.
    """
    defaults = server_defaults(namenode, datanodes)
    size = block_size or defaults.block_size
    if defaults.encrypts_transfer or size % defaults.bytes_per_checksum:
        raise NotPlain(f"encrypted transfers: {defaults.encrypts_transfer}, blocks of {size} bytes")
    client = f"httpfs-proxy_{secrets.token_hex(8)}"
    status = namenode.create(
        path, client, mode=mode, unmasked=unmasked, overwrite=overwrite,
        replication=replication or defaults.replication, block_size=size)
    if status.encrypted or status.erasure_coded:
        _remove(namenode, status.file_id)
        raise NotPlain(f"{path} is encrypted or erasure-coded")
    checksums = Checksums(defaults.checksum_type, defaults.bytes_per_checksum)
    terms = Terms(namenode, datanodes, client, checksums, size)
    file = _File(terms, path, status.file_id, _packet_size(defaults))
    with keeper.keeping(file):
        file.write(_Taking(body))


class _Taking:
    """A body, taken in pieces of any size."""

    def __init__(self, body: Iterable[bytes]) -> None:
        self._body: Iterator[bytes] = iter(body)
        self.rest = memoryview(b"")
        """What was taken of the body, but not taken here."""

    def take(self, size: int) -> memoryview:
        """Return the next `size` bytes, fewer only at the end of the body."""
        if len(self.rest) >= size:
            taken, self.rest = self.rest[:size], self.rest[size:]
            return taken
        parts, missing = [self.rest] if self.rest else [], size - len(self.rest)
        self.rest = memoryview(b"")
        while missing > 0 and (piece := next(self._body, None)) is not None:
            parts.append(memoryview(piece)[:missing])
            if len(piece) > missing:
                self.rest = memoryview(piece)[missing:]
            missing -= len(parts[-1])
        return parts[0] if len(parts) == 1 else memoryview(b"".join(parts))


class _File:
    """A file that this client has made and not closed yet."""

    def __init__(self, terms: Terms, path: str, file_id: int, packet: int) -> None:
        self._terms = terms
        self._namenode = terms.namenode
        self._path = path
        self._file_id = file_id
        self._packet = packet
        self._last: Block | None = None
        self._unfinished: Block | None = None
        self._open: BlockWriter | None = None

    def write(self, body: _Taking) -> None:
        """Write the body and close the file."""
        try:
            self._write(body)
        except NothingWritten:
            raise
        except BaseException:
            # Whatever ended the body, be it that its greenlet is killed, is what is told.
            with suppress(BaseException):
                self._give_up()
            raise
        self._complete(_CLOSE_SECONDS)

    def renew(self) -> None:
        """Renew the lease."""
        self._namenode.renew_lease(self._terms.client)

    def beat(self, idle: float) -> None:
        """Keep the DataNodes waiting."""
        block = self._open
        if block is not None:
            block.beat(idle)

    def _write(self, body: _Taking) -> None:
        while data := body.take(min(self._packet, self._terms.room)):
            whole = len(data) < self._packet
            try:
                block = self._begin(data, whole=whole)
            except _NoneTook as error:
                if self._last is not None:
                    raise WriteFailed(str(error)) from error
                _remove(self._namenode, self._file_id)
                raise NothingWritten(str(error), bytes(data) + bytes(body.rest)) from error
            if not whole:
                self._fill(block, body)
            self._last, self._unfinished, self._open = block.block, None, None

    def _fill(self, block: BlockWriter, body: _Taking) -> None:
        """Write the rest of a block, and end it."""
        while (room := self._terms.room - block.size) and (
                data := body.take(min(self._packet, room))):
            block.write(data)
        block.finish()

    def _begin(self, data: memoryview, *, whole: bool) -> BlockWriter:
        """Get a block and write its first packet, or all of it."""
        shunned: list[Datanode] = []
        while True:
            located = self._add_block(shunned)
            self._unfinished = located.block
            try:
                self._pass_over(located.nodes)
                self._open = block = BlockWriter(self._terms, located)
                (block.write_whole if whole else block.begin)(data)
            except NotBegun as error:
                self._open = None
                self._abandon()
                shunned.append(error.node)
                if len(shunned) == _TRIES:
                    raise _NoneTook(str(error)) from error
            else:
                return block

    def _pass_over(self, nodes: Sequence[Datanode]) -> None:
        """Raise NotBegun if the first could not be reached a moment ago.

        Later blocks are tried with whom there is: WebHDFS cannot go on with a file.
        """
        if self._last is None and self._terms.datanodes.are_shut(nodes[:1]):
            raise NotBegun(nodes[0], NoDatanode(
                f"{_names(nodes[:1])}: could not be reached a moment ago"))

    def _add_block(self, shunned: list[Datanode]) -> LocatedBlock:
        ends = time.monotonic() + _CLOSE_SECONDS
        pause = _FIRST_PAUSE
        while True:
            try:
                return self._namenode.add_block(
                    self._path, self._terms.client, self._file_id, self._last, shunned)
            except RemoteError as error:
                if not error.java_class.endswith(_NOT_REPLICATED_YET):
                    if shunned:
                        raise _NoneTook(f"without {_names(shunned)}: {error}") from error
                    raise
                if time.monotonic() > ends:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _abandon(self) -> None:
        """Give the latest block back."""
        if self._unfinished is not None:
            self._namenode.abandon_block(
                self._unfinished, self._path, self._terms.client, self._file_id)
            self._unfinished = None

    def _complete(self, seconds: float) -> None:
        """Close the file, as soon as the DataNodes have told the NameNode of the last block."""
        ends = time.monotonic() + seconds
        pause = _FIRST_PAUSE
        client = self._terms.client
        while not self._namenode.complete(self._path, client, self._file_id, self._last):
            if time.monotonic() > ends:
                raise WriteFailed(f"{self._path}: too few DataNodes have told the NameNode of the "
                                  f"last block within {seconds:g} s")
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _give_up(self) -> None:
        """Close the file with what it has, soon, or without its latest block."""
        if self._ended():
            self._unfinished = None
        self._abandon()
        self._complete(_GIVE_UP_SECONDS)

    def _ended(self) -> bool:
        """End the block that is being written; False where there is none, or it cannot be."""
        block = self._open
        if block is None:
            return False
        try:
            if block.size:
                block.hurry(_GIVE_UP_SECONDS)
                block.finish()
                self._last = block.block
        except (OSError, RemoteError):
            return False
        finally:
            block.close()
        return block.size > 0


class _NoneTook(OSError):
    """No DataNode agreed to take a block."""


def _remove(namenode: NameNodeClient, file_id: int) -> None:
    """Remove a file that is not to stay; what another has put in its place meanwhile stays."""
    try:
        namenode.delete(f"/.reserved/.inodes/{file_id}", recursive=False)
    except RemoteError as error:
        if not error.java_class.endswith(_NOT_FOUND):
            raise


def _names(nodes: Iterable[Datanode]) -> str:
    return ", ".join(f"{node.host}:{node.port}" for node in nodes)


def _packet_size(defaults: ServerDefaults) -> int:
    """Return how many bytes, in whole chunks, go into a packet."""
    wanted = min(defaults.packet_size, PACKET)
    return max(wanted // defaults.bytes_per_checksum, 1) * defaults.bytes_per_checksum


def server_defaults(namenode: NameNodeClient, datanodes: Datanodes) -> ServerDefaults:
    """Return the defaults of the cluster that these DataNodes belong to, an hour old at most."""
    known = _defaults.get(datanodes)
    if known is None or time.monotonic() - known[0] > _DEFAULTS_SECONDS:
        known = _defaults[datanodes] = time.monotonic(), namenode.get_server_defaults()
    return known[1]
