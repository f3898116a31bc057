"""Staged content: hidden names, a journal of them, and the sweep after a crash.

Before anything is written under a hidden name, the journal in the state store says so; when the
name is gone again, so is the entry. An entry whose worker is dead is what a crash left behind:
the sweep of any other worker puts it right. What an entry may need:

* `temp` is removed;
* `backup` (a server without atomic replacement had to move the old file aside) goes back to
  `target` if nothing is there, else it is removed;
* directories that were `made` for the file are removed while they are empty.
"""

from __future__ import annotations

import logging
import secrets
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from app.core.errors import (
    AccessDenied,
    Conflict,
    DirectoryNotEmpty,
    GatewayError,
    NotFound,
    PathNotFound,
    UpstreamError,
)
from app.core.paths import HIDDEN_MARK, HdfsPath, child_of, is_inside
from app.fs.rhythm import Rhythm
from app.fs.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from app.fs.port import Backend, FileSystem
    from app.settings import UploadSettings
    from app.state.store import Store

_SPACE = "staged"
_LATE_CREATE_SECONDS = 60.0
_GIVE_UP_SECONDS = 24 * 3600.0
_log = logging.getLogger(__name__)


class Stage:
    """One hidden name from before its creation until it is published or gone.

    As a context manager: leaving it without `done` removes what was staged. `directories` are
    the hidden ones that hold it, the topmost first: none, unless names `below` were asked for.
    """

    def __init__(
        self, staging: Staging, fs: FileSystem, directory: HdfsPath, target: HdfsPath,
        *, below: Sequence[str],
    ) -> None:
        self._staging = staging
        self._fs = fs
        self._key = secrets.token_hex(8)
        self.path = child_of(directory, f"{HIDDEN_MARK}{self._key}")
        self.directories: list[HdfsPath] = []
        for name in below:
            self.directories.append(self.path)
            self.path = child_of(self.path, name)
        self.backup = child_of(directory, f"{HIDDEN_MARK}{self._key}-old")
        self._entry: dict[str, Any] = {
            "user": fs.user, "temp": self.path, "target": target, "backup": "",
            "made": [*self.directories], "worker": staging.workers.own_id,
            "mount": fs.mount_of(directory),
        }
        self._done = False

    def __enter__(self) -> Self:
        """Write the journal entry."""
        self._save()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove what is left, or leave it to the sweep where the cluster cannot be reached."""
        if not self._done and not self._removed(error):
            self._entry["worker"] = ""
            self._save()
        else:
            self._staging.store.delete(_SPACE, self._key)

    def _removed(self, error: BaseException | None) -> bool:
        """Remove what was staged; tell whether it is certain that nothing is left or will come.

        After a timeout or a broken connection a DataNode may still create the file that was
        asked for: as long as it was not seen, the sweep looks for it.
        """
        try:
            found, shared = clean_up(self._fs, self._entry)
        except GatewayError as problem:
            _log.warning("%s is left to the sweep: %r", self.path, problem)
            return False
        if shared or self._staging.is_awaited(self._entry["made"], self._key):
            return False
        return found or not isinstance(error, UpstreamError)

    def will_make(self, look: Callable[[], Sequence[HdfsPath]]) -> None:
        """Note the directories that writing creates, which `look` tells, the topmost first.

        They are looked for only now that the journal has the entry: who removes one of them after
        that finds the entry, and comes back to what this one makes again (Staging.is_awaited).
        """
        self._done = True  # nothing is there to be removed if the look fails
        made = look()
        self._done = False
        if made:
            self._entry["made"] = [*made, *self.directories]
            self._save()

    def uses_backup(self) -> None:
        """Note that the old file is about to be moved to `backup`."""
        self._entry["backup"] = self.backup
        self._save()

    def done(self) -> None:
        """Note that nothing hidden is left."""
        self._done = True

    def _save(self) -> None:
        self._staging.store.put(_SPACE, self._key, self._entry)


class Staging:
    """The journal and its sweep.

    `may_sweep` tells whether this worker is one of those that sweep: those of the primary gateway.
    """

    def __init__(
        self, store: Store, backend: Backend, settings: UploadSettings,
        may_sweep: Callable[[], bool] = lambda: True,
    ) -> None:
        self.store = store
        self._backend = backend
        self._may_sweep = may_sweep
        self.workers = Workers(store, lease=settings.lease_seconds,
                               interval=settings.sweep_seconds, every_beat=self._beat)
        self._others: list[Callable[[], object]] = []
        self._rhythms = [Rhythm(
            self.workers.interval, self._sweep_all, store=store, name="leftovers",
            may_work=may_sweep, each=True)]

    def stage(
        self, fs: FileSystem, directory: HdfsPath, target: HdfsPath,
        below: Sequence[str] = (),
    ) -> Stage:
        """Return a stage in `directory` for what shall become `target`.

        With names `below` the hidden name is a directory's, and what is staged lies there under
        these names.
        """
        return Stage(self, fs, directory, target, below=below)

    def is_awaited(self, made: Sequence[str], key: str = "") -> bool:
        """Tell whether another's content is on its way to below directories that are removed.

        It may have seen them before, and then its creation makes them again: the other does not
        count them as its own, so whoever made them first has to look once more when it is over.
        """
        return bool(made) and any(
            other != key and is_inside(HdfsPath(entry["target"]), HdfsPath(made[0]))
            and self.workers.is_alive(entry["worker"])
            for other, entry in self.store.scan(_SPACE))

    def discard(
        self, fs: FileSystem, temp: HdfsPath, target: HdfsPath, made: Sequence[HdfsPath] = (),
        *, certain: bool = False,
    ) -> bool:
        """Remove a hidden file and the directories made for it; tell whether it was there.

        What cannot be removed now is left to the sweep, and so is a file that is not there yet,
        unless it is `certain` that nothing is on its way to create it.
        """
        entry = {"user": fs.user, "temp": temp, "target": target, "backup": "",
                 "made": [*made], "worker": "", "mount": fs.mount_of(temp)}
        found = over = False
        try:
            found, shared = clean_up(fs, entry)
            over = (found or certain) and not shared and not self.is_awaited(made)
        except GatewayError as problem:
            _log.warning("%s is left to the sweep: %r", temp, problem)
        if not over:
            self.store.put(_SPACE, secrets.token_hex(8), entry)
        return found

    def also(self, sweep: Callable[[], object]) -> None:
        """Have another sweep done in the background, after each of this one."""
        self._others.append(sweep)

    def each(self, work: Callable[[], object]) -> None:
        """Have `work` done in the background by each worker, those that do not sweep too."""
        self._rhythms.append(Rhythm(self.workers.interval, work))

    def every(self, seconds: float, name: str, work: Callable[[], object]) -> None:
        """Have `work` done in the background every `seconds`, by one worker of those that sweep.

        `name` tells it from other such work, in all gateways that share the state store.
        """
        self.workers.beat_within(seconds)
        self._rhythms.append(Rhythm(
            seconds, work, store=self.store, name=name, may_work=self._may_sweep))

    def _beat(self) -> None:
        # Each has its turn, whatever another raised.
        with ExitStack() as stack:
            for rhythm in reversed(self._rhythms):
                stack.callback(rhythm)

    def _sweep_all(self) -> None:
        self.sweep()
        for sweep in self._others:
            sweep()

    def sweep(self) -> int:
        """Put right what dead workers left; return how many entries were finished."""
        finished = 0
        for key, entry in list(self.store.scan(_SPACE)):
            if not self.workers.is_alive(entry["worker"]) and self._claim(key, entry["worker"]):
                finished += self._finish(key)
        return finished

    def _claim(self, key: str, dead: str) -> bool:
        own = self.workers.own_id

        def take(entry: dict[str, Any] | None) -> dict[str, Any] | None:
            return entry and {**entry, "worker": own if entry["worker"] == dead
                              else entry["worker"]}

        claimed = self.store.update(_SPACE, key, take)
        return claimed is not None and claimed["worker"] == own

    def _finish(self, key: str) -> bool:
        entry = self.store.get(_SPACE, key)
        if entry is None:
            return False
        finished = False
        try:
            if self._is_over(key, entry):
                self.store.delete(_SPACE, key)
                finished = True
                _log.info("finished with leftover %s of %s", entry["temp"], entry["user"])
        finally:
            if not finished:
                self.store.put(_SPACE, key, {**entry, "worker": ""})
        return finished

    def _is_over(self, key: str, entry: dict[str, Any]) -> bool:
        """Try to put an entry right; tell whether there is nothing more to do for it."""
        since: float = time.time() - entry.setdefault("swept", time.time())
        try:
            fs = self._backend.as_user(entry["user"])
            if fs.mount_of(HdfsPath(entry["temp"])) != entry.get("mount", 0):
                _log.warning("leftover %s of %s stays: its mount is gone, and what has its path now"
                             " is something else", entry["temp"], entry["user"])
                return True
            found, shared = clean_up(fs, entry)
            shared = shared or self.is_awaited(entry["made"], key)
        except GatewayError as problem:
            over = since > _GIVE_UP_SECONDS
            _log.log(logging.ERROR if over or not since else logging.DEBUG,
                     "leftover %s of %s stays%s: %r", entry["temp"], entry["user"],
                     "" if over else " for now", problem)
            return over
        # The DataNode may still be about to create what a dead worker asked for.
        late = not found and since < _LATE_CREATE_SECONDS
        return not late and (not shared or since > _GIVE_UP_SECONDS)


def clean_up(fs: FileSystem, entry: dict[str, Any]) -> tuple[bool, bool]:
    """Undo what a journal entry tells of.

    Return whether its hidden file was there, and whether a directory that was made for it still
    stands because other uploads are staged in it, whose end may leave it empty.
    """
    if entry["backup"]:
        _settle_backup(fs, HdfsPath(entry["backup"]), HdfsPath(entry["target"]))
    found = _delete_staged(fs, HdfsPath(entry["temp"]))
    for directory in reversed(entry["made"]):
        try:
            fs.delete(HdfsPath(directory))
        except DirectoryNotEmpty:
            return found, _holds_only_staged(fs, HdfsPath(directory))
        except (Conflict, NotFound):
            break
    return found, False


def _delete_staged(fs: FileSystem, path: HdfsPath) -> bool:
    """Delete; who may not write the directory has nothing staged in it, unless they see it."""
    try:
        return fs.delete(path)
    except AccessDenied:
        try:
            fs.status(path)
        except (NotFound, AccessDenied):
            return False
        raise


def _holds_only_staged(fs: FileSystem, directory: HdfsPath) -> bool:
    try:
        entries = fs.list_page(directory).entries
    except (Conflict, NotFound):
        return False
    return all(entry.path_suffix.startswith(HIDDEN_MARK) for entry in entries)


def _settle_backup(fs: FileSystem, backup: HdfsPath, target: HdfsPath) -> None:
    try:
        fs.status(backup)
    except PathNotFound:
        return
    try:
        fs.status(target)
    except PathNotFound:
        if not fs.rename(backup, target):
            raise UpstreamError(f"{backup} could not be moved back to {target}") from None
    else:
        fs.delete(backup)
