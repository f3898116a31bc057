"""OPEN, block locations and file checksums."""

import hashlib
import sqlite3
import struct
import time
from typing import Any, Final

import google_crc32c

from app.embedded import access, blocks, inodes
from app.embedded.blocks import Block
from app.embedded.datafiles import Reader, Stretch
from app.embedded.errors import HdfsError
from app.embedded.inodes import Inode
from app.embedded.paths import Located, require_path, resolve
from app.embedded.requests import MAX_LONG, OCTETS, Request, Response, as_json
from app.embedded.store import Store

_CHUNK: Final = 512
_MIN_BUFFER: Final = 32
_GENERATION: Final = 1001


def _readable(connection: sqlite3.Connection, request: Request) -> tuple[Located, Inode]:
    located = resolve(connection, request.path, request.caller)
    inode = located.file()
    require_path(located, request.caller, access.READ)
    return located, inode


def open_file(request: Request) -> Response:
    """OPEN, the DataNode's part: streams `length` bytes from `offset`."""
    offset = request.long("offset", 0, 0)
    wanted = request.long("length", MAX_LONG, 0)
    while True:
        with request.store.database.read() as connection:
            located, inode = _readable(connection, request)
            if offset > inode.length:
                raise HdfsError("EOFException", "Cannot seek after EOF")
            length = min(wanted, inode.length - offset)
            stretches = blocks.cut(blocks.blocks_of(connection, inode.id), offset, length)
        try:
            reader = Reader(request.store.files, stretches)
        except FileNotFoundError:
            continue  # replaced in between: look again
        break
    _touch(request.store, located, inode)
    headers = [("Content-Type", OCTETS), ("Content-Length", str(length))]
    return Response(200, headers, reader)


def _touch(store: Store, located: Located, inode: Inode) -> None:
    """Note the access time, at most once an hour for a file."""
    now = inodes.now()
    if located.in_snapshot or now <= inode.atime + store.options.access_time_precision_ms:
        return
    with store.change() as change:
        inodes.update(change.connection, inode.id, atime=now)


def get_file_checksum(request: Request) -> Response:
    """GETFILECHECKSUM: MD5 of the blocks' MD5s of the CRC32Cs of their 512-byte chunks."""
    while True:
        with request.store.database.read() as connection:
            located, inode = _readable(connection, request)
            if inode.lease is not None:
                raise HdfsError(
                    "IOException",
                    f"Fail to get checksum, since file {located.path} is under construction.",
                )
            found = blocks.blocks_of(connection, inode.id)
        try:
            return as_json({"FileChecksum": checksum(request.store, found)})
        except FileNotFoundError:
            continue  # replaced in between: look again


def checksum(store: Store, found: list[Block]) -> dict[str, Any]:
    """Give the FileChecksum JSON of a list of blocks."""
    if not found:
        algorithm, bytes_per_crc, crcs_per_block = "MD5-of-0MD5-of-0CRC32", 0, 0
    else:
        bytes_per_crc = _CHUNK
        crcs_per_block = -(-found[0].length // _CHUNK) if len(found) > 1 else 0
        algorithm = f"MD5-of-{crcs_per_block}MD5-of-{_CHUNK}CRC32C"
    digests = b"".join(_block_digest(store, block.stretches) for block in found)
    # HDFS digests its whole buffer, which starts at 32 bytes and doubles.
    size = _MIN_BUFFER
    while size < len(digests):
        size *= 2
    whole = hashlib.md5(digests.ljust(size, b"\0"), usedforsecurity=False).digest()
    value = struct.pack(">iq", bytes_per_crc, crcs_per_block) + whole
    return {"algorithm": algorithm, "bytes": value.ljust(32, b"\0").hex(), "length": len(value)}


def _block_digest(store: Store, stretches: list[Stretch]) -> bytes:
    digest = hashlib.md5(usedforsecurity=False)
    rest = b""
    for piece in Reader(store.files, stretches):
        data = rest + piece
        whole = len(data) - len(data) % _CHUNK
        digest.update(_crcs(data[:whole]))
        rest = data[whole:]
        time.sleep(0)  # lets other threads and greenlets run
    digest.update(_crcs(rest))
    return digest.digest()


def _crcs(data: bytes) -> bytes:
    value = google_crc32c.value
    values = [value(data[at : at + _CHUNK]) for at in range(0, len(data), _CHUNK)]
    return struct.pack(f">{len(values)}I", *values)


def get_file_block_locations(request: Request) -> Response:
    """GETFILEBLOCKLOCATIONS: as FileSystem's BlockLocation; this server is the only host."""
    found = [
        {
            "cachedHosts": [],
            "corrupt": False,
            "hosts": ["localhost"],
            "length": block.length,
            "names": ["127.0.0.1:9866"],
            "offset": block.offset,
            "storageTypes": ["DISK"],
            "topologyPaths": ["/default-rack/127.0.0.1:9866"],
        }
        for block in _blocks_in_range(request)[1]
    ]
    return as_json({"BlockLocations": {"BlockLocation": found}})


def get_block_locations(request: Request) -> Response:
    """GET_BLOCK_LOCATIONS: as the NameNode's LocatedBlocks, which name no DataNode here."""
    inode, found, last = _blocks_in_range(request)
    pool = request.store.options.block_pool
    answer = {
        "fileLength": inode.length,
        "isLastBlockComplete": last is not None and inode.lease is None,
        "isUnderConstruction": inode.lease is not None,
        "lastLocatedBlock": _located_block(last, pool) if last else None,
        "locatedBlocks": [_located_block(block, pool) for block in found],
    }
    return as_json({"LocatedBlocks": answer})


def _blocks_in_range(request: Request) -> tuple[Inode, list[Block], Block | None]:
    offset = request.long("offset", 0, 0)
    length = request.long("length", MAX_LONG, 0)
    with request.store.database.read() as connection:
        _, inode = _readable(connection, request)
        found = blocks.blocks_of(connection, inode.id)
    return inode, _in_range(found, offset, length), found[-1] if found else None


def _in_range(found: list[Block], offset: int, length: int) -> list[Block]:
    """Choose as BlockManager does: that of `offset` for any length, no other if the sum overflows.

    (org.apache.hadoop.hdfs.server.blockmanagement.BlockManager#createLocatedBlockList)
    """
    end = offset + length if offset + length <= MAX_LONG else offset
    rest = [block for block in found if block.offset + block.length > offset]
    return rest[:1] + [block for block in rest[1:] if block.offset < end]


def _located_block(block: Block, pool: str) -> dict[str, Any]:
    return {
        "block": {
            "blockId": block.number,
            "blockPoolId": pool,
            "generationStamp": _GENERATION,
            "numBytes": block.length,
        },
        "blockToken": {"urlString": "AAAAAA"},
        "cachedLocations": [],
        "isCorrupt": False,
        "locations": [],
        "startOffset": block.offset,
        "storageTypes": ["DISK"],
    }
