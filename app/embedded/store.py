"""What every operation works on: the namespace, the data files, the leases and the settings."""

import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from app.embedded.database import Database
from app.embedded.datafiles import DataFiles
from app.embedded.leases import LeaseHolder
from app.embedded.ranks import Ranks
from app.embedded.removal import purge_step

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Options:
    """What a cluster has in its configuration files."""

    superuser: str = "hdfs"
    supergroup: str = "supergroup"
    listing_page: int = 1000
    blocksize: int = 128 * MIB
    min_blocksize: int = MIB
    replication: int = 3
    max_replication: int = 512
    access_time_precision_ms: int = 3_600_000
    max_xattrs: int = 32
    max_xattrs_bytes: int = 16384
    block_pool: str = "BP-embedded"
    trash_minutes: int = 1440


@dataclass(slots=True)
class Change:
    """A transaction that changes the namespace, and what is to be done on disk after it."""

    connection: sqlite3.Connection
    doomed: list[int] = field(default_factory=list)
    """Data files that nothing refers to any more."""
    detached: bool = False
    """Whether a subtree was cut off and waits to be purged."""


class Store:
    """A namespace and its data in one directory of the local disk."""

    def __init__(self, directory: Path, options: Options) -> None:
        self.directory = directory
        self.options = options
        self.database = Database(directory / "namespace.db")
        self.files = DataFiles(directory / "blocks")
        self.leases = LeaseHolder(directory / "leases")
        self.ranks = Ranks()
        self.unlinked: deque[int] = deque()
        """Data files whose row may go in the next transaction, as they are off the disk."""

    @contextmanager
    def change(self) -> Iterator[Change]:
        """Run the body in one transaction; afterwards give the disk space back.

        Rows of data files stay, marked dead, until the file is known to be off the disk: a
        process killed in between leaves them to be found by the next start.
        """
        with self.database.write() as connection:
            change = Change(connection)
            self._forget_unlinked(connection)
            yield change
        self.unlink(change.doomed)
        while change.detached:
            change.detached = self.purge()

    def unlink(self, doomed: list[int]) -> None:
        """Take data files off the disk whose rows are marked dead."""
        for data in doomed:
            self.files.remove(data)
            self.unlinked.append(data)

    def purge(self) -> bool:
        """Remove some of what was detached; tells whether there may be more."""
        with self.database.write() as connection:
            self._forget_unlinked(connection)
            more, doomed = purge_step(connection)
        self.unlink(doomed)
        return more

    def _forget_unlinked(self, connection: sqlite3.Connection) -> None:
        while self.unlinked:
            try:
                data = self.unlinked.popleft()
            except IndexError:
                return
            connection.execute("DELETE FROM data WHERE id = ?", (data,))
