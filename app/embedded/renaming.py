"""RENAME: the old kind that answers a boolean, and rename2 with its options."""

import sqlite3

from app.embedded import access, inodes, quotas
from app.embedded.errors import HdfsError, invalid_parameter
from app.embedded.inodes import Inode
from app.embedded.namespace import remove
from app.embedded.paths import (
    Located,
    check_length,
    check_new_name,
    check_valid,
    require_ancestor,
    require_parent,
    resolve,
)
from app.embedded.requests import Request, Response, as_json, empty
from app.embedded.snapshots import refuse_snapshotted
from app.embedded.store import Change

_OPTIONS = frozenset({"NONE", "OVERWRITE", "TO_TRASH"})


def rename(request: Request) -> Response:
    """RENAME: a boolean without `renameoptions`, else an empty answer or an exception."""
    destination = _destination(request)
    options = _options(request)
    check_length(destination, "rename")
    check_valid(destination)
    if not options:
        with request.store.change() as change:
            done = _rename_old(change.connection, request, destination)
        return as_json({"boolean": done})
    with request.store.change() as change:
        _rename2(change, request, destination, overwrite="OVERWRITE" in options)
    return empty()


def _destination(request: Request) -> str:
    value = request.required("destination", "RENAME")
    if not value.startswith("/"):
        raise invalid_parameter(
            "destination",
            f'Invalid parameter value: destination = "{value}" is not an absolute path.',
        )
    return value


def _options(request: Request) -> frozenset[str]:
    text = request.text("renameoptions")
    if text is None:
        return frozenset()
    options = frozenset(option.strip().upper() for option in text.split(","))
    if not options <= _OPTIONS:
        raise invalid_parameter(
            "renameoptions",
            f"No enum constant org.apache.hadoop.fs.Options.Rename.{text.upper()}",
        )
    return options


def _locate(
    connection: sqlite3.Connection, request: Request, destination: str
) -> tuple[Located, Located]:
    caller = request.caller
    source = resolve(connection, request.path, caller, for_write=True)
    target = resolve(connection, destination, caller, for_write=True, creates=True)
    return source, target


def _rename_old(connection: sqlite3.Connection, request: Request, destination: str) -> bool:
    caller = request.caller
    source, target = _locate(connection, request, destination)
    if target.inode is not None and target.inode.is_dir:
        inside = f"{destination}/{source.name}"
        target = resolve(connection, inside, caller, for_write=True, creates=True)
    require_parent(source, caller, access.WRITE)
    require_ancestor(target, caller, access.WRITE)
    moved = source.inode
    if moved is None or not source.names:
        return False
    refuse_snapshotted(connection, moved, source.path)
    if source.names == target.names:
        return True
    if _is_below(target, source) or target.inode is not None or target.parent is None:
        return False
    _move(connection, source, target)
    return True


def _rename2(change: Change, request: Request, destination: str, *, overwrite: bool) -> None:
    connection, caller = change.connection, request.caller
    source, target = _locate(connection, request, destination)
    require_parent(source, caller, access.WRITE)
    require_ancestor(target, caller, access.WRITE)
    moved = _rename_source(connection, source)
    if source.names == target.names:
        raise HdfsError(
            "FileAlreadyExistsException",
            f"The source {source.path} and destination {target.path} are the same",
        )
    if _is_below(target, source):
        raise HdfsError(
            "IOException",
            f"Rename destination {target.path} is a directory or file under source {source.path}",
        )
    if not target.names:
        raise HdfsError("IOException", "rename destination cannot be the root")
    if target.inode is not None:
        _check_overwrite(source, target, overwrite=overwrite)
        refuse_snapshotted(connection, target.inode, target.path)
    _require_target_parent(target)
    check_new_name(target.name, target.parent_path)
    if target.inode is not None:
        remove(change, target)
        target = resolve(connection, destination, caller)
    assert moved is source.inode
    _move(connection, source, target)


def _rename_source(connection: sqlite3.Connection, source: Located) -> Inode:
    moved = source.inode
    if moved is None:
        raise HdfsError("FileNotFoundException", f"rename source {source.path} is not found.")
    if not source.names:
        raise HdfsError("IOException", "rename source cannot be the root")
    refuse_snapshotted(connection, moved, source.path)
    return moved


def _is_below(target: Located, source: Located) -> bool:
    depth = len(source.names)
    return len(target.names) > depth and target.names[:depth] == source.names


def _check_overwrite(source: Located, target: Located, *, overwrite: bool) -> None:
    moved, replaced = source.existing(), target.existing()
    if moved.is_dir != replaced.is_dir:
        raise HdfsError(
            "IOException",
            f"Source {source.path} and destination {target.path} must both be directories",
        )
    if not overwrite:
        raise HdfsError(
            "FileAlreadyExistsException", f"rename destination {target.path} already exists"
        )
    if replaced.children:
        raise HdfsError("IOException", f"rename destination directory is not empty: {target.path}")


def _require_target_parent(target: Located) -> None:
    parent = target.parent
    if parent is None:
        raise HdfsError(
            "FileNotFoundException", f"rename destination parent {target.path} not found."
        )
    if not parent.is_dir:
        raise HdfsError(
            "ParentNotDirectoryException", f"rename destination parent {target.path} is a file."
        )


def _move(connection: sqlite3.Connection, source: Located, target: Located) -> None:
    moved, parent = source.existing(), target.parent
    assert parent is not None
    check_new_name(target.name, target.parent_path)
    _move_quota(connection, source, target)
    inodes.update(connection, moved.id, parent=parent.id, name=inodes.key_of(target.name))
    inodes.count_child(connection, moved.parent, -1)
    inodes.count_child(connection, parent.id, 1)


def _move_quota(connection: sqlite3.Connection, source: Located, target: Located) -> None:
    """Book a move on the directories that only one of both paths is under."""
    if not (quotas.limited(source.ancestors) or quotas.limited(target.ancestors)):
        return
    usage = quotas.measure(connection, source.existing())
    shared = 0
    for one, other in zip(source.ancestors, target.ancestors, strict=False):
        if one.id != other.id:
            break
        shared += 1
    quotas.charge(connection, target, usage.names, usage.space, above=shared)
    quotas.charge(connection, source, -usage.names, -usage.space, above=shared)
