"""A DataNode and a NameNode that are played, to say what real ones say only by bad luck."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from app.core.model import FileStatus, FileType
from app.hadoop.messages import Block, Datanode, LocatedBlock, ServerDefaults
from app.hadoop.packets import HEAD, Packet, parse
from app.hadoop.protobuf import decode_all, delimited, number, octets, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Answer = bytes | None
AGREED = delimited(number(1, 0))
POOL = "BP-1"
CHUNK = 512


def refusal(status: int = 1, bad_link: str = "") -> bytes:
    """Return the BlockOpResponseProto of who does not take a block."""
    return delimited(number(1, status) + text(2, bad_link) + text(5, "no room"))


def ack(sequence: int, *replies: int) -> bytes:
    """Return a PipelineAckProto."""
    zigzag = sequence << 1 if sequence >= 0 else -2 * sequence - 1
    return delimited(number(1, zigzag) + b"".join(number(2, one) for one in replies))


@dataclass
class Written:
    """What came by one connection."""

    request: dict[int, list[Any]]
    packets: list[Packet] = field(default_factory=list)
    data: dict[int, bytes] = field(default_factory=dict)

    @property
    def stage(self) -> int:
        return int(self.request[4][-1])

    @property
    def nodes(self) -> int:
        return int(self.request[5][-1])

    @property
    def content(self) -> bytes:
        """The bytes in the order of their offsets."""
        return b"".join(self.data[offset] for offset in sorted(self.data))


class PlayedDatanode:
    """Takes blocks by DataTransferProtocol; `begun` and `acked` say what it answers.

    `begun` gets how many connections there were before, `acked` that, the packet and how many
    DataNodes there are in its row; both return octets to send, None to hang up.
    """

    def __init__(
        self, begun: Callable[[int], Answer] | None = None,
        acked: Callable[[int, Packet, int], Answer] | None = None,
    ) -> None:
        self._begun = begun or (lambda _: AGREED)
        self._acked = acked or (lambda _, packet, nodes: ack(packet.sequence, *[0] * nodes))
        self.written: list[Written] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    @property
    def node(self) -> Datanode:
        """The DataNode as a NameNode names it."""
        return named(self.port)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connected, _ = self._listening.accept()
                threading.Thread(target=self._take, args=(connected,), daemon=True).start()

    def _take(self, connected: socket.socket) -> None:
        with connected, contextlib.suppress(OSError, EOFError), connected.makefile("rb") as stream:
            assert _read(stream, 3) == b"\x00\x1c\x50"
            before = len(self.written)
            written = Written(decode_all(_read(stream, _length(stream))))
            self.written.append(written)
            self._answer(connected, self._begun(before))
            while not (written.packets and written.packets[-1].last):
                packet = parse(_read(stream, HEAD))
                _read(stream, packet.checksums)
                data = _read(stream, packet.length)
                if data:
                    written.data[packet.offset] = data
                written.packets.append(packet)
                self._answer(connected, self._acked(before, packet, written.nodes))
            stream.read()

    def _answer(self, connected: socket.socket, answer: Answer) -> None:
        if answer is None:
            raise EOFError
        connected.sendall(answer)


def named(port: int, host: str = "127.0.0.1") -> Datanode:
    """Return a DataNode there."""
    uuid = f"uuid-{port}"
    told = text(1, host) + text(2, host) + text(3, uuid) + number(4, port)
    return Datanode(host, port, uuid, octets(1, told))


class PlayedNameNode:
    """Gives blocks on these rows of DataNodes, one row after the other, without end on the last.

    `calls` has the names of what was asked, with what matters of it.
    """

    def __init__(
        self, *rows: Sequence[Datanode], defaults: dict[str, Any] | None = None,
        raises: dict[str, Exception] | None = None, status: dict[str, Any] | None = None,
        incomplete: int = 0,
    ) -> None:
        self._rows = [tuple(row) for row in rows]
        self._defaults = ServerDefaults(**{
            "block_size": 1 << 20, "bytes_per_checksum": CHUNK, "packet_size": 65536,
            "replication": 1, "encrypts_transfer": False, "checksum_type": 2, **(defaults or {})})
        self.raises = raises or {}
        self._status = status or {}
        self._incomplete = incomplete
        self._ids = 0
        self._stamp = 1000
        self.calls: list[tuple[Any, ...]] = []

    def names(self) -> list[str]:
        """Return the names of the calls."""
        return [call[0] for call in self.calls]

    def of(self, name: str) -> list[tuple[Any, ...]]:
        """Return what was said in the calls of this name."""
        return [call[1:] for call in self.calls if call[0] == name]

    def get_server_defaults(self) -> ServerDefaults:
        self._note("get_server_defaults")
        return self._defaults

    def create(self, path: str, client: str, **options: Any) -> FileStatus:
        self._note("create", path, client, options)
        return FileStatus(FileType.FILE, "", "644", 0, options["block_size"], 0, 0, "alice", "us",
                          1, **{"file_id": 7, **self._status})

    def add_block(
        self, path: str, client: str, file_id: int, previous: Block | None,
        excluded: Sequence[Datanode],
    ) -> LocatedBlock:
        self._note("add_block", previous, tuple(node.port for node in excluded))
        row = self._rows.pop(0) if len(self._rows) > 1 else self._rows[0]
        self._ids += 1
        block = Block(POOL, self._ids, self._stamp, 0)
        return LocatedBlock(block, 0, row, False, text(1, "token"), (1,) * len(row),
                            tuple(f"DS-{node.port}" for node in row))

    def abandon_block(self, block: Block, path: str, client: str, file_id: int) -> None:
        self._note("abandon_block", block.block_id)

    def complete(self, path: str, client: str, file_id: int, last: Block | None) -> bool:
        self._note("complete", last)
        self._incomplete -= 1
        return self._incomplete < 0

    def update_block_for_pipeline(self, block: Block, client: str) -> LocatedBlock:
        self._note("update_block_for_pipeline", block)
        self._stamp += 1
        return LocatedBlock(block._replace(stamp=self._stamp), 0, (), False, text(1, "new"), (), ())

    def update_pipeline(
        self, client: str, old: Block, new: Block, nodes: Sequence[Datanode],
        storage_ids: Sequence[str],
    ) -> None:
        self._note("update_pipeline", old, new, tuple(node.port for node in nodes),
                   tuple(storage_ids))

    def delete(self, path: str, *, recursive: bool) -> bool:
        self._note("delete", path, recursive)
        return True

    def renew_lease(self, client: str) -> None:
        self._note("renew_lease", client)

    def _note(self, name: str, *said: Any) -> None:
        self.calls.append((name, *said))
        if name in self.raises:
            raise self.raises[name]


def _read(stream: Any, size: int) -> bytes:
    data: bytes = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _length(stream: Any) -> int:
    value = shift = 0
    while True:
        octet = _read(stream, 1)[0]
        value |= (octet & 127) << shift
        if octet < 128:
            return value
        shift += 7
