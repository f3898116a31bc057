"""The keys of a bucket in S3's order, from any place: a walk down the directories in key order.

A file is a key, and so is a directory that `is_marker` says is one (its key ends in `/`). With a
delimiter, keys that share what is up to the first delimiter after the prefix are one common
prefix. A directory whose name holds the delimiter is told as one without looking into it if it
has entries, be they but hidden ones or directories without keys: one call each would make a page
of a thousand directories cost a thousand calls.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from app.core.errors import NotADirectory, PathNotFound
from app.core.object_errors import InvalidKey, KeyTooLong
from app.core.objects import COLON, DOT, EMPTY, MAX_KEY_BYTES, name_of_part
from app.core.paths import HdfsPath, child_of
from app.fs.key_order import KEEP, ordered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.core.model import FileStatus
    from app.fs.port import FileSystem

_LAST = "\U0010ffff" * (MAX_KEY_BYTES // 4)
"""No key that begins with some text is greater than that text with this behind it."""
_PASSED = 1000
"""So many entries of a common prefix are passed over before the rest is by seeking."""
_OPEN = 8
"""So many levels of directories are kept as far as they have been read; others are read anew."""


class KeyEntry(NamedTuple):
    """A key and what it is; or a common prefix (`status` is None) and the first thing in it.

    The key of a directory ends in `/`.
    """

    key: str
    path: HdfsPath
    status: FileStatus | None


class _Level:
    """A directory on the way down: `base` is the key's beginning that stands for it."""

    __slots__ = ("after", "base", "entries", "marker", "passed", "path", "prefix", "room")

    def __init__(
        self, path: HdfsPath, base: str, *, after: str | None = None, prefix: str = "",
        marker: FileStatus | None = None,
    ) -> None:
        self.path = path
        self.base = base
        self.after = after
        self.prefix = prefix
        self.marker = marker
        self.passed = 0
        self.room = MAX_KEY_BYTES - len(base.encode(errors="replace"))
        self.entries: Iterator[tuple[str, FileStatus]] | None = None


def walk(
    fs: FileSystem, root: HdfsPath, *, prefix: str = "", delimiter: str = "", after: str = "",
    is_marker: Callable[[HdfsPath, FileStatus], bool], keep: int = KEEP,
) -> Iterator[KeyEntry]:
    """Yield keys and common prefixes below `root` that start with `prefix`, in S3's order.

    Only those greater than `after`, which may be any string; a common prefix also if `after` is in
    it and a greater key too. `is_marker` is asked of directories only. What vanishes meanwhile is
    passed over. Raises AccessDenied for a directory that may not be listed: a silent hole would
    make those who synchronise delete.
    """
    return iter(Walk(fs, root, prefix=prefix, delimiter=delimiter, after=after,
                     is_marker=is_marker, keep=keep))


class Walk:
    """One walk; iterated once. The parameters are those of `walk`."""

    def __init__(
        self, fs: FileSystem, root: HdfsPath, *, prefix: str, delimiter: str, after: str,
        is_marker: Callable[[HdfsPath, FileStatus], bool], keep: int,
    ) -> None:
        self._fs = fs
        self._root = root
        self._prefix = prefix
        self._delimiter = delimiter
        self._after = after
        self._is_marker = is_marker
        self._keep = keep
        self._common = ""
        self._levels: list[_Level] = []

    def __iter__(self) -> Iterator[KeyEntry]:
        """Yield keys and common prefixes."""
        self._begin()
        while self._levels:
            level = self._levels[-1]
            if self._common and level.base.startswith(self._common):
                self._levels.pop()
                continue
            yield from self._through(level)

    def _begin(self) -> None:
        """Stand where the first key may be, the directories above it ready for afterwards."""
        prefix, after = self._prefix, self._after
        base, slash, beginning = prefix.rpartition("/")
        base += slash
        path = self._below_root(base)
        if path is None or (after > prefix and not after.startswith(prefix)):
            return
        self._common = common = self._common_prefix(after)
        if common and common == after:
            after += _LAST
        else:
            self._common = ""
        if after.startswith(prefix):
            self._descend(path, base, after, beginning)
        elif beginning:
            self._levels.append(_Level(path, base, prefix=beginning))
        elif (status := self._directory_at(path)) is not None:
            marker = status if self._is_marker(path, status) else None
            self._levels.append(_Level(path, base, marker=marker))

    def _descend(self, path: HdfsPath, base: str, after: str, beginning: str) -> None:
        """Add the levels on the way to the key `after`, which starts with `base`."""
        below: HdfsPath | None = path
        while below is not None:
            head, slash, _ = after[len(base):].partition("/")
            self._levels.append(_Level(below, base, after=head + slash, prefix=beginning))
            if not slash:
                return
            base += head + slash
            below, beginning = _child(below, head), ""
            if len(base) > MAX_KEY_BYTES or (self._common and base.startswith(self._common)):
                return

    def _below_root(self, base: str) -> HdfsPath | None:
        """Return the directory that the keys beginning with `base` are in, None for none."""
        path: HdfsPath | None = self._root
        for part in base.split("/")[:-1] if len(base) <= MAX_KEY_BYTES else ():
            path = path and _child(path, part)
        return path if len(base) <= MAX_KEY_BYTES else None

    def _directory_at(self, path: HdfsPath) -> FileStatus | None:
        """Return the status of the directory `path`, None if there is none."""
        try:
            status = self._fs.status(path)
        except (PathNotFound, NotADirectory):
            return None
        return status if status.is_directory else None

    # --- one level

    def _through(self, level: _Level) -> Iterator[KeyEntry]:
        """Yield what is at `level` up to the next directory to go into, or to its end."""
        if level.entries is None:
            level.entries = self._entries(level)
        for text, status in level.entries:
            level.after = text
            entry = (self._directory(level, text, status) if text[-1:] == "/"
                     else self._file(level, text, status))
            if entry is not None:
                yield entry
            if self._levels[-1] is not level or (self._common and self._is_over(level)):
                return
        if self._levels and self._levels[-1] is level:
            self._levels.pop()

    def _file(self, level: _Level, text: str, status: FileStatus) -> KeyEntry | None:
        """Return what a file is, or the directory itself (an empty `text`): a key as it is."""
        if 4 * len(text) > level.room and len(text.encode()) > level.room:
            return None
        key = level.base + text
        path = level.path
        if text or not status.is_directory:
            path = child_of(path, status.path_suffix)
        common = self._common_prefix(key) if self._delimiter else ""
        if not common:
            return KeyEntry(key, path, status)
        if common == self._common:
            self._pass(level)
            return None
        self._common = common
        return KeyEntry(common, path, None)

    def _entries(self, level: _Level) -> Iterator[tuple[str, FileStatus]]:
        """Yield the entries of a directory, itself first with an empty text if it is a key.

        A file that stands for that same key comes in its place.
        """
        found = ordered(self._fs, level.path, after=level.after, prefix=level.prefix,
                        keep=self._keep)
        try:
            first = next(found, None)
            if level.marker is not None and (first is None or first[0]):
                yield "", level.marker
            level.marker = None
            if first is not None:
                yield first
            yield from found
        except (PathNotFound, NotADirectory):
            self._drop_missing()

    def _drop_missing(self) -> None:
        """Let go of the directories above one that is not there that are not there either.

        `after` may name hundreds that never were.
        """
        if len(self._levels) > 1:
            missing = bisect_left(
                self._levels, True, key=lambda one: self._directory_at(one.path) is None)
            del self._levels[missing:]

    def _directory(self, level: _Level, text: str, status: FileStatus) -> KeyEntry | None:
        """Return what a directory is itself, if anything; go into it if there may be more."""
        key = level.base + text
        if len(text.encode()) > level.room:
            return None
        if self._common and key.startswith(self._common):
            self._pass(level)
            return None
        path = child_of(level.path, status.path_suffix)
        common = self._common_prefix(key)
        if common:
            if not (status.children > 0 or self._holds_key(key, path, status)):
                return None
            self._common = common
            return KeyEntry(common, path, None)
        marker = status if self._is_marker(path, status) else None
        if status.children:
            self._levels.append(_Level(path, key, marker=marker))
            self._forget()
            return None
        return KeyEntry(key, path, status) if marker else None

    def _holds_key(self, key: str, path: HdfsPath, status: FileStatus) -> bool:
        """Tell whether a directory that is empty, or may be, is a key or has one below it."""
        if self._is_marker(path, status):
            return True
        if status.children >= 0:
            return False
        below = walk(self._fs, path, is_marker=self._is_marker, keep=self._keep)
        room = MAX_KEY_BYTES - len(key.encode())
        return self._has_nameless(path) or any(len(one.key.encode()) <= room for one in below)

    def _has_nameless(self, path: HdfsPath) -> bool:
        """Tell whether a file in `path` stands for the directory's own key: no key of a bucket."""
        try:
            first = next(ordered(self._fs, path, keep=self._keep), None)
        except (PathNotFound, NotADirectory):
            return False
        return first is not None and not first[0]

    # --- passing over

    def _common_prefix(self, key: str) -> str:
        """Return the common prefix that `key` belongs to, "" for none."""
        delimiter = self._delimiter
        found = key.find(delimiter, len(self._prefix)) if delimiter else -1
        return key[:found + len(delimiter)] if found >= 0 else ""

    def _pass(self, level: _Level) -> None:
        """Pass over one entry of a common prefix that has been told; seek after many."""
        level.passed += 1
        if level.passed >= _PASSED:
            level.passed = 0
            level.after = self._common[len(level.base):] + _LAST
            level.entries = None

    def _is_over(self, level: _Level) -> bool:
        """Tell whether this round through `level` is over, though not its entries."""
        return level.entries is None or level.base.startswith(self._common)

    def _forget(self) -> None:
        """Let go of what is kept far above; it is read again on the way back."""
        if len(self._levels) > _OPEN:
            self._levels[-1 - _OPEN].entries = None


def _child(directory: HdfsPath, part: str) -> HdfsPath | None:
    """Return the directory that the part `part` of a key names, None where there can be none."""
    if any(char in part for char in ("\0", COLON, DOT, EMPTY)):
        return None
    try:
        return child_of(directory, name_of_part(part))
    except (InvalidKey, KeyTooLong, UnicodeEncodeError):
        return None
