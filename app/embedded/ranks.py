"""How many entries of a directory come after a page, without counting them for each page."""

import sqlite3
from typing import Final

from app.embedded import inodes
from app.embedded.inodes import Inode

_REMEMBERED: Final = 1024


class Ranks:
    """Remembers where in its directory the last entry of a page was.

    Pages are usually asked for one after another: the next one begins where one ended, and its
    rank is known as long as the directory has not changed. Otherwise the rest is counted.
    """

    def __init__(self) -> None:
        self._ranks: dict[tuple[int, bytes], tuple[int, int, int]] = {}

    def remaining(
        self, connection: sqlite3.Connection, directory: Inode, after: str, page: list[Inode]
    ) -> int:
        """Tell how many entries follow a page that begins after the name `after`."""
        if not page:
            return 0
        last = page[-1].key or b""
        before = self._rank(directory, inodes.key_of(after))
        if before is None:
            remaining = _count(connection, directory.id, last)
        else:
            remaining = max(directory.children - before - len(page), 0)
        if len(self._ranks) >= _REMEMBERED:
            self._ranks.clear()
        rank = directory.children - remaining
        self._ranks[directory.id, last] = (directory.mtime, directory.children, rank)
        return remaining

    def _rank(self, directory: Inode, key: bytes) -> int | None:
        if not key:
            return 0
        mtime, children, rank = self._ranks.get((directory.id, key), (0, 0, 0))
        unchanged = (mtime, children) == (directory.mtime, directory.children)
        return rank if rank and unchanged else None


def _count(connection: sqlite3.Connection, directory: int, last: bytes) -> int:
    (count,) = connection.execute(
        "SELECT count(*) FROM inodes WHERE parent = ? AND name > ?", (directory, last)
    ).fetchone()
    return int(count)
