"""The tables of the namespace: what a NameNode keeps in its fsimage and its leases."""

import sqlite3
from typing import Final

FORMAT: Final = 1
"""Version of the layout on disk, kept in SQLite's user_version."""

ROOT_ID: Final = 16385
"""HDFS numbers inodes from 16385, the root directory."""

DETACHED: Final = 0
"""Parent of what was deleted from the namespace and waits to be purged."""

NOWHERE: Final = -(2**63)
"""Parent of the root, and of the roots of snapshots: the id of no inode."""

TABLES: Final = (
    # Snapshot copies have negative ids and the id of the copied inode in `origin`.
    """CREATE TABLE inodes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        origin INTEGER,
        parent INTEGER NOT NULL,
        name BLOB,
        is_dir INTEGER NOT NULL,
        owner TEXT NOT NULL,
        grp TEXT NOT NULL,
        mode INTEGER NOT NULL,
        replication INTEGER NOT NULL DEFAULT 0,
        blocksize INTEGER NOT NULL DEFAULT 0,
        length INTEGER NOT NULL DEFAULT 0,
        mtime INTEGER NOT NULL,
        atime INTEGER NOT NULL DEFAULT 0,
        children INTEGER NOT NULL DEFAULT 0,
        acl TEXT,
        ns_quota INTEGER NOT NULL DEFAULT -1,
        ds_quota INTEGER NOT NULL DEFAULT -1,
        snapshottable INTEGER NOT NULL DEFAULT 0,
        lease TEXT,
        client TEXT
    )""",
    "CREATE UNIQUE INDEX inodes_by_name ON inodes (parent, name)",
    "CREATE INDEX inodes_dirs ON inodes (parent) WHERE is_dir",
    "CREATE INDEX inodes_leased ON inodes (lease) WHERE lease IS NOT NULL",
    "CREATE INDEX inodes_snapshottable ON inodes (id) WHERE snapshottable",
    # Usage of directories with a quota alone; the inode itself counts, as in HDFS.
    """CREATE TABLE usage (
        inode INTEGER PRIMARY KEY, namespace INTEGER NOT NULL, space INTEGER NOT NULL
    )""",
    # A data file is written once from 0 to `length`, and later only beyond it.
    """CREATE TABLE data (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        length INTEGER NOT NULL DEFAULT 0,
        lease TEXT,
        dead INTEGER NOT NULL DEFAULT 0
    )""",
    "CREATE INDEX data_leased ON data (lease) WHERE lease IS NOT NULL",
    "CREATE INDEX data_dead ON data (id) WHERE dead",
    # Stretches of data files, in order; those with the same `block` make up one HDFS block.
    """CREATE TABLE blocks (
        inode INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        block INTEGER NOT NULL,
        data INTEGER NOT NULL,
        start INTEGER NOT NULL,
        length INTEGER NOT NULL,
        PRIMARY KEY (inode, seq)
    ) WITHOUT ROWID""",
    "CREATE INDEX blocks_by_data ON blocks (data)",
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE xattrs (
        inode INTEGER NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL,
        seq INTEGER NOT NULL, PRIMARY KEY (inode, name)
    ) WITHOUT ROWID""",
    """CREATE TABLE snapshots (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        inode INTEGER NOT NULL, name TEXT NOT NULL, root INTEGER NOT NULL,
        mtime INTEGER NOT NULL, UNIQUE (inode, name)
    )""",
)


def install(connection: sqlite3.Connection) -> None:
    """Create the tables where missing; raises ValueError for another version's layout."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == FORMAT:
        return
    if version != 0:
        raise ValueError(f"the namespace has layout version {version}; this server reads {FORMAT}")
    for statement in TABLES:
        connection.execute(statement)
    connection.execute("INSERT INTO counters VALUES ('block', 1073741824), ('copy', 0)")
    connection.execute(f"PRAGMA user_version = {FORMAT}")
