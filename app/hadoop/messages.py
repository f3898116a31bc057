"""What the messages of ClientProtocol say, as the gateway needs it.

Source: ClientNamenodeProtocol.proto, hdfs.proto, xattr.proto, Security.proto of Hadoop 3.4.2; the
numbers here are the fields' numbers there. Every function raises BadMessage for what is no such
message, also where a field that must be there is not.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from app.core.model import FileStatus, FileType
from app.hadoop.protobuf import (
    OCTETS,
    BadMessage,
    decode,
    decode_all,
    number,
    octets,
    read_delimited,
    signed,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES = {1: FileType.DIRECTORY, 2: FileType.FILE, 3: FileType.SYMLINK}
_PERMISSION_BITS = 0o1777
_MODES = {mode: f"{mode:o}" for mode in range(_PERMISSION_BITS + 1)}
_NOT_PLAIN = frozenset({6, 7})  # how it is encrypted, by which policy it is coded
_FIRST_OCTETS = 1 << 3 | OCTETS
_HAS_ACL, _HAS_CRYPT, _HAS_EC, _SNAPSHOT_ENABLED = 1, 2, 4, 8
_OLD_FLAGS = _HAS_ACL | _HAS_CRYPT | _HAS_EC
_FLAGS_IN_MODE = 12  # where they begin, in their order (FsPermissionExtension)


class Block(NamedTuple):
    """A block's identity and length in bytes (ExtendedBlockProto)."""

    pool: str
    block_id: int
    stamp: int
    length: int

    def message(self) -> bytes:
        """Return it as it is sent."""
        return (text(1, self.pool) + number(2, self.block_id) + number(3, self.stamp)
                + number(4, self.length))


class Datanode(NamedTuple):
    """Where a DataNode takes transfers; `raw` is its DatanodeInfoProto, to be sent on."""

    host: str
    port: int
    uuid: str
    raw: bytes


class LocatedBlock(NamedTuple):
    """A block at its offset in the file, and the DataNodes that have it or shall have it.

    `token` is its TokenProto as it came, to be shown to them.
    """

    block: Block
    offset: int
    nodes: tuple[Datanode, ...]
    corrupt: bool
    token: bytes
    storage_types: tuple[int, ...]
    storage_ids: tuple[str, ...]


class LocatedBlocks(NamedTuple):
    """The blocks of a range of a file, in order.

    `plain` says that the bytes are the file's own: neither encrypted nor erasure-coded. `complete`
    says that no block of the file is still being written.
    """

    file_length: int
    blocks: tuple[LocatedBlock, ...]
    plain: bool
    complete: bool


class ServerDefaults(NamedTuple):
    """What the NameNode tells clients to take where nobody says otherwise; sizes in bytes.

    `checksum_type` is 0 for NULL, 1 for CRC32, 2 for CRC32C.
    """

    block_size: int
    bytes_per_checksum: int
    packet_size: int
    replication: int
    encrypts_transfer: bool
    checksum_type: int


def file_status(data: bytes) -> FileStatus:
    """Read a HdfsFileStatusProto of the path that was asked for."""
    with _well_formed():
        told = decode(data)
        mode = decode(told[4])[1]
        # Before they had a field of their own, in Hadoop 2, these were bits of the mode.
        flags = told.get(18, 0) | mode >> _FLAGS_IN_MODE & _OLD_FLAGS
        return FileStatus(
            _TYPES[told[1]], "", _MODES[mode & _PERMISSION_BITS], told[3],
            told.get(11, 0), told[8], told[7], told[5].decode(), told[6].decode(),
            told.get(10, 0), max(0, signed(told.get(13, 0))), bool(flags & _HAS_ACL),
            bool(flags & _HAS_CRYPT), bool(flags & _HAS_EC), bool(flags & _SNAPSHOT_ENABLED),
            signed(told.get(14, -1)), told.get(16, 0))


def located_blocks(data: bytes) -> LocatedBlocks:
    """Read a LocatedBlocksProto."""
    with _well_formed():
        told = decode_all(data)
        blocks = tuple(located_block(block) for block in told.get(2, ()))
        return LocatedBlocks(
            told[1][-1], blocks, plain=_NOT_PLAIN.isdisjoint(told),
            complete=not told[3][-1] and bool(told[5][-1]))


def located_block(data: bytes) -> LocatedBlock:
    """Read a LocatedBlockProto."""
    with _well_formed():
        told = decode_all(data)
        return LocatedBlock(
            block(told[1][-1]), told[2][-1], tuple(datanode(node) for node in told.get(3, ())),
            bool(told[4][-1]), told[5][-1], tuple(told.get(7, ())),
            tuple(one.decode() for one in told.get(8, ())))


def block(data: bytes) -> Block:
    """Read an ExtendedBlockProto."""
    with _well_formed():
        told = decode(data)
        return Block(told[1].decode(), told[2], told[3], told.get(4, 0))


def datanode(data: bytes) -> Datanode:
    """Read a DatanodeInfoProto."""
    with _well_formed():
        # Who it is comes first and stays; the many figures behind it change with each heartbeat.
        if data[0] == _FIRST_OCTETS:
            start, end = read_delimited(data, 1)
            return Datanode(*_identity(data[start:end]), data)
        return Datanode(*_identity(decode(data)[1]), data)


@lru_cache(maxsize=4096)
def _identity(data: bytes) -> tuple[str, int, str]:
    told = decode(data)
    return told[1].decode(), told[4], told[3].decode()


def server_defaults(data: bytes) -> ServerDefaults:
    """Read a FsServerDefaultsProto."""
    with _well_formed():
        told = decode(data)
        return ServerDefaults(
            told[1], told[2], told[3], told[4], bool(told.get(6, 0)), told.get(8, 1))


def xattrs(data: bytes) -> list[tuple[int, str, bytes]]:
    """Read a GetXAttrsResponseProto: namespaces, names and values."""
    with _well_formed():
        found = []
        for one in decode_all(data).get(1, ()):
            told = decode(one)
            found.append((told[1], told[2].decode(), told.get(3, b"")))
        return found


def xattr(namespace: int, name: str, value: bytes | None = None) -> bytes:
    """Return an XAttrProto."""
    message = number(1, namespace) + text(2, name)
    return message if value is None else message + octets(3, value)


def permission(field: int, mode: int) -> bytes:
    """Return a field with a FsPermissionProto."""
    return octets(field, number(1, mode))


@contextmanager
def _well_formed() -> Iterator[None]:
    try:
        yield
    except (KeyError, AttributeError, TypeError, IndexError, UnicodeDecodeError) as error:
        raise BadMessage(f"a field is missing or of the wrong kind: {error!r}") from error
