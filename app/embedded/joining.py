"""CONCAT and TRUNCATE: changes of a file's list of blocks, without any data being copied."""

import sqlite3
from urllib.parse import parse_qsl

from app.embedded import access, blocks, inodes, quotas
from app.embedded.errors import HdfsError
from app.embedded.inodes import Inode
from app.embedded.paths import (
    DOT_INODES,
    DOT_RESERVED,
    Located,
    require_parent,
    require_path,
    resolve,
    split,
)
from app.embedded.recovery import require_no_writer
from app.embedded.removal import remove_file
from app.embedded.requests import Request, Response, as_json


def concat(request: Request) -> Response:
    """CONCAT: moves the blocks of `sources` behind the target's; the sources vanish."""
    paths = _sources(request)
    for path in (request.path, *paths):
        if split(path)[:2] == [DOT_RESERVED, DOT_INODES]:
            raise HdfsError(
                "IOException",
                f"Concat operation doesn't support {DOT_RESERVED} relative path : {path}",
            )
    with request.store.change() as change:
        connection = change.connection
        target = resolve(connection, request.path, request.caller, for_write=True)
        require_path(target, request.caller, access.WRITE)
        inode = _file(target)
        if inode.lease is not None:
            raise HdfsError(
                "HadoopIllegalArgumentException",
                f"concat: target file {target.path} is under construction",
            )
        sources = _verified(connection, request, target, paths)
        _charge(connection, target, sources)
        blocks.concatenate(connection, inode.id, [source.id for source in sources])
        for source in sources:
            change.doomed += remove_file(connection, source.id)
        length = inode.length + sum(source.length for source in sources)
        inodes.update(connection, inode.id, length=length, mtime=inodes.now())
        inodes.count_child(connection, inode.parent, -len(sources))
    return Response(200, [("Content-Length", "0")])


def _sources(request: Request) -> list[str]:
    # The parameter may come more than once, so the first value alone is not enough.
    query = parse_qsl(request.environ.get("QUERY_STRING", ""), keep_blank_values=True)
    given = [value for name, value in query if name.lower() == "sources"]
    paths = [path for value in given for path in value.split(",") if path]
    if not paths:
        raise HdfsError(
            "IllegalArgumentException",
            "Required param sources for op: CONCAT is null or empty",
        )
    return paths


def _file(located: Located) -> Inode:
    inode = located.existing()
    if inode.is_dir:
        raise HdfsError("FileNotFoundException", f"Path is not a file: {located.path}")
    return inode


def _verified(
    connection: sqlite3.Connection, request: Request, target: Located, paths: list[str]
) -> list[Inode]:
    sources = []
    for path in paths:
        located = resolve(connection, path, request.caller, for_write=True)
        require_path(located, request.caller, access.READ)
        require_parent(located, request.caller, access.WRITE)
        source = _file(located)
        _verify(source, path, target)
        sources.append(source)
    if len({source.id for source in sources}) < len(sources):
        raise HdfsError(
            "HadoopIllegalArgumentException",
            "concat: at least two of the source files are the same",
        )
    return sources


def _verify(source: Inode, path: str, target: Located) -> None:
    inode = target.existing()
    problem = None
    if source.parent != inode.parent:
        problem = f"Source file {path} is not in the same directory with the target {target.path}"
    elif source.id == inode.id:
        problem = f"concat: the src file {path} is the same with the target file {target.path}"
    elif source.lease is not None or source.length == 0:
        problem = f"concat: source file {path} is invalid or empty or underConstruction"
    elif source.blocksize > inode.blocksize:
        problem = (
            f"concat: source file {path} has preferred block size {source.blocksize} which is"
            f" greater than the target file's preferred block size {inode.blocksize}"
        )
    if problem is not None:
        raise HdfsError("HadoopIllegalArgumentException", problem)


def _charge(connection: sqlite3.Connection, target: Located, sources: list[Inode]) -> None:
    if quotas.limited(target.ancestors):
        replication = target.existing().replication
        space = sum(source.length * (replication - source.replication) for source in sources)
        quotas.charge(connection, target, -len(sources), space)


def truncate(request: Request) -> Response:
    """TRUNCATE: answers whether the new end is the end of a block, as no recovery runs then.

    HDFS recovers a block that is cut in the middle for a while; here it is done at once, but
    callers are told the same.
    """
    request.required("newlength", "TRUNCATE")
    length = request.long("newlength", 0, 0)
    with request.store.change() as change:
        connection = change.connection
        located = resolve(connection, request.path, request.caller, for_write=True)
        require_path(located, request.caller, access.WRITE)
        inode = _file(located)
        require_no_writer(
            change,
            request.store,
            inode,
            operation="TRUNCATE_FILE",
            path=located.path,
            client="DFSClient_NONMAPREDUCE_truncate",
        )
        if length > inode.length:
            raise HdfsError(
                "HadoopIllegalArgumentException",
                "Cannot truncate to a larger file size. Current size:"
                f" {inode.length}, truncate size: {length}.",
            )
        ends = {block.offset for block in blocks.blocks_of(connection, inode.id)}
        if length < inode.length:
            change.doomed += blocks.truncate(connection, inode.id, length)
            quotas.charge(connection, located, 0, (length - inode.length) * inode.replication)
            inodes.update(connection, inode.id, length=length, mtime=inodes.now())
    return as_json({"boolean": length == inode.length or length in ends})
