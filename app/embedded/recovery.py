"""Lease recovery: files whose writer has died are closed at what was committed."""

import sqlite3

from app.embedded.errors import HdfsError
from app.embedded.inodes import Inode
from app.embedded.removal import bury_if_unused
from app.embedded.store import Change, Store


def require_no_writer(
    change: Change, store: Store, inode: Inode, *, operation: str, path: str, client: str
) -> None:
    """Raise AlreadyBeingCreatedException while another writer lives; recover from a dead one."""
    if inode.lease is None:
        return
    if store.leases.is_alive(inode.lease):
        raise HdfsError(
            "AlreadyBeingCreatedException",
            f"Failed to {operation} {path} for {client} on 127.0.0.1 because this file lease is"
            f" currently owned by {inode.client} on 127.0.0.1",
        )
    recover(change, inode.lease)


def recover(change: Change, lease: str) -> None:
    """Close what a dead process had open and give up the data it had not committed."""
    connection = change.connection
    connection.execute("UPDATE inodes SET lease = NULL, client = NULL WHERE lease = ?", (lease,))
    rows = connection.execute("SELECT id FROM data WHERE lease = ?", (lease,)).fetchall()
    for (data,) in rows:
        connection.execute("UPDATE data SET lease = NULL WHERE id = ?", (data,))
        if bury_if_unused(connection, data):
            change.doomed.append(data)


def sweep(store: Store) -> None:
    """Recover the leases of all dead processes and finish removals that were cut short."""
    with store.database.read() as connection:
        leases = _leases(connection)
    dead = [lease for lease in leases if not store.leases.is_alive(lease)]
    with store.change() as change:
        for lease in dead:
            _cut_appended(change.connection, store, lease)
            recover(change, lease)
        rows = change.connection.execute("SELECT id FROM data WHERE dead").fetchall()
        change.doomed = [data for (data,) in rows]
        change.detached = True
    store.leases.remove_dead()


def _leases(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT lease FROM inodes WHERE lease IS NOT NULL"
        " UNION SELECT lease FROM data WHERE lease IS NOT NULL"
    )
    return [lease for (lease,) in rows]


def _cut_appended(connection: sqlite3.Connection, store: Store, lease: str) -> None:
    """Take off the disk what a dead append wrote behind the committed length of a data file."""
    rows = connection.execute(
        "SELECT id, length FROM data WHERE lease = ? AND length > 0", (lease,)
    )
    for data, length in rows.fetchall():
        store.files.cut(data, length)
