"""Name and space quotas: usage is kept for directories that have one, and for no others."""

import sqlite3
from typing import Final, NamedTuple

from app.embedded.errors import HdfsError
from app.embedded.inodes import Inode
from app.embedded.paths import Located

_SUBTREE: Final = """
    WITH RECURSIVE tree (id, is_dir, length, replication) AS (
        SELECT id, is_dir, length, replication FROM inodes WHERE id = :root
        UNION ALL
        SELECT i.id, i.is_dir, i.length, i.replication
        FROM tree JOIN inodes i ON i.parent = tree.id WHERE tree.is_dir
    )
    SELECT coalesce(sum(is_dir), 0), coalesce(sum(NOT is_dir), 0), coalesce(sum(length), 0),
        coalesce(sum(length * replication), 0)
    FROM tree
"""


class Usage(NamedTuple):
    """What a subtree holds: counts, bytes, and bytes times replication."""

    directories: int
    files: int
    length: int
    space: int

    @property
    def names(self) -> int:
        """What counts against a name quota."""
        return self.directories + self.files


def measure(connection: sqlite3.Connection, inode: Inode) -> Usage:
    """Add up a subtree, its root included."""
    if not inode.is_dir:
        return Usage(0, 1, inode.length, inode.length * inode.replication)
    return Usage._make(connection.execute(_SUBTREE, {"root": inode.id}).fetchone())


def limited(ancestors: list[Inode]) -> bool:
    """Tell whether any of these directories has a quota."""
    return any(inode.has_quota for inode in ancestors)


def charge(
    connection: sqlite3.Connection, located: Located, names: int, space: int, above: int = 0
) -> None:
    """Book a change on the ancestors of a path; raises where a growth breaks a quota.

    The first `above` ancestors are left out: they hold both ends of a move.
    """
    for index, inode in enumerate(located.ancestors):
        if index >= above and inode.has_quota:
            check(connection, inode, located.path_of(index), names, space)
            connection.execute(
                "UPDATE usage SET namespace = namespace + ?, space = space + ? WHERE inode = ?",
                (names, space, inode.id),
            )


def charge_by_id(connection: sqlite3.Connection, inode: int, space: int) -> None:
    """Book what the end of a write found, on the directories above a file, unchecked."""
    connection.execute(
        """WITH RECURSIVE above (id) AS (
            SELECT parent FROM inodes WHERE id = ?
            UNION ALL SELECT i.parent FROM above JOIN inodes i ON i.id = above.id
            WHERE i.parent > 0
        ) UPDATE usage SET space = space + ? WHERE inode IN (SELECT id FROM above)""",
        (inode, space),
    )


def used(connection: sqlite3.Connection, inode: Inode) -> tuple[int, int]:
    """Give names and bytes used of a directory with a quota."""
    row = connection.execute(
        "SELECT namespace, space FROM usage WHERE inode = ?", (inode.id,)
    ).fetchone()
    return (row[0], row[1])


def check(connection: sqlite3.Connection, inode: Inode, path: str, names: int, space: int) -> None:
    """Raise the QuotaExceededException that a growth below a directory would mean."""
    if names <= 0 and space <= 0:
        return
    namespace, consumed = used(connection, inode)
    if names > 0 and 0 <= inode.ns_quota < namespace + names:
        raise HdfsError(
            "NSQuotaExceededException",
            f"The NameSpace quota (directories and files) of directory {path} is exceeded:"
            f" quota={inode.ns_quota} file count={namespace + names}",
        )
    if space > 0 and 0 <= inode.ds_quota < consumed + space:
        raise HdfsError(
            "DSQuotaExceededException",
            f"The DiskSpace quota of {path} is exceeded: quota = {_size(inode.ds_quota)}"
            f" but diskspace consumed = {_size(consumed + space)}",
        )


def _size(number: int) -> str:
    """Write a size twice as HDFS does: in bytes, and with a binary prefix."""
    for shift, prefix in ((60, "E"), (50, "P"), (40, "T"), (30, "G"), (20, "M"), (10, "K")):
        if number >= 1 << shift:
            scaled = number / (1 << shift)
            short = f"{scaled:.0f}" if scaled == int(scaled) else f"{scaled:.2f}"
            return f"{number} B = {short} {prefix}B"
    return f"{number} B = {number} B"
