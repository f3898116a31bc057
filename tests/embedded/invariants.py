"""What must hold of a server's directory whenever no request runs."""

import sqlite3
from contextlib import closing
from pathlib import Path


def _ask(connection: sqlite3.Connection, question: str) -> list[tuple[object, ...]]:
    return connection.execute(question).fetchall()


def data_files(directory: Path) -> dict[int, int]:
    return {int(path.name): path.stat().st_size for path in (directory / "blocks").glob("*/*")}


def check(directory: Path) -> None:
    """Assert that the namespace is a tree that fits its counts, blocks and data files."""
    with closing(sqlite3.connect(directory / "namespace.db")) as connection:
        assert _ask(connection, "PRAGMA integrity_check") == [("ok",)]
        assert not _ask(
            connection,
            """SELECT d.id, d.children, count(c.id) FROM inodes d
               LEFT JOIN inodes c ON c.parent = d.id
               WHERE d.is_dir GROUP BY d.id HAVING d.children <> count(c.id)""",
        ), "a directory's count of children is wrong"
        assert not _ask(
            connection,
            """SELECT i.id FROM inodes i LEFT JOIN inodes p ON p.id = i.parent
               WHERE p.id IS NULL AND i.id <> 16385
               AND i.id NOT IN (SELECT root FROM snapshots)""",
        ), "an inode has no parent"
        assert not _ask(
            connection,
            """SELECT i.id FROM inodes i LEFT JOIN blocks b ON b.inode = i.id
               WHERE NOT i.is_dir GROUP BY i.id
               HAVING i.length <> coalesce(sum(b.length), 0)""",
        ), "a file's length is not that of its blocks"
        assert not _ask(
            connection,
            """SELECT b.inode FROM blocks b LEFT JOIN data d ON d.id = b.data
               WHERE d.id IS NULL OR d.dead OR b.start + b.length > d.length""",
        ), "a block lies outside its data file"
        assert not _ask(
            connection, "SELECT inode FROM blocks WHERE inode NOT IN (SELECT id FROM inodes)"
        ), "a block belongs to no file"
        assert not _ask(
            connection, "SELECT id FROM inodes WHERE lease IS NOT NULL OR client IS NOT NULL"
        ), "a file is still under construction"
        live = dict(_ask(connection, "SELECT id, length FROM data WHERE NOT dead"))
    on_disk = data_files(directory)
    assert set(on_disk) == set(live), "data files and their rows differ"
    assert all(on_disk[data] >= length for data, length in live.items())
