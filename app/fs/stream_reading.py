"""What a read stream gives: the rest of the file, or a range of it, of the very inode opened."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from app.core.errors import PathNotFound
from app.core.model import ByteRange
from app.fs.lifetimes import found_by
from app.fs.ruled_file_system import learn
from app.fs.stream_records import SPACE

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.fs.port import ByteSource, FileSystem
    from app.fs.stream_records import Reader
    from app.state.store import Store, Value


class Reading(NamedTuple):
    """The bytes that one request gets: `part` of the `length` that the file has.

    `ranged`: the request asked for them. `source` is None where there is no byte to give.
    """

    part: ByteRange
    length: int
    ranged: bool
    source: ByteSource | None


class StreamReading:
    """Reads of one user's streams; a stream not read for `idle` seconds is gone."""

    def __init__(self, fs: FileSystem, store: Store, idle: float) -> None:
        self._fs = fs
        self._store = store
        self._idle = idle

    def reading(
        self, stream_id: int, record: Reader, choose: Callable[[int], ByteRange | None],
    ) -> Reading:
        """Open what `choose` picks for the file's length; None: from the position to the end."""
        asked = choose(record.length)
        part = asked or ByteRange(record.position, record.length - record.position)
        track = _Track(self._store, str(stream_id), self._idle, None if asked else part.offset)
        track.note(0)
        if not part.length:
            return Reading(part, record.length, ranged=False, source=None)
        self._check_version(record)
        source = self._fs.open(record.path, part.offset, part.length, record.file_id)
        return Reading(part, record.length, ranged=asked is not None,
                       source=_Tracked(source, track, part.length))

    def _check_version(self, record: Reader) -> None:
        """Raise PathNotFound where the file is no longer the one that was opened.

        HDFS reads another by the number of an inode that only a snapshot has still: whatever has
        its name now.
        """
        learn(self._fs, record.path, record.file_id)
        try:
            status = self._fs.status(found_by(record.path, record.file_id))
        except PathNotFound:
            raise PathNotFound(record.path) from None
        unchanged = (status.modification_time, status.length) == (record.modified, record.length)
        if status.file_id != record.file_id or not (record.file_id or unchanged):
            raise PathNotFound(record.path, "it was replaced after it was opened")


class _Track:
    """Keeps a stream from being idle while it is read, and its position, if it has a `start`."""

    def __init__(self, store: Store, key: str, idle: float, start: int | None) -> None:
        self._store = store
        self._key = key
        self._idle = idle
        self._start = start
        self._due = 0.0

    def note(self, given: int) -> None:
        """Note that as many bytes from the start were given."""
        reached = 0 if self._start is None else self._start + given

        def moved(value: Value | None) -> Value | None:
            return value and {**value, "position": max(value["position"], reached)}

        self._store.update(SPACE, self._key, moved, ttl=self._idle)
        self._due = time.monotonic() + self._idle / 4

    def alive(self, given: int) -> None:
        """Note it if it was not for a while."""
        if time.monotonic() > self._due:
            self.note(given)


class _Tracked:
    """A source that notes how far it was read: before the last piece is handed out.

    Who has all bytes may ask again at once, by another worker.
    """

    def __init__(self, source: ByteSource, track: _Track, length: int) -> None:
        self._source = source
        self._track = track
        self._left = length
        self._given = 0

    def read(self, size: int) -> bytes:
        """Return 1 to `size` bytes, b"" at the end. Raises UpstreamError, StorageFault."""
        piece = self._source.read(size)
        self._left -= len(piece)
        self._given += len(piece)
        if not self._left and piece:
            self._track.note(self._given)
        else:
            self._track.alive(self._given)
        return piece

    def close(self) -> None:
        """Let go of the file, and note how far it was read if that is not the end."""
        self._source.close()
        if self._left and self._given:
            self._track.note(self._given)
