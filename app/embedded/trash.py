"""The emptier of the trash, as a NameNode runs it (TrashPolicyDefault.Emptier of Hadoop).

In each `/user/<name>/.Trash`, `Current` is renamed to a checkpoint named by the time (UTC), and
checkpoints older than the trash interval are removed. There is no thread: each request that
changes something does a step first, if any is due. How far a run has come stands in the
database, so that all processes share one run, and what a killed one leaves is gone on with.
"""

import logging
import re
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from app.embedded import inodes
from app.embedded.access import Caller
from app.embedded.errors import HdfsError
from app.embedded.inodes import Inode
from app.embedded.namespace import remove
from app.embedded.paths import resolve
from app.embedded.schema import ROOT_ID
from app.embedded.snapshots import refuse_snapshotted
from app.embedded.store import Change, Store

_log = logging.getLogger(__name__)

MINUTE_MS: Final = 60_000
PERIOD_MS: Final = 60 * MINUTE_MS
"""Longest time between the beginnings of two runs."""

_CURRENT: Final = "Current"
_CHECKPOINT: Final = re.compile(r"([0-9]{12})(-[0-9]+)?", re.ASCII)
_SECOND_MS: Final = 1000

_USERS_A_STEP: Final = 200
_CHECKPOINTS_A_STEP: Final = 100
_PURGE_SECONDS: Final = 0.05
_MAX_SUFFIX: Final = 1000

_PURGING: Final = 2**63 - 1
"""The position of a run that is through with the users: what it cut off waits to be purged."""

_IDLE: Final = -1

_TRASHES: Final = """
    SELECT u.id, u.name, t.id FROM inodes u
    LEFT JOIN inodes t ON t.parent = u.id AND t.name = ? AND t.is_dir
    WHERE u.parent = ? AND u.is_dir AND u.id > ? ORDER BY u.id LIMIT ?
"""
_NAMES: Final = """
    SELECT name FROM inodes WHERE parent = ? AND name >= ? AND name < ? ORDER BY name LIMIT ?
"""

_COUNTERS: Final = ("trash run", "trash checkpoints", "trash position")


@dataclass(slots=True)
class _Run:
    """The state of a run: when it began (ms), which run last made checkpoints, and its position.

    The position is the inode id of the last user directory seen, or _PURGING, or _IDLE.
    """

    began: int | None = None
    checkpoints: int | None = None
    position: int = _IDLE


class Emptier:
    """Empties the trash of a store; `clock` tells milliseconds since the epoch."""

    def __init__(self, store: Store, clock: Callable[[], int] = inodes.now) -> None:
        self._store = store
        self._clock = clock
        self._interval = store.options.trash_minutes * MINUTE_MS
        self._period = min(self._interval, PERIOD_MS)
        self._rested: int | None = None
        self._superuser = Caller(store.options.superuser, frozenset(), superuser=True)

    def advance(self) -> None:
        """Do a bounded part of what is due, in transactions of its own; failures are logged."""
        if not self._interval:
            return
        now = self._clock()
        if not _has_passed(self._rested, now, self._period):
            return
        try:
            self._step(now)
        except (HdfsError, sqlite3.Error, OSError):
            _log.exception("embedded WebHDFS: the trash was not emptied")
            self._rested = now

    def _step(self, now: int) -> None:
        with self._store.change() as change:
            run = _load(change.connection)
            if run.position == _IDLE:
                if not _has_passed(run.began, now, self._period):
                    self._rested = run.began
                    return
                self._begin(run, now)
            if run.position != _PURGING:
                self._visit(change, run, now)
            # Purged below in bounded steps, not at once as what a caller deletes.
            change.detached = False
            _save(change.connection, run)
        if run.position == _PURGING and not self._purge():
            self._end(run)

    def _begin(self, run: _Run, now: int) -> None:
        run.began, run.position = now, 0
        if _has_passed(run.checkpoints, now, self._interval):
            run.checkpoints = now

    def _purge(self) -> bool:
        """Give space back for a moment; tells whether there may be more to give."""
        deadline = time.monotonic() + _PURGE_SECONDS
        while self._store.purge():
            if time.monotonic() >= deadline:
                return True
        return False

    def _end(self, run: _Run) -> None:
        with self._store.change() as change:
            latest = _load(change.connection)
            if (latest.began, latest.position) == (run.began, _PURGING):
                latest.position = _IDLE
                _save(change.connection, latest)
        self._rested = run.began

    def _visit(self, change: Change, run: _Run, now: int) -> None:
        """Empty the trash of the next users, and note how far that was."""
        found = _users(change.connection, run.position)
        for _, key, trash in found:
            if trash is not None:
                path = f"/user/{inodes.name_of(key)}/.Trash"
                self._remove_checkpoints(change, trash, path, now)
                if run.checkpoints == run.began:
                    _make_checkpoint(change.connection, trash, path, now)
        run.position = found[-1][0] if len(found) == _USERS_A_STEP else _PURGING

    def _remove_checkpoints(self, change: Change, trash: int, path: str, now: int) -> None:
        between = (inodes.key_of("0"), inodes.key_of(":"))
        rows = change.connection.execute(_NAMES, (trash, *between, _CHECKPOINTS_A_STEP))
        for name in [inodes.name_of(key) for (key,) in rows]:
            made = _time_of(name)
            # The name has lost the fraction of its second.
            if made is None or made + _SECOND_MS > now - self._interval:
                continue
            located = resolve(change.connection, f"{path}/{name}", self._superuser)
            if _is_held(change.connection, located.existing(), located.path):
                continue
            remove(change, located)
            _log.info("removed the trash checkpoint %s", located.path)


def _users(connection: sqlite3.Connection, position: int) -> list[tuple[int, bytes, int | None]]:
    """Give the next user directories: inode, sort key, and the inode of their trash, if any."""
    users = inodes.child(connection, ROOT_ID, "user")
    if users is None:
        return []
    key = inodes.key_of(".Trash")
    return connection.execute(_TRASHES, (key, users.id, position, _USERS_A_STEP)).fetchall()


def _make_checkpoint(connection: sqlite3.Connection, trash: int, path: str, now: int) -> None:
    current = inodes.child(connection, trash, _CURRENT)
    if current is None or _is_held(connection, current, f"{path}/{_CURRENT}"):
        return
    base = datetime.fromtimestamp(now // _SECOND_MS, UTC).strftime("%y%m%d%H%M%S")
    for attempt in range(_MAX_SUFFIX + 1):
        name = f"{base}-{attempt}" if attempt else base
        if inodes.child(connection, trash, name) is None:
            inodes.update(connection, current.id, name=inodes.key_of(name))
            inodes.count_child(connection, trash, 0)
            _log.info("made the trash checkpoint %s/%s", path, name)
            return
    _log.warning("no name is left for the trash checkpoint %s/%s", path, base)


def _is_held(connection: sqlite3.Connection, inode: Inode, path: str) -> bool:
    """Tell, and log, that snapshots below forbid to move or remove what is at `path`."""
    try:
        refuse_snapshotted(connection, inode, path)
    except HdfsError as error:
        _log.warning("the trash keeps %s: %s", path, error.message)
        return True
    return False


def _time_of(name: str) -> int | None:
    """Give the milliseconds that a checkpoint is named by, None where the name is of none."""
    match = _CHECKPOINT.fullmatch(name)
    if match is None:
        return None
    try:
        made = datetime.strptime(f"20{match[1]}+0000", "%Y%m%d%H%M%S%z")
    except ValueError:
        return None
    return int(made.timestamp()) * _SECOND_MS


def _has_passed(since: int | None, now: int, span: int) -> bool:
    """Tell whether `span` milliseconds are over; also when the clock was set back meanwhile."""
    return since is None or not 0 <= now - since < span


def _load(connection: sqlite3.Connection) -> _Run:
    statement = "SELECT value FROM counters WHERE name = ?"
    rows = [connection.execute(statement, (name,)).fetchone() for name in _COUNTERS]
    return _Run(*(row[0] for row in rows)) if all(rows) else _Run()


def _save(connection: sqlite3.Connection, run: _Run) -> None:
    values = zip(_COUNTERS, (run.began, run.checkpoints, run.position), strict=True)
    connection.executemany("INSERT OR REPLACE INTO counters VALUES (?, ?)", values)
