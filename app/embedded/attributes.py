"""Attributes of inodes: owner, permission, times, replication, quotas."""

import sqlite3

from app.embedded import access, inodes, quotas
from app.embedded.errors import HdfsError
from app.embedded.inodes import Inode
from app.embedded.paths import Located, require_path, resolve
from app.embedded.requests import MAX_LONG, Request, Response, as_json, empty

_QUOTA_RESET = -1


def _owned(connection: sqlite3.Connection, request: Request) -> Inode:
    located = resolve(connection, request.path, request.caller, for_write=True)
    inode = located.inode
    if inode is None:
        raise HdfsError("FileNotFoundException", f"Directory/File does not exist {located.path}")
    access.require_owner(request.caller, inode, located.path)
    return inode


def set_permission(request: Request) -> Response:
    """SETPERMISSION: for the owner."""
    mode = request.permission(0o755)
    with request.store.change() as change:
        inode = _owned(change.connection, request)
        inodes.update(change.connection, inode.id, mode=mode)
    return empty()


def set_owner(request: Request) -> Response:
    """SETOWNER: the superuser gives files away; an owner may change to a group of theirs."""
    owner, group = request.text("owner"), request.text("group")
    if owner is None and group is None:
        raise HdfsError("IllegalArgumentException", "Both owner and group are empty.")
    caller = request.caller
    with request.store.change() as change:
        inode = _owned(change.connection, request)
        if not caller.superuser:
            if owner is not None and owner != caller.name:
                raise HdfsError(
                    "AccessControlException",
                    f"User {caller.name} is not a super user (non-super user cannot change owner).",
                )
            if group is not None and group not in caller.groups:
                raise HdfsError(
                    "AccessControlException",
                    f"User {caller.name} does not belong to {group}",
                )
        inodes.update(
            change.connection, inode.id, owner=owner or inode.owner, grp=group or inode.group
        )
    return empty()


def set_times(request: Request) -> Response:
    """SETTIMES: -1 leaves a time as it is."""
    mtime = request.long("modificationtime", -1, -1)
    atime = request.long("accesstime", -1, -1)
    with request.store.change() as change:
        connection = change.connection
        located = resolve(connection, request.path, request.caller, for_write=True)
        require_path(located, request.caller, access.WRITE)
        inode = located.inode
        if inode is None:
            raise HdfsError(
                "FileNotFoundException", f"File/Directory {located.path} does not exist."
            )
        inodes.update(
            connection,
            inode.id,
            mtime=inode.mtime if mtime < 0 else mtime,
            atime=inode.atime if atime < 0 else atime,
        )
    return empty()


def set_replication(request: Request) -> Response:
    """SETREPLICATION: answers false for what is not a file."""
    options = request.store.options
    replication = request.short("replication", options.replication, 1)
    with request.store.change() as change:
        connection = change.connection
        located = resolve(connection, request.path, request.caller, for_write=True)
        check_replication(request, located.path, replication)
        require_path(located, request.caller, access.WRITE)
        inode = located.inode
        is_file = inode is not None and not inode.is_dir
        if inode is not None and is_file:
            growth = inode.length * (replication - inode.replication)
            quotas.charge(connection, located, 0, growth)
            inodes.update(connection, inode.id, replication=replication)
    return as_json({"boolean": is_file})


def check_replication(request: Request, path: str, replication: int) -> None:
    """Raise the IOException for a replication factor over the cluster's maximum."""
    maximum = request.store.options.max_replication
    if replication > maximum:
        raise HdfsError(
            "IOException",
            f"Requested replication factor of {replication} exceeds maximum of {maximum}"
            f" for {path}",
        )


def set_quota(request: Request) -> Response:
    """SETQUOTA: for the superuser; -1 takes a quota away, a missing one stays."""
    names = _quota(request, "namespacequota")
    space = _quota(request, "storagespacequota")
    operation = "setQuota" if space is None else "setSpaceQuota"
    access.require_superuser(request.caller, operation)
    with request.store.change() as change:
        connection = change.connection
        located = resolve(connection, request.path, request.caller, for_write=True)
        inode = _quota_directory(located)
        ns_quota = inode.ns_quota if names is None else names
        ds_quota = inode.ds_quota if space is None else space
        inodes.update(connection, inode.id, ns_quota=ns_quota, ds_quota=ds_quota)
        connection.execute("DELETE FROM usage WHERE inode = ?", (inode.id,))
        if ns_quota >= 0 or ds_quota >= 0:
            usage = quotas.measure(connection, inode)
            connection.execute(
                "INSERT INTO usage VALUES (?, ?, ?)", (inode.id, usage.names, usage.space)
            )
    return empty()


def _quota(request: Request, name: str) -> int | None:
    value = request.long(name, MAX_LONG, _QUOTA_RESET)
    return None if value == MAX_LONG else value


def _quota_directory(located: Located) -> Inode:
    inode = located.inode
    if inode is None:
        raise HdfsError("FileNotFoundException", f"Directory does not exist: {located.path}")
    if not inode.is_dir:
        raise HdfsError("FileNotFoundException", f"{located.path} is not a directory.")
    return inode
