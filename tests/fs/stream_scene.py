"""A directory and the streams of one worker, with ways to break what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core.errors import (
    IncompleteBody,
)
from app.core.identity import Principal
from app.core.paths import HIDDEN_MARK, HdfsPath
from app.fs.lifetimes import Lifetimes
from app.fs.stream_claims import Claims, now
from app.fs.stream_handles import FileStreams
from app.fs.stream_records import SPACE, NewFile
from app.fs.stream_sweep import StreamSweep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.model import ByteRange
    from app.fs.staging import Staging
    from app.fs.webhdfs import WebHdfsBackend

IDLE = 3600.0
ALICE = Principal("someone", "alice")
BOB = Principal("other", "bob")
DEAD = {"worker": "gone", "token": "its"}


class Scene:
    """A directory of alice's, and the streams of one worker."""

    def __init__(
        self, staging: Staging, backend: WebHdfsBackend, directory: HdfsPath,
    ) -> None:
        self.staging = staging
        self.store = staging.store
        self.backend = backend
        self.directory = directory
        self.claims = Claims(self.store, staging.workers)
        self.fs = backend.as_user("alice")

    def of(self, principal: Principal, fs: Any = None) -> FileStreams:
        """Return the streams of a principal."""
        return FileStreams(
            principal, fs or self.backend.as_user(principal.hadoop_user), self.staging,
            self.claims, Lifetimes(self.store, self.staging.workers), idle=IDLE)

    @property
    def streams(self) -> FileStreams:
        """The streams of alice's gateway user."""
        return self.of(ALICE)

    def at(self, name: str) -> HdfsPath:
        """Return a path in the directory."""
        return HdfsPath(f"{self.directory}/{name}")

    def created(self, name: str = "file", **options: Any) -> int:
        """Return a new write stream."""
        return self.streams.create(self.at(name), NewFile(**options))

    def names(self, directory: str = "") -> list[str]:
        """Return the names that HDFS has in the directory, hidden ones as `?`."""
        entries = self.fs.list_page(HdfsPath(f"{self.directory}{directory}")).entries
        return sorted("?" if entry.path_suffix.startswith(HIDDEN_MARK) else entry.path_suffix
                      for entry in entries)

    def content(self, name: str = "file") -> bytes:
        """Return the content of a file in HDFS."""
        status = self.fs.status(self.at(name))
        if not status.length:
            return b""
        return drained(self.fs.open(self.at(name), 0, status.length))

    def change(self, stream_id: int, **fields: Any) -> None:
        """Change the record of a stream as another worker might."""
        value = self.store.get(SPACE, str(stream_id))
        assert value is not None
        self.store.put(SPACE, str(stream_id), {**value, **fields})

    def sweep(self, seconds: float = 0) -> int:
        """Sweep as if it were later."""
        return StreamSweep(self.backend, self.staging, self.claims, idle=IDLE,
                           clock=lambda: later(seconds)).sweep()

    def assert_nothing_left(self, *names: str) -> None:
        """Assert that nothing but these files is left, in HDFS or in the store."""
        self.staging.sweep()
        assert self.names() == sorted(names)
        assert list(self.store.scan(SPACE)) == []
        assert list(self.store.scan(f"writing:{self.directory}")) == []


def later(seconds: float) -> int:
    """Return a time in epoch milliseconds."""
    return now() + int(seconds * 1000)


def drained(source: Any) -> bytes:
    """Return all that a source gives."""
    return b"".join(iter(lambda: source.read(1 << 16), b""))


def read(streams: FileStreams, stream_id: int, part: ByteRange | None = None) -> bytes:
    """Return what a read of a stream gives."""
    found = streams.reading(stream_id, lambda _: part)
    return drained(found.source) if found.source else b""


def breaking(*pieces: bytes, error: type[Exception] = IncompleteBody) -> Iterator[bytes]:
    """Yield a body that breaks off."""
    yield from pieces
    raise error("broken off")


def never() -> Iterator[bytes]:
    """Yield a body that nobody may touch."""
    raise AssertionError("the body was touched")
    yield b""


def finished(scene: Scene, name: str, content: bytes = b"content") -> HdfsPath:
    """Make a file."""
    scene.fs.create(scene.at(name), [content])
    return scene.at(name)
