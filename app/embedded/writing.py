"""CREATE and APPEND: a lease, then the body straight to disk, then one transaction.

A body that breaks leaves the file closed with what came, as a DataNode does. A process that is
killed leaves what was committed before, and its data file to be swept.
"""

import os
import secrets
from dataclasses import dataclass
from urllib.parse import quote

from app.embedded import access, blocks, inodes, quotas
from app.embedded.attributes import check_replication
from app.embedded.bodies import pieces
from app.embedded.errors import HdfsError
from app.embedded.inodes import Inode
from app.embedded.namespace import add_inode, make_ancestors
from app.embedded.paths import (
    Located,
    check_length,
    is_valid,
    names_above,
    require_ancestor,
    require_path,
    resolve,
)
from app.embedded.recovery import require_no_writer
from app.embedded.removal import bury_if_unused, remove_file
from app.embedded.requests import Request, Response, empty
from app.embedded.store import Change, Store


@dataclass(slots=True)
class Writer:
    """A file under construction: where its new bytes go, and what was written of them.

    `room` is what the last block still takes, `watched` says that directories above have quotas.
    """

    store: Store
    inode: Inode
    path: str
    client: str
    data: int
    start: int
    watched: bool
    room: int = 0
    written: int = 0
    granted: int = 0

    def receive(self, request: Request) -> None:
        """Write the body to disk and close the file, whatever happens on the way."""
        try:
            self._copy(request)
        finally:
            self._close()

    def _copy(self, request: Request) -> None:
        files = self.store.files
        descriptor = files.extend(self.data, self.start) if self.start else files.create(self.data)
        try:
            for piece in pieces(request.environ):
                self._write(descriptor, memoryview(piece))
        finally:
            os.close(descriptor)

    def _write(self, descriptor: int, view: memoryview) -> None:
        while view:
            if self.watched and self.written >= self.granted:
                self._grant()
            end = self.granted - self.written if self.watched else len(view)
            count = os.write(descriptor, view[:end])
            self.written += count
            view = view[count:]

    def _grant(self) -> None:
        """Ask the space quotas above for room up to the end of the next block."""
        granted = self.granted + (self.room or self.inode.blocksize)
        with self.store.database.read() as connection:
            names = names_above(connection, self.inode.id)
            if names is not None:
                anyone = access.Caller("", frozenset(), superuser=True)
                located = resolve(connection, "/" + "/".join(names), anyone)
                growth = granted * self.inode.replication
                for index, ancestor in enumerate(located.ancestors):
                    if ancestor.has_quota:
                        path = located.path_of(index)
                        quotas.check(connection, ancestor, path, 0, growth)
        self.granted, self.room = granted, 0

    def _close(self) -> None:
        with self.store.change() as change:
            connection = change.connection
            inode = inodes.by_id(connection, self.inode.id)
            gone = (
                inode is None
                or inode.client != self.client
                or names_above(connection, inode.id) is None
            )
            if inode is not None and not gone:
                self._commit(change, inode)
            elif self.start:
                connection.execute("UPDATE data SET lease = NULL WHERE id = ?", (self.data,))
                gone = True
            if gone and bury_if_unused(connection, self.data):
                change.doomed.append(self.data)
        if gone:
            raise HdfsError(
                "FileNotFoundException",
                f"File does not exist: {self.path} (inode {self.inode.id}) Holder {self.client}"
                " does not have any open files.",
            )

    def _commit(self, change: Change, inode: Inode) -> None:
        connection = change.connection
        blocks.append(connection, inode, self.data, self.start, self.written)
        if blocks.settle(connection, self.data, self.start + self.written):
            change.doomed.append(self.data)
        if self.watched and self.written:
            quotas.charge_by_id(connection, inode.id, self.written * inode.replication)
        inodes.update(
            connection,
            inode.id,
            length=inode.length + self.written,
            mtime=inodes.now(),
            lease=None,
            client=None,
        )


def _client_name() -> str:
    return f"DFSClient_NONMAPREDUCE_{secrets.randbelow(2**31)}_{os.getpid()}"


def create(request: Request) -> Response:
    """CREATE, the DataNode's part: 201 with the file's hdfs: URL in the Location."""
    path = request.path
    options = request.store.options
    mode = request.permission(0o644) & 0o777
    replication = request.short("replication", options.replication, 1)
    blocksize = request.long("blocksize", options.blocksize)
    check_length(path, "create")
    if not is_valid(path):
        raise HdfsError("InvalidPathException", f"Invalid path name {path}")
    check_replication(request, f"{path}, clientName=127.0.0.1", replication)
    if blocksize < options.min_blocksize:
        raise HdfsError(
            "IOException",
            f"Specified block size {blocksize} is less than configured minimum value"
            f" dfs.namenode.fs-limits.min-block-size={options.min_blocksize}",
        )
    with request.store.change() as change:
        writer = _begin_create(change, request, mode, replication, blocksize)
    writer.receive(request)
    return empty(201, ("Location", f"hdfs://embedded{quote(path)}"))


def _begin_create(
    change: Change, request: Request, mode: int, replication: int, blocksize: int
) -> Writer:
    connection, caller, store = change.connection, request.caller, request.store
    client = _client_name()
    overwrite = request.flag("overwrite", False)
    located = resolve(connection, request.path, caller, for_write=True, creates=True)
    require_ancestor(located, caller, access.WRITE)
    _clear_place(change, request, located, client, overwrite=overwrite)
    if located.parent is None and not request.flag("createparent", True):
        raise HdfsError(
            "FileNotFoundException", f"Parent directory doesn't exist: {located.parent_path}"
        )
    located = Located(located.names, located.ancestors)
    parent = make_ancestors(connection, located, caller)
    number = add_inode(
        connection,
        located,
        parent,
        caller,
        mode,
        replication=replication,
        blocksize=blocksize,
        atime=inodes.now(),
        lease=store.leases.token,
        client=client,
    )
    inode = inodes.by_id(connection, number)
    assert inode is not None
    data = blocks.new_data(connection, store.leases.token)
    watched = quotas.limited(located.ancestors)
    return Writer(store, inode, located.path, client, data, 0, watched)


def _clear_place(
    change: Change, request: Request, located: Located, client: str, *, overwrite: bool
) -> None:
    """Remove the file that is to be overwritten, or raise because there is something."""
    inode = located.inode
    if inode is None:
        return
    if inode.is_dir:
        raise HdfsError(
            "FileAlreadyExistsException", f"{located.path} already exists as a directory"
        )
    if not overwrite:
        require_no_writer(
            change,
            request.store,
            inode,
            operation="CREATE_FILE",
            path=located.path,
            client=client,
        )
        raise HdfsError(
            "FileAlreadyExistsException",
            f"{located.path} for client 127.0.0.1 already exists",
        )
    require_path(located, request.caller, access.WRITE)
    if quotas.limited(located.ancestors):
        space = inode.length * inode.replication
        quotas.charge(change.connection, located, -1, -space)
    change.doomed += remove_file(change.connection, inode.id)
    inodes.count_child(change.connection, inode.parent, -1)


def append(request: Request) -> Response:
    """APPEND, the DataNode's part."""
    with request.store.change() as change:
        writer = _begin_append(change, request)
    writer.receive(request)
    return empty()


def _begin_append(change: Change, request: Request) -> Writer:
    connection, store = change.connection, request.store
    client = _client_name()
    located = resolve(connection, request.path, request.caller, for_write=True)
    require_path(located, request.caller, access.WRITE)
    inode = located.inode
    if inode is None:
        raise HdfsError(
            "FileNotFoundException",
            f"Failed to append to non-existent file {located.path} for client 127.0.0.1",
        )
    if inode.is_dir:
        raise HdfsError(
            "FileAlreadyExistsException",
            f"Cannot append to directory {located.path}; already exists as a directory.",
        )
    require_no_writer(
        change, store, inode, operation="APPEND_FILE", path=located.path, client=client
    )
    token = store.leases.token
    inodes.update(connection, inode.id, lease=token, client=client)
    behind = blocks.tail(connection, inode.id)
    if behind is None:
        data, start = blocks.new_data(connection, token), 0
    else:
        data, start = behind
        connection.execute("UPDATE data SET lease = ? WHERE id = ?", (token, data))
    watched = quotas.limited(located.ancestors)
    room = blocks.room(connection, inode) if watched else 0
    return Writer(store, inode, located.path, client, data, start, watched, room)
