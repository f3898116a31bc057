"""Removing inodes: a file or empty directory at once, a subtree by detaching and purging it.

Detaching is one row's change, however large the subtree; purging works in short transactions,
so that other writers never wait long.
"""

import sqlite3
from typing import Final

from app.embedded.schema import DETACHED

_STEP: Final = 500


def remove_file(connection: sqlite3.Connection, inode: int) -> list[int]:
    """Remove a file's rows (not its entry in the parent's count); returns doomed data files."""
    connection.execute("DELETE FROM inodes WHERE id = ?", (inode,))
    connection.execute("DELETE FROM xattrs WHERE inode = ?", (inode,))
    return remove_blocks(connection, inode, 0)


def remove_blocks(connection: sqlite3.Connection, inode: int, first: int) -> list[int]:
    """Remove a file's blocks from the `first` on; returns data files left without a block."""
    data = {
        row[0]
        for row in connection.execute(
            "SELECT data FROM blocks WHERE inode = ? AND seq >= ?", (inode, first)
        )
    }
    if not data:
        return []
    connection.execute("DELETE FROM blocks WHERE inode = ? AND seq >= ?", (inode, first))
    return [number for number in data if bury_if_unused(connection, number)]


def bury_if_unused(connection: sqlite3.Connection, data: int) -> bool:
    """Mark a data file dead unless a block (perhaps a snapshot's) still lies in it."""
    row = connection.execute("SELECT 1 FROM blocks WHERE data = ? LIMIT 1", (data,)).fetchone()
    if row is not None:
        return False
    connection.execute("UPDATE data SET dead = 1, lease = NULL WHERE id = ?", (data,))
    return True


def remove_empty_directory(connection: sqlite3.Connection, inode: int) -> None:
    """Remove a directory's rows."""
    for statement in (
        "DELETE FROM inodes WHERE id = ?",
        "DELETE FROM xattrs WHERE inode = ?",
        "DELETE FROM usage WHERE inode = ?",
    ):
        connection.execute(statement, (inode,))


def detach(connection: sqlite3.Connection, inode: int) -> None:
    """Cut an inode off the namespace; it keeps its children until it is purged."""
    connection.execute("UPDATE inodes SET parent = ?, name = NULL WHERE id = ?", (DETACHED, inode))


def purge_step(connection: sqlite3.Connection) -> tuple[bool, list[int]]:
    """Remove some hundred detached inodes; returns whether more remain, and doomed data."""
    row = connection.execute(
        "SELECT id, is_dir FROM inodes WHERE parent = ? LIMIT 1", (DETACHED,)
    ).fetchone()
    if row is None:
        return False, []
    inode, is_dir = row
    if not is_dir:
        return True, remove_file(connection, inode)
    doomed: list[int] = []
    children = connection.execute(
        "SELECT id, is_dir FROM inodes WHERE parent = ? LIMIT ?", (inode, _STEP)
    ).fetchall()
    for child, child_is_dir in children:
        if child_is_dir:
            detach(connection, child)
        else:
            doomed += remove_file(connection, child)
    if len(children) < _STEP:
        remove_empty_directory(connection, inode)
    return True, doomed
