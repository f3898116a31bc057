"""The end of files and directories whose ttl is over, as the notes in the state store tell.

A note counts for one inode, as long as that inode has the very record that was noted. An inode is
found by its number, wherever it was moved to, the trash included; its number alone is no proof:
HDFS resolves that of a file which only a snapshot still holds by name, to whatever has this name
now. What is checked is then removed by number too.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from app.core.errors import GatewayError, PathNotFound, UpstreamError
from app.core.lifetimes import RECORD, Lifetime, TtlAction, decode, encode
from app.core.mounts import split_id
from app.core.path_rules import PathRules
from app.core.paths import HdfsPath
from app.fs.lifetimes import NOTES, due_of, found_by, turn
from app.fs.rhythm import UNFINISHED
from app.fs.ruled_file_system import RuledFileSystem

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.fs.port import Backend, FileSystem
    from app.fs.workers import Workers
    from app.state.store import Store, Value

_BEAT_SECONDS = 5.0
"""How long one sweep may take, as others wait for it;"""
_AWAY_SECONDS = 60.0
"""for how long a cluster that could not be reached is left alone;"""
_RETRY_SECONDS = 60.0
"""and after how long what was refused is tried again the first time: each further time after twice
as long, but"""
_MAX_RETRY_SECONDS = 24 * 3600.0
_log = logging.getLogger(__name__)


class LifetimeSweep:
    """Does what is due by `clock`, in seconds since the epoch: the gateway's, not HDFS's.

    `rules_of` tells the path rules that a user of the gateway has by now.
    """

    def __init__(
        self, store: Store, backend: Backend, workers: Workers,
        *, rules_of: Callable[[str], PathRules] = lambda _: PathRules(),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._workers = workers
        self._backend = backend
        self._rules_of = rules_of
        self._clock = clock
        self._away: dict[int, float] = {}
        self._broken_off = False

    def beat(self) -> object:
        """Sweep, and say UNFINISHED where that took too long to do all."""
        self.sweep()
        return UNFINISHED if self._broken_off else None

    def sweep(self) -> int:
        """Do what is due, for as long as a sweep may take; return how many ttls were ended."""
        ended = 0
        self._broken_off = False
        now = int(self._clock() * 1000)
        give_up = time.monotonic() + _BEAT_SECONDS
        for name, note in self._store.scan(NOTES):
            if due_of(name) > now:
                break  # and so are all that follow
            if note.get("later", 0) <= now and not self._is_away(note):
                ended += self._end(name, found_by(HdfsPath(note["path"]), note["id"]))
                if time.monotonic() > give_up:
                    self._broken_off = True
                    break
        return ended

    def _is_away(self, note: Value) -> bool:
        return self._away.get(_cluster(note), 0.0) > time.monotonic()

    def _end(self, name: str, target: HdfsPath) -> bool:
        """Settle the note of one file; tell whether that is gone or free by it."""
        with turn(self._store, self._workers, target, patience=0.0) as mine:
            # It was read before one had the turn: another may have settled it.
            note = self._store.get(NOTES, name) if mine else None
            return note is not None and self._try(name, note, target)

    def _try(self, name: str, note: Value, target: HdfsPath) -> bool:
        try:
            ended = _ended(self._judged(note), target, note)
        except PathNotFound:
            ended = False
        except GatewayError as problem:
            self._postpone(name, note, problem)
            return False
        self._store.delete(NOTES, name)
        if ended:
            _log.info("the ttl of %s is over: %s of %s", note["path"],
                      decode(note["record"].encode())[0].action, note["user"])
        return ended

    def _judged(self, note: Value) -> FileSystem:
        """Return the file system in which a note's file ends, by the rules of whose it is.

        Rules are about paths, and what was moved has one that nobody knows: then PathNotFound.
        """
        fs = self._backend.as_user(note["user"])
        rules, path = self._rules_of(note.get("owner", "")), HdfsPath(note["path"])
        if not rules:
            return fs
        if fs.status(path).file_id != note["id"]:
            raise PathNotFound(path)
        ruled = RuledFileSystem(fs, rules)
        ruled.learn(path, note["id"])
        return ruled

    def _postpone(self, name: str, note: dict[str, Any], problem: GatewayError) -> None:
        tries: int = note.get("tries", 0)
        wait = _RETRY_SECONDS
        if isinstance(problem, UpstreamError):
            self._away[_cluster(note)] = time.monotonic() + _AWAY_SECONDS
        else:
            wait = min(_RETRY_SECONDS * 2 ** min(tries, 20), _MAX_RETRY_SECONDS)
        _log.log(logging.DEBUG if tries else logging.WARNING,
                 "the ttl of %s is over, but %s may not end it now, and will try again: %r",
                 note["path"], note["user"], problem)
        later = int((self._clock() + wait) * 1000)
        self._store.put(NOTES, name, {**note, "tries": tries + 1, "later": later})


def _ended(fs: FileSystem, target: HdfsPath, note: Value) -> bool:
    """Do to the noted file what its record says; False where it has another by now."""
    status = fs.status(target)
    record = note["record"].encode()
    if status.file_id != note["id"] or fs.xattrs(target).get(RECORD) != record:
        return False
    lifetime = decode(record)[0]
    if lifetime.action is TtlAction.DELETE:
        return fs.delete(target, recursive=status.is_directory)
    # HDFS has nothing to free: the ttl is over, and that is all.
    rest = Lifetime(pinned=lifetime.pinned)
    if rest == Lifetime():
        fs.remove_xattr(target, RECORD)
    else:
        fs.set_xattr(target, RECORD, encode(rest), exists=True)
    return True


def _cluster(note: Value) -> int:
    """Return the number of the mount that the file is in, 0 for the gateway's own cluster."""
    return split_id(note["id"])[1]
