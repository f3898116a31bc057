"""Reading the namespace: file status, listings, summaries, access checks, home directories."""

import json
import os
import re
import sqlite3
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from app.embedded import access, inodes, quotas
from app.embedded.errors import HdfsError, file_not_found, invalid_parameter
from app.embedded.inodes import Inode
from app.embedded.paths import DOT_SNAPSHOT, Located, require_path, resolve
from app.embedded.requests import JSON_TYPE, MAX_LONG, Request, Response, as_json
from app.embedded.schema import ROOT_ID


def describe(inode: Inode, suffix: str) -> dict[str, Any]:
    """Give the FileStatus JSON of an inode."""
    status: dict[str, Any] = {
        "accessTime": inode.atime,
        "blockSize": inode.blocksize,
        "childrenNum": inode.children,
        "fileId": inode.file_id,
        "group": inode.group,
        "length": inode.length,
        "modificationTime": inode.mtime,
        "owner": inode.owner,
        "pathSuffix": suffix,
        "permission": f"{inode.mode:o}",
        "replication": inode.replication,
        "storagePolicy": 0,
        "type": "DIRECTORY" if inode.is_dir else "FILE",
    }
    if inode.acl is not None:
        status["aclBit"] = True
    if inode.snapshottable or inode.id == ROOT_ID:
        status["snapshotEnabled"] = True
    return status


def _describe_dot_snapshot() -> dict[str, Any]:
    """Give the FileStatus JSON of a `.snapshot` directory, which is no inode."""
    nothing = Inode(
        0, None, 0, None, 1, "", "", 0o777, 0, 0, 0, 0, 0, 0, None, -1, -1, 0, None, None
    )
    return describe(nothing, "")


def get_file_status(request: Request) -> Response:
    """GETFILESTATUS."""
    with request.store.database.read() as connection:
        located = resolve(connection, request.path, request.caller)
    if located.is_dot_snapshot:
        return as_json({"FileStatus": _describe_dot_snapshot()})
    return as_json({"FileStatus": describe(located.existing(), "")})


def _listed(connection: sqlite3.Connection, request: Request) -> Located:
    located = resolve(connection, request.path, request.caller)
    inode = located.inode
    if located.is_dot_snapshot:
        return located
    if inode is None:
        if located.name == DOT_SNAPSHOT and located.parent is not None:
            raise HdfsError(
                "SnapshotException",
                f"Directory is not a snapshottable directory: {located.parent_path}",
            )
        raise HdfsError("FileNotFoundException", f"File {located.path} does not exist.")
    if inode.is_dir:
        require_path(located, request.caller, access.READ | access.EXECUTE)
    return located


def _read_page(
    connection: sqlite3.Connection, request: Request, after: str
) -> tuple[list[dict[str, Any]], int]:
    """Read one page of a listing and how many entries come after it."""
    located = _listed(connection, request)
    if located.is_dot_snapshot:
        return _snapshots_of(connection, located.found[-1], after), 0
    inode = located.existing()
    if not inode.is_dir:
        return [describe(inode, "")], 0
    entries = inodes.page(connection, inode.id, after, request.store.options.listing_page)
    remaining = request.store.ranks.remaining(connection, inode, after, entries)
    return [describe(entry, entry.name) for entry in entries], remaining


def _snapshots_of(
    connection: sqlite3.Connection, directory: Inode, after: str
) -> list[dict[str, Any]]:
    rows = connection.execute(
        "SELECT name, root FROM snapshots WHERE inode = ?", (directory.id,)
    ).fetchall()
    result = []
    for name, root in sorted(rows, key=lambda row: inodes.key_of(row[0])):
        inode = inodes.by_id(connection, root)
        if inode is not None and inodes.key_of(name) > inodes.key_of(after):
            result.append(describe(inode, name))
    return result


def list_status(request: Request) -> Response:
    """LISTSTATUS: streams a page at a time; the first one is read before the answer starts."""
    with request.store.database.read() as connection:
        entries, remaining = _read_page(connection, request, "")
    if not remaining:
        return as_json({"FileStatuses": {"FileStatus": entries}})
    return Response(200, [("Content-Type", JSON_TYPE)], _stream(request, entries))


def _stream(request: Request, entries: list[dict[str, Any]]) -> Iterator[bytes]:
    yield b'{"FileStatuses":{"FileStatus":['
    separator = ""
    while entries:
        text = ",".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
        yield (separator + text).encode()
        separator = ","
        with request.store.database.read() as connection:
            entries, _ = _read_page(connection, request, entries[-1]["pathSuffix"])
    yield b"]}}"


def list_status_batch(request: Request) -> Response:
    """LISTSTATUS_BATCH: one page after `startAfter`."""
    # The NameNode decodes this one parameter twice.
    after = unquote(request.text("startafter") or "")
    with request.store.database.read() as connection:
        entries, remaining = _read_page(connection, request, after)
    listing = {
        "partialListing": {"FileStatuses": {"FileStatus": entries}},
        "remainingEntries": remaining,
    }
    return as_json({"DirectoryListing": listing})


def get_content_summary(request: Request) -> Response:
    """GETCONTENTSUMMARY."""
    with request.store.database.read() as connection:
        located = resolve(connection, request.path, request.caller)
        inode = located.existing()
        require_readable_tree(connection, located, request)
        usage = quotas.measure(connection, inode)
    summary: dict[str, Any] = {
        "directoryCount": usage.directories,
        "ecPolicy": "" if inode.is_dir else "Replicated",
        "fileCount": usage.files,
        "length": usage.length,
        "quota": _name_quota(inode),
        "snapshotDirectoryCount": 0,
        "snapshotFileCount": 0,
        "snapshotLength": 0,
        "snapshotSpaceConsumed": 0,
        "spaceConsumed": usage.space,
        "spaceQuota": inode.ds_quota,
        "typeQuota": {},
    }
    return as_json({"ContentSummary": summary})


def get_quota_usage(request: Request) -> Response:
    """GETQUOTAUSAGE."""
    with request.store.database.read() as connection:
        located = resolve(connection, request.path, request.caller)
        if located.inode is None:
            raise HdfsError(
                "FileNotFoundException", f"File/Directory does not exist: {located.path}"
            )
        inode = located.inode
        require_readable_tree(connection, located, request)
        usage = quotas.measure(connection, inode)
    summary: dict[str, Any] = {
        "fileAndDirectoryCount": usage.names,
        "quota": _name_quota(inode),
        "spaceConsumed": usage.space,
        "spaceQuota": inode.ds_quota,
        "typeQuota": {},
    }
    return as_json({"QuotaUsage": summary})


def _name_quota(inode: Inode) -> int:
    return MAX_LONG if inode.id == ROOT_ID and inode.ns_quota < 0 else inode.ns_quota


def require_readable_tree(
    connection: sqlite3.Connection, located: Located, request: Request
) -> None:
    """Check READ_EXECUTE on every directory of a subtree."""
    if request.caller.superuser:
        return
    wanted = access.READ | access.EXECUTE
    for directory, path in walk_directories(connection, located):
        access.require(request.caller, directory, path, wanted)


def walk_directories(
    connection: sqlite3.Connection, located: Located
) -> Iterator[tuple[Inode, str]]:
    """Walk the directories of a subtree, parents first, with their paths."""
    inode = located.inode
    waiting = [(inode, located.path)] if inode is not None and inode.is_dir else []
    while waiting:
        directory, path = waiting.pop()
        yield directory, path
        rows = connection.execute(
            f"SELECT {inodes.COLUMNS} FROM inodes WHERE parent = ? AND is_dir",  # noqa: S608 - constant
            (directory.id,),
        )
        for row in rows.fetchall():
            below = Inode._make(row)
            waiting.append((below, f"{path.rstrip('/')}/{below.name}"))


def check_access(request: Request) -> Response:
    """CHECKACCESS: answers nothing where `fsaction` is allowed."""
    action = request.required("fsaction", "CHECKACCESS")
    if not re.fullmatch("[r-][w-][x-]", action):
        raise invalid_parameter(
            "fsaction", f'Invalid value: "{action}" does not belong to the domain [r-][w-][x-]'
        )
    with request.store.database.read() as connection:
        located = resolve(connection, request.path, request.caller)
    inode = located.inode
    if inode is None:
        raise HdfsError("FileNotFoundException", f"Path not found: {located.path}")
    access.require(request.caller, inode, located.path, access.bits(action))
    return Response(200, [("Content-Length", "0")])


def get_home_directory(request: Request) -> Response:
    """GETHOMEDIRECTORY."""
    return as_json({"Path": f"/user/{request.caller.name}"})


def get_trash_root(request: Request) -> Response:
    """GETTRASHROOT: no encryption zones here, so it is always in the home directory."""
    return as_json({"Path": f"/user/{request.caller.name}/.Trash"})


def get_status(request: Request) -> Response:
    """GETSTATUS: the file system that the data files lie on."""
    disk = os.statvfs(request.store.directory)
    capacity, remaining = disk.f_blocks * disk.f_frsize, disk.f_bavail * disk.f_frsize
    used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
    return as_json({"FsStatus": {"capacity": capacity, "remaining": remaining, "used": used}})


def get_server_defaults(request: Request) -> Response:
    """GETSERVERDEFAULTS."""
    options = request.store.options
    defaults = {
        "blockSize": options.blocksize,
        "bytesPerChecksum": 512,
        "checksumType": 2,
        "defaultStoragePolicyId": 7,
        "encryptDataTransfer": False,
        "fileBufferSize": 4096,
        "keyProviderUri": "",
        "replication": options.replication,
        "trashInterval": options.trash_minutes,
        "writePacketSize": 65536,
    }
    return as_json({"FsServerDefaults": defaults})


def get_file_link_status(request: Request) -> Response:
    """GETFILELINKSTATUS: there are no symbolic links here."""
    return get_file_status(request)


def get_link_target(request: Request) -> Response:
    """GETLINKTARGET: fails on everything, as nothing is a symbolic link."""
    with request.store.database.read() as connection:
        located = resolve(connection, request.path, request.caller)
    if located.inode is None:
        raise file_not_found(located.path)
    raise HdfsError("IOException", f"Path {located.path} is not a symbolic link")
