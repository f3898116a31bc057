"""Rows of the inode table: reading them and the changes that most operations share."""

import sqlite3
import time
from typing import Final, NamedTuple

from app.embedded.schema import ROOT_ID

_SIGN: Final = bytes(range(128, 256)) + bytes(range(128))

COLUMNS: Final = (
    "id, origin, parent, name, is_dir, owner, grp, mode, replication, blocksize, length, mtime,"
    " atime, children, acl, ns_quota, ds_quota, snapshottable, lease, client"
)


class Inode(NamedTuple):
    """A file or directory; times are milliseconds since the epoch, `mode` has the sticky bit."""

    id: int
    origin: int | None
    parent: int
    key: bytes | None
    is_dir: int
    owner: str
    group: str
    mode: int
    replication: int
    blocksize: int
    length: int
    mtime: int
    atime: int
    children: int
    acl: str | None
    ns_quota: int
    ds_quota: int
    snapshottable: int
    lease: str | None
    client: str | None

    @property
    def name(self) -> str:
        """The last component of its path, empty for the root."""
        return name_of(self.key or b"")

    @property
    def file_id(self) -> int:
        """The id that HDFS shows: a snapshot's copy has the id of what was copied."""
        return self.origin or self.id

    @property
    def has_quota(self) -> bool:
        """Whether usage is kept for this directory."""
        return self.ns_quota >= 0 or self.ds_quota >= 0


_CHILD: Final = f"SELECT {COLUMNS} FROM inodes WHERE parent = ? AND name = ?"  # noqa: S608 - constant
_BY_ID: Final = f"SELECT {COLUMNS} FROM inodes WHERE id = ?"  # noqa: S608 - constant
_PAGE: Final = (
    f"SELECT {COLUMNS} FROM inodes WHERE parent = ? AND name > ?"  # noqa: S608 - constant
    " ORDER BY name LIMIT ?"
)


def key_of(name: str) -> bytes:
    """Give the sort key of a name: HDFS orders names by their UTF-8 bytes, read as signed."""
    return name.encode().translate(_SIGN)


def name_of(key: bytes) -> str:
    """Give the name that a sort key stands for."""
    return key.translate(_SIGN).decode()


def now() -> int:
    """Tell the time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def child(connection: sqlite3.Connection, parent: int, name: str) -> Inode | None:
    """Find the entry `name` of a directory."""
    row = connection.execute(_CHILD, (parent, key_of(name))).fetchone()
    return Inode._make(row) if row else None


def by_id(connection: sqlite3.Connection, inode: int) -> Inode | None:
    """Find an inode by its number, wherever in the namespace it is (or was, if detached)."""
    row = connection.execute(_BY_ID, (inode,)).fetchone()
    return Inode._make(row) if row else None


def root(connection: sqlite3.Connection) -> Inode:
    """Read the root directory."""
    return Inode._make(connection.execute(_BY_ID, (ROOT_ID,)).fetchone())


def parent_and_key(connection: sqlite3.Connection, inode: int) -> tuple[int, bytes | None] | None:
    """Give what leads up from an inode: the id of its parent, and its sort key there."""
    row: tuple[int, bytes | None] | None = connection.execute(
        "SELECT parent, name FROM inodes WHERE id = ?", (inode,)
    ).fetchone()
    return row


def page(connection: sqlite3.Connection, parent: int, after: str, limit: int) -> list[Inode]:
    """Read at most `limit` entries of a directory that come after the name `after`."""
    rows = connection.execute(_PAGE, (parent, key_of(after), limit))
    return [Inode._make(row) for row in rows]


def add(connection: sqlite3.Connection, parent: int, name: str, values: dict[str, object]) -> int:
    """Insert an inode under `parent` and count it there; returns its id."""
    row = {"parent": parent, "name": key_of(name), **values}
    columns, marks = ", ".join(row), ", ".join("?" * len(row))
    statement = f"INSERT INTO inodes ({columns}) VALUES ({marks})"  # noqa: S608 - our own names
    inode = connection.execute(statement, tuple(row.values())).lastrowid
    assert inode is not None
    count_child(connection, parent, 1)
    return inode


def count_child(connection: sqlite3.Connection, parent: int, by: int) -> None:
    """Note that a directory has got or lost entries, now."""
    connection.execute(
        "UPDATE inodes SET children = children + ?, mtime = ? WHERE id = ?", (by, now(), parent)
    )


def update(connection: sqlite3.Connection, inode: int, **values: object) -> None:
    """Set columns of one inode."""
    changes = ", ".join(f"{column} = ?" for column in values)
    statement = f"UPDATE inodes SET {changes} WHERE id = ?"  # noqa: S608 - our own names
    connection.execute(statement, (*values.values(), inode))
