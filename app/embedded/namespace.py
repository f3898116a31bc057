"""Changes of the tree: MKDIRS, DELETE and both kinds of RENAME."""

import sqlite3

from app.embedded import access, acls, inodes, quotas
from app.embedded.access import Caller
from app.embedded.errors import HdfsError
from app.embedded.inodes import Inode
from app.embedded.paths import (
    Located,
    check_length,
    check_new_name,
    check_valid,
    require_ancestor,
    require_parent,
    resolve,
)
from app.embedded.removal import detach, remove_empty_directory, remove_file
from app.embedded.requests import Request, Response, as_json
from app.embedded.snapshots import refuse_snapshotted
from app.embedded.status import walk_directories
from app.embedded.store import Change

_IMPLICIT_UWX = 0o300


def mkdirs(request: Request) -> Response:
    """MKDIRS: makes the directory and what is missing above it."""
    mode = request.permission(0o755)
    check_length(request.path, "mkdirs")
    check_valid(request.path)
    with request.store.change() as change:
        make_directory(change.connection, request.path, request.caller, mode)
    return as_json({"boolean": True})


def make_directory(connection: sqlite3.Connection, path: str, caller: Caller, mode: int) -> None:
    """Make a directory and its missing ancestors, which its owner can always enter."""
    located = resolve(connection, path, caller, for_write=True, creates=True)
    inode = located.inode
    if inode is not None:
        if not inode.is_dir:
            raise HdfsError(
                "FileAlreadyExistsException", f"Path is not a directory: {located.path}"
            )
        return
    require_ancestor(located, caller, access.WRITE)
    parent = make_ancestors(connection, located, caller, mode | _IMPLICIT_UWX)
    add_inode(connection, located, parent, caller, mode)


def make_ancestors(
    connection: sqlite3.Connection, located: Located, caller: Caller, mode: int | None = None
) -> Inode:
    """Make the missing directories above a path, by default with the mode of what is above.

    `located` is brought up to date; returns the parent.
    """
    if mode is None:
        mode = located.found[-1].mode | _IMPLICIT_UWX
    while len(located.found) < len(located.names):
        depth = len(located.found)
        upper = Located(located.names[:depth], list(located.found))
        add_inode(connection, upper, upper.found[-1], caller, mode)
        made = inodes.child(connection, upper.found[-1].id, upper.name)
        assert made is not None
        located.found.append(made)
    return located.found[-1]


def add_inode(
    connection: sqlite3.Connection,
    located: Located,
    parent: Inode,
    caller: Caller,
    mode: int,
    **file_values: object,
) -> int:
    """Add a directory, or with `file_values` a file, as the last component of a path."""
    check_new_name(located.name, located.parent_path)
    if quotas.limited(located.ancestors):
        quotas.charge(connection, located, 1, 0)
    is_dir = not file_values
    mode, acl = acls.inherit(parent.acl, mode, is_dir=is_dir)
    values = {
        "is_dir": int(is_dir),
        "owner": caller.name,
        "grp": parent.group,
        "mode": mode,
        "acl": acl,
        "mtime": inodes.now(),
        **file_values,
    }
    return inodes.add(connection, parent.id, located.name, values)


def delete(request: Request) -> Response:
    """DELETE: answers false where there is nothing to delete, and for the root."""
    recursive = request.flag("recursive", False)
    with request.store.change() as change:
        done = _delete(change, request, recursive=recursive)
    return as_json({"boolean": done})


def _delete(change: Change, request: Request, *, recursive: bool) -> bool:
    connection, caller = change.connection, request.caller
    located = resolve(connection, request.path, caller, for_write=True)
    inode = located.inode
    require_parent(located, caller, access.WRITE)
    if inode is None:
        return False
    if inode.is_dir and not caller.superuser:
        _require_subtree(connection, located, caller)
    if inode.is_dir and inode.children and not recursive:
        raise HdfsError(
            "PathIsNotEmptyDirectoryException",
            f"`{located.path} is non empty': Directory is not empty",
        )
    if not located.names:
        return False
    refuse_snapshotted(connection, inode, located.path)
    remove(change, located)
    return True


def _require_subtree(connection: sqlite3.Connection, located: Located, caller: Caller) -> None:
    """Check ALL on every directory that is not empty, and the sticky bits on the way down."""
    for directory, path in walk_directories(connection, located):
        if not directory.children:
            continue
        access.require(caller, directory, path, access.ALL)
        if directory.mode & access.STICKY and directory.owner != caller.name:
            _require_own_entries(connection, directory, path, caller)


def _require_own_entries(
    connection: sqlite3.Connection, directory: Inode, path: str, caller: Caller
) -> None:
    row = connection.execute(
        f"SELECT {inodes.COLUMNS} FROM inodes WHERE parent = ? AND owner <> ? LIMIT 1",  # noqa: S608 - constant
        (directory.id, caller.name),
    ).fetchone()
    if row is not None:
        entry = Inode._make(row)
        access.require_unstuck(caller, directory, path, entry, f"{path}/{entry.name}")


def remove(change: Change, located: Located) -> None:
    """Take what is at a path out of the namespace."""
    connection, inode = change.connection, located.existing()
    if quotas.limited(located.ancestors):
        usage = quotas.measure(connection, inode)
        quotas.charge(connection, located, -usage.names, -usage.space)
    if not inode.is_dir:
        change.doomed += remove_file(connection, inode.id)
    elif inode.children:
        detach(connection, inode.id)
        change.detached = True
    else:
        remove_empty_directory(connection, inode.id)
    inodes.count_child(connection, inode.parent, -1)
