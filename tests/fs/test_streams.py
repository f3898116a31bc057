"""Streams over each kind of backend: what is seen, what is kept, what is cut away, what is left."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import (
    AccessDenied,
    AlreadyExists,
    IncompleteBody,
    InvalidParameter,
    InvalidRequest,
    IsADirectory,
    NotADirectory,
    NotAFile,
    PathNotFound,
    ReadOnlyPrincipal,
    StorageFault,
    UpstreamFault,
    UpstreamTimeout,
)
from app.core.identity import Principal
from app.core.lifetimes import Lifetime, TtlAction, lifetime_of
from app.core.model import ByteRange
from app.core.paths import HIDDEN_MARK, HdfsPath, child_of
from app.core.stream_errors import IncompleteFile, NoSuchStream, StreamBusy
from app.fs.lifetimes import NOTES, Lifetimes
from app.fs.staging import Staging
from app.fs.stream_claims import Claims, now
from app.fs.stream_handles import FileStreams
from app.fs.stream_records import MAX_ID, SPACE, NewFile
from app.fs.stream_sweep import StreamSweep
from app.fs.workers import Workers
from app.settings import UploadSettings
from tests.fs.conftest import superuser
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.fs.filesystem import WebHdfsFileSystem
    from app.fs.webhdfs import WebHdfsBackend

IDLE = 3600.0
ALICE = Principal("someone", "alice")
BOB = Principal("other", "bob")
DEAD = {"worker": "gone", "token": "its"}


class World:
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


@pytest.fixture
def world(
    staging: Staging, backend: WebHdfsBackend, directory: HdfsPath,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    """Return a directory with nobody sweeping in the background."""
    monkeypatch.setattr(Workers, "_beat", lambda _self, _stop: None)
    return World(staging, backend, directory)


# --- writing


def test_a_file_is_there_when_its_stream_is_closed_and_not_before(world: World) -> None:
    stream_id = world.created()
    assert 1 <= stream_id <= MAX_ID
    assert world.names() == []
    assert [world.streams.write(stream_id, body) for body in (
        [b"hello "], [b"", b"wor", b"ld"], [], [b"!"])] == [6, 5, 0, 1]
    assert world.names() == ["?"]
    world.streams.close(stream_id)
    assert world.content() == b"hello world!"
    assert world.fs.status(world.at("file")).permission == "644"
    world.assert_nothing_left("file")


def test_an_empty_stream_makes_an_empty_file(world: World) -> None:
    stream_id = world.created(permission="600")
    assert world.streams.write(stream_id, [b""]) == 0
    world.streams.close(stream_id)
    status = world.fs.status(world.at("file"))
    assert (status.length, status.permission) == (0, "600")
    world.assert_nothing_left("file")


@pytest.mark.parametrize("permission", ["600", "666", "777", "400", "000"])
def test_the_mode_is_what_was_asked_for(world: World, permission: str) -> None:
    stream_id = world.created(permission=permission)
    world.streams.write(stream_id, [b"x"])
    world.streams.write(stream_id, [b"y"])
    world.streams.close(stream_id)
    status = world.fs.status(world.at("file"))
    assert (int(status.permission, 8), status.length) == (int(permission, 8), 2)


def test_block_size_and_replication(world: World) -> None:
    stream_id = world.created(block_size=1 << 20, replication_min=2, replication_max=2)
    assert world.names() == []
    world.streams.write(stream_id, [b"x" * (3 << 19), b"y" * (3 << 19)])
    world.streams.close(stream_id)
    status = world.fs.status(world.at("file"))
    assert (status.block_size, status.replication, status.length) == (1 << 20, 2, 3 << 20)


@pytest.mark.parametrize(("least", "most"), [(5, 0), (0, 2), (5, 7)])
def test_the_default_factor_is_raised_or_lowered(world: World, least: int, most: int) -> None:
    default = world.created("default")
    world.streams.close(default)
    factor = world.fs.status(world.at("default")).replication
    stream_id = world.created(replication_min=least, replication_max=most)
    world.streams.write(stream_id, [b"x"])
    world.streams.close(stream_id)
    assert world.fs.status(world.at("file")).replication == min(
        max(factor, least), most or 512)


@pytest.mark.parametrize("options", [
    {"block_size": 1000}, {"block_size": -512}, {"replication_min": 3, "replication_max": 2}])
def test_values_that_cannot_be(world: World, options: dict[str, int]) -> None:
    with pytest.raises(InvalidParameter):
        world.created(**options)
    world.assert_nothing_left()


@pytest.mark.parametrize("options", [{"block_size": 512}, {"replication_min": 600}])
def test_values_that_hdfs_refuses_are_refused_at_creation(
    world: World, options: dict[str, int],
) -> None:
    with pytest.raises(InvalidRequest):
        world.created("a/b/file", recursive=True, **options)
    world.assert_nothing_left()


def test_missing_parents(world: World) -> None:
    with pytest.raises(PathNotFound) as caught:
        world.created("a/b/file")
    assert caught.value.path == world.at("a")
    stream_id = world.created("a/b/file", recursive=True, directory_permission="750")
    assert world.names() == ["a"]
    assert world.fs.status(world.at("a/b")).permission == "750"
    world.streams.close(stream_id)
    assert world.names("/a/b") == ["file"]


def test_what_is_in_the_way(world: World) -> None:
    world.fs.create(world.at("file"), [b"old"])
    world.fs.mkdirs(world.at("dir"))
    for name, overwrite, error in (
        ("file", False, AlreadyExists), ("dir", False, AlreadyExists), ("dir", True, IsADirectory),
        ("file/x", False, NotADirectory)):
        with pytest.raises(error):
            world.created(name, overwrite=overwrite, recursive=True)
    with pytest.raises(AlreadyExists):
        world.streams.create("/", NewFile())
    world.assert_nothing_left("dir", "file")


def test_a_file_is_replaced_at_close_and_stays_until_then(world: World) -> None:
    world.fs.create(world.at("file"), [b"old"])
    stream_id = world.created(overwrite=True)
    world.streams.write(stream_id, [b"new "])
    world.streams.write(stream_id, [b"content"])
    assert world.content() == b"old"
    world.streams.close(stream_id)
    assert world.content() == b"new content"
    world.assert_nothing_left("file")


def test_a_target_that_appeared_meanwhile_ends_the_stream(world: World) -> None:
    for body in ([], [b"mine"]):
        stream_id = world.created()
        world.streams.write(stream_id, body)
        world.fs.create(world.at("file"), [b"another's"])
        with pytest.raises(AlreadyExists) as caught:
            world.streams.close(stream_id)
        assert caught.value.path == world.at("file")
        assert world.content() == b"another's"
        with pytest.raises(NoSuchStream):
            world.streams.close(stream_id)
        world.assert_nothing_left("file")
        world.fs.delete(world.at("file"))


def test_a_directory_that_appeared_meanwhile_is_not_written_into(world: World) -> None:
    stream_id = world.created(overwrite=True)
    world.streams.write(stream_id, [b"mine"])
    world.fs.mkdirs(world.at("file/sub"))
    with pytest.raises((IsADirectory, AlreadyExists)):
        world.streams.close(stream_id)
    assert world.names("/file") == ["sub"]
    world.assert_nothing_left("file")


def test_a_lifetime_is_kept_with_the_file(world: World) -> None:
    stream_id = world.created(lifetime=Lifetime(60_000, TtlAction.DELETE))
    world.streams.write(stream_id, [b"x"])
    before = later(0)
    world.streams.close(stream_id)
    kept = lifetime_of(world.fs.xattrs(world.at("file")))
    assert (kept.ttl, kept.action) == (60_000, TtlAction.DELETE)
    assert before <= kept.since <= later(0)
    (_, note), = world.store.scan(NOTES)
    assert note["path"] == world.at("file")


# --- whose it is


def test_streams_are_their_users_own(world: World) -> None:
    stream_id = world.created()
    world.streams.write(stream_id, [b"x"])
    reader = world.of(ALICE).open(finished(world, "done"))
    for stranger in (world.of(BOB), world.of(replace(ALICE, name="another")),
                     world.of(replace(ALICE, root=HdfsPath("/user/alice/elsewhere")))):
        for act in (stranger.close, lambda one, who=stranger: who.write(one, never())):
            for one in (stream_id, reader):
                with pytest.raises(NoSuchStream):
                    act(one)
        with pytest.raises(NoSuchStream):
            stranger.reading(reader, lambda _: None)
    with pytest.raises(ReadOnlyPrincipal):
        world.of(replace(ALICE, read_only=True)).write(stream_id, never())
    with pytest.raises(ReadOnlyPrincipal):
        world.of(replace(ALICE, read_only=True)).create(world.at("x"), NewFile())
    world.streams.close(stream_id)
    assert world.content() == b"x"


def never() -> Iterator[bytes]:
    """Yield a body that nobody may touch."""
    raise AssertionError("the body was touched")
    yield b""


def finished(world: World, name: str, content: bytes = b"content") -> HdfsPath:
    """Make a file."""
    world.fs.create(world.at(name), [content])
    return world.at(name)


def test_a_confined_user_writes_inside_their_root(world: World) -> None:
    confined = world.of(replace(ALICE, root=world.directory))
    stream_id = confined.create("/a/file", NewFile(recursive=True))
    opened = confined.written_at("/a/file")
    assert opened is not None
    assert opened.path == world.at("a/file")
    confined.close(stream_id)
    assert world.names("/a") == ["file"]


def test_rights_are_asked_for_at_the_beginning(world: World) -> None:
    with pytest.raises(AccessDenied):
        world.of(BOB).create(world.at("file"), NewFile())
    with pytest.raises(AccessDenied):
        world.of(BOB).create(world.at("a/file"), NewFile(recursive=True))
    secret = finished(world, "secret")
    world.fs.set_permission(secret, "600")
    with pytest.raises(AccessDenied):
        world.of(BOB).open(secret)
    world.assert_nothing_left("secret")


def test_names_of_staged_files_are_not_for_users(world: World) -> None:
    with pytest.raises(InvalidRequest):
        world.created(f"{HIDDEN_MARK}x")


# --- what is being written


def test_what_is_being_written_is_told(world: World) -> None:
    stream_id = world.created("b", permission="640")
    other = world.created("a", lifetime=Lifetime(5))
    opened = world.streams.written_at(world.at("b"))
    assert opened is not None
    assert (opened.name, opened.path, opened.stream_id, opened.owner, opened.permission) == (
        "b", world.at("b"), stream_id, "alice", "640")
    assert opened.group == world.fs.status(world.directory).group
    assert opened.created <= later(0)
    world.streams.write(stream_id, [b"x"])
    first, second = world.of(BOB).written_in(world.directory)
    assert (first.name, first.lifetime.ttl, second.name) == ("a", 5, "b")
    assert second.block_size == 128 << 20
    assert second.replication >= 1
    with pytest.raises(IncompleteFile):
        world.streams.open(world.at("b"))
    for one in (stream_id, other):
        world.streams.close(one)
    assert world.streams.written_at(world.at("b")) is None
    assert world.streams.written_in(world.directory) == []
    with pytest.raises(PathNotFound):
        world.streams.open(world.at("c"))


def test_a_file_that_is_being_written_by_another_cannot_be_created(world: World) -> None:
    stream_id = world.created()
    for streams in (world.streams, world.of(replace(ALICE, name="another"))):
        with pytest.raises(AlreadyExists):
            streams.create(world.at("file"), NewFile())
    with pytest.raises(AlreadyExists):
        world.of(replace(ALICE, name="another")).create(world.at("file"), NewFile(overwrite=True))
    world.streams.close(stream_id)


def test_who_overwrites_their_own_unfinished_file_starts_anew(world: World) -> None:
    first = world.created("a/file", recursive=True)
    world.streams.write(first, [b"unfinished"])
    second = world.created("a/file", overwrite=True, recursive=True)
    with pytest.raises(NoSuchStream):
        world.streams.write(first, [b"more"])
    world.streams.write(second, [b"anew"])
    world.streams.close(second)
    assert world.content("a/file") == b"anew"


def test_an_unfinished_file_is_given_up(world: World) -> None:
    assert not world.streams.discard(world.at("file"))
    stream_id = world.created("a/file", recursive=True)
    world.streams.write(stream_id, [b"unfinished"])
    assert not world.of(replace(ALICE, name="another")).discard(world.at("a/file"))
    assert world.streams.discard(world.at("a/file"))
    world.assert_nothing_left()


# --- what breaks


def test_nothing_of_a_write_that_broke_off_stays(world: World) -> None:
    stream_id = world.created()
    for name in ("first", "second"):
        with pytest.raises(IncompleteBody):
            world.streams.write(stream_id, breaking(b"lost", name.encode()))
    world.streams.write(stream_id, [b"kept "])
    for size in (1, 3_000_000):
        with pytest.raises(IncompleteBody):
            world.streams.write(stream_id, breaking(b"x" * size))
    assert world.streams.write(stream_id, []) == 0
    world.streams.write(stream_id, [b"as well"])
    with pytest.raises(IncompleteBody):
        world.streams.write(stream_id, breaking(b"at the end"))
    world.streams.close(stream_id)
    assert world.content() == b"kept as well"
    assert world.names() == ["file"]


def test_a_stream_all_of_whose_writes_broke_off_is_empty(world: World) -> None:
    stream_id = world.created()
    with pytest.raises(IncompleteBody):
        world.streams.write(stream_id, breaking(b"x" * 1000))
    with pytest.raises(IncompleteBody):
        world.streams.write(stream_id, breaking())
    world.streams.close(stream_id)
    assert world.content() == b""
    assert world.names() == ["file"]


def test_what_a_dead_worker_wrote_is_cut_away(world: World) -> None:
    stream_id = world.created()
    world.streams.write(stream_id, [b"acknowledged"])
    value = world.store.get(SPACE, str(stream_id))
    assert value is not None
    world.fs.append(value["hidden"], [b"not acknowledged"])
    world.change(stream_id, **DEAD)
    assert world.streams.write(stream_id, [b", more"]) == 6
    # It was renamed before: what a dead worker has under way finds nothing.
    with pytest.raises(PathNotFound):
        world.fs.append(value["hidden"], [b"late"])
    world.streams.close(stream_id)
    assert world.content() == b"acknowledged, more"
    world.assert_nothing_left("file")


def test_the_first_write_of_a_dead_worker_is_cut_away(world: World) -> None:
    stream_id = world.created()
    value = world.store.get(SPACE, str(stream_id))
    assert value is not None
    world.fs.create(value["hidden"], [b"not acknowledged"])
    world.change(stream_id, **DEAD)
    world.streams.write(stream_id, [b"content"])
    world.streams.close(stream_id)
    assert world.content() == b"content"
    world.assert_nothing_left("file")


def test_a_repair_that_was_broken_off_is_done_again(world: World) -> None:
    stream_id = world.created()
    world.streams.write(stream_id, [b"acknowledged"])
    value = world.store.get(SPACE, str(stream_id))
    assert value is not None
    # One died before the RENAME, the next before TRUNCATE.
    renamed = [child_of(world.directory, f"{HIDDEN_MARK}stream-{n}") for n in "abc"]
    world.fs.rename(value["hidden"], renamed[1])
    world.fs.append(renamed[1], [b"not acknowledged"])
    world.change(stream_id, **DEAD, dirty=True, hidden=renamed[2],
                 former=[value["hidden"], *renamed[:2]])
    world.streams.close(stream_id)
    assert world.content() == b"acknowledged"
    world.assert_nothing_left("file")


def test_a_write_while_another_has_the_lease_waits_for_it(world: World) -> None:
    stream_id = world.created()
    world.streams.write(stream_id, [b"acknowledged"])
    value = world.store.get(SPACE, str(stream_id))
    assert value is not None
    sent, go_on = threading.Event(), threading.Event()

    def slow() -> Iterator[bytes]:
        for _ in range(64):  # more than sockets hold: when it is sent, the file is open
            yield b"not acknowledged" * 16384
        sent.set()
        assert go_on.wait(30)
        yield b"not acknowledged"

    zombie = threading.Thread(target=world.fs.append, args=(value["hidden"], slow()))
    zombie.start()
    assert sent.wait(30)
    world.change(stream_id, **DEAD)
    writer = threading.Thread(target=world.streams.write, args=(stream_id, [b", more"]))
    writer.start()
    writer.join(1)
    assert writer.is_alive()
    go_on.set()
    for thread in (zombie, writer):
        thread.join(30)
        assert not thread.is_alive()
    world.streams.close(stream_id)
    assert world.content() == b"acknowledged, more"


@pytest.mark.parametrize("content", [b"", b"content"])
@pytest.mark.parametrize("old", [None, b"old"])
def test_a_close_whose_answer_was_lost_is_repeated(
    world: World, content: bytes, old: bytes | None,
) -> None:
    if old:
        finished(world, "file", old)
    stream_id = world.created(overwrite=bool(old))
    world.streams.write(stream_id, [content])
    lost: list[bool] = []

    class Losing:
        """Renames, and then the connection breaks."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.fs, name)

        def rename(self, source: HdfsPath, destination: HdfsPath, *mode: Any) -> bool:
            done = world.fs.rename(source, destination, *mode)
            if destination == world.at("file") and not lost:
                lost.append(done)
                raise UpstreamTimeout("no answer")
            return done

    with pytest.raises(UpstreamTimeout):
        world.of(ALICE, Losing()).close(stream_id)
    assert world.content() == content
    world.streams.close(stream_id)
    assert world.content() == content
    with pytest.raises(NoSuchStream):
        world.streams.close(stream_id)
    world.assert_nothing_left("file")


def test_a_close_that_never_reached_hdfs_may_be_repeated(world: World) -> None:
    stream_id = world.created()
    world.streams.write(stream_id, [b"content"])

    class Away:
        """Cannot be reached for a RENAME."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.fs, name)

        def rename(self, *_: Any) -> bool:
            raise UpstreamTimeout("no answer")

    with pytest.raises(UpstreamTimeout):
        world.of(ALICE, Away()).close(stream_id)
    assert world.streams.write(stream_id, [b", more"]) == 6
    world.streams.close(stream_id)
    assert world.content() == b"content, more"
    world.assert_nothing_left("file")


def test_a_write_that_hdfs_has_not_all_of_is_not_acknowledged(world: World) -> None:
    stream_id = world.created()
    world.streams.write(stream_id, [b"kept"])

    class Short:
        """Appends less than it is given, and says nothing."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.fs, name)

        def append(self, path: HdfsPath, body: Any) -> None:
            world.fs.append(path, [b"".join(body)[:-1]])

    with pytest.raises(UpstreamFault):
        world.of(ALICE, Short()).write(stream_id, [b"lost"])
    world.streams.close(stream_id)
    assert world.content() == b"kept"


# --- two at a time


def test_two_writers_at_once(world: World, staging: Staging) -> None:
    stream_id = world.created()
    inside, go_on = threading.Event(), threading.Event()

    def slow() -> Iterator[bytes]:
        yield b"first"
        inside.set()
        assert go_on.wait(30)
        yield b", all of it"

    writer = threading.Thread(target=world.streams.write, args=(stream_id, slow()))
    writer.start()
    assert inside.wait(30)
    other = World(Staging(world.store, world.backend, UploadSettings()), world.backend,
                  world.directory)
    try:
        for streams in (world.streams, other.streams):
            with pytest.raises(StreamBusy) as caught:
                streams.write(stream_id, never())
            assert caught.value.path == world.at("file")
            with pytest.raises(StreamBusy):
                streams.close(stream_id)
        assert world.sweep(2 * IDLE) == other.sweep(2 * IDLE) == 0
        go_on.set()
        writer.join(30)
        assert other.streams.write(stream_id, [b", more"]) == 6
        other.streams.close(stream_id)
        assert world.content() == b"first, all of it, more"
    finally:
        other.staging.workers.stop()
    assert staging.workers.own_id != other.staging.workers.own_id


def test_a_writer_that_was_taken_for_dead_is_not_acknowledged(world: World) -> None:
    stream_id = world.created()
    world.streams.write(stream_id, [b"kept"])

    def overtaken() -> Iterator[bytes]:
        yield b"lost"
        world.change(stream_id, **DEAD)
        yield b"lost"

    with pytest.raises(StreamBusy):
        world.streams.write(stream_id, overtaken())
    world.streams.write(stream_id, [b", more"])
    world.streams.close(stream_id)
    assert world.content() == b"kept, more"


def test_a_stream_that_could_not_be_given_back_is_freed(
    world: World, monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream_id = world.created()
    world.streams.write(stream_id, [b"kept"])
    update = type(world.store).update

    def failing(*_: Any, **__: Any) -> None:
        raise StorageFault("no store")

    def body() -> Iterator[bytes]:
        yield b"lost"
        monkeypatch.setattr(type(world.store), "update", failing)

    with pytest.raises(StorageFault):
        world.streams.write(stream_id, body())
    monkeypatch.setattr(type(world.store), "update", update)
    other = World(Staging(world.store, world.backend, UploadSettings()), world.backend,
                  world.directory)
    try:
        with pytest.raises(StreamBusy):
            other.streams.write(stream_id, never())
        world.claims.free_lost()
        other.streams.write(stream_id, [b", more"])
        other.streams.close(stream_id)
    finally:
        other.staging.workers.stop()
    assert world.content() == b"kept, more"


# --- what happens to the directory


def test_a_directory_that_was_renamed(world: World) -> None:
    world.fs.mkdirs(world.at("d"))
    written, untouched = world.created("d/written"), world.created("d/untouched")
    world.streams.write(written, [b"x"])
    world.fs.rename(world.at("d"), world.at("e"))
    for stream_id in (written, untouched):
        with pytest.raises(PathNotFound):
            world.streams.write(stream_id, [b"y"])
        with pytest.raises(PathNotFound):
            world.streams.close(stream_id)
        with pytest.raises(NoSuchStream):
            world.streams.close(stream_id)
    assert world.names("/e") == []
    world.assert_nothing_left("e")


def test_a_directory_that_was_deleted_does_not_come_back(world: World) -> None:
    world.fs.mkdirs(world.at("d"))
    written, untouched = world.created("d/written"), world.created("d/untouched")
    world.streams.write(written, [b"x"])
    world.fs.delete(world.at("d"), recursive=True)
    for stream_id in (written, untouched):
        with pytest.raises(PathNotFound):
            world.streams.write(stream_id, [b"y"])
        with pytest.raises(PathNotFound):
            world.streams.close(stream_id)
    world.assert_nothing_left()


# --- the sweep


def test_idle_streams_leave_nothing(world: World) -> None:
    for number, content in enumerate((b"", b"x")):
        stream_id = world.created(f"a/b-{number}/file", recursive=True)
        world.streams.write(stream_id, [content])
    broken = world.created("a/broken")
    with pytest.raises(IncompleteBody):
        world.streams.write(broken, breaking(b"xxx"))
    assert world.sweep() == 0
    assert world.sweep(IDLE - 60) == 0
    assert world.sweep(IDLE + 60) == 3
    with pytest.raises(NoSuchStream):
        world.streams.write(broken, never())
    world.assert_nothing_left()


def test_a_stream_of_a_dead_worker_is_kept_until_it_is_idle(world: World) -> None:
    stream_id = world.created()
    world.streams.write(stream_id, [b"kept"])
    world.change(stream_id, **DEAD)
    assert world.sweep() == 0
    assert world.sweep(IDLE + 60) == 1
    world.assert_nothing_left()


def test_the_sweep_keeps_a_file_whose_close_got_no_answer(world: World) -> None:
    stream_id = world.created("a/file", recursive=True)
    world.streams.write(stream_id, [b"content"])
    value = world.store.get(SPACE, str(stream_id))
    assert value is not None
    world.fs.rename(value["hidden"], world.at("a/file"))
    world.change(stream_id, **DEAD, closing=True)
    assert world.sweep(IDLE + 60) == 1
    assert world.content("a/file") == b"content"
    world.assert_nothing_left("a")


def test_the_sweep_finds_what_a_renamed_directory_holds(world: World) -> None:
    world.fs.mkdirs(world.at("d"))
    stream_id = world.created("d/file")
    world.streams.write(stream_id, [b"x"])
    world.fs.rename(world.at("d"), world.at("e"))
    assert world.sweep(IDLE + 60) == 1
    assert world.names("/e") == []
    world.assert_nothing_left("e")


@pytest.mark.parametrize("closes", [True, False])
def test_directories_in_which_others_write_are_left_to_them(world: World, closes: bool) -> None:
    first = world.created("a/b/file", recursive=True)
    second = world.created("a/other")
    world.change(first, used=0)

    def body() -> Iterator[bytes]:
        yield b"x"
        assert world.sweep() == 1
        assert world.names() == ["a"]

    world.streams.write(second, body())
    if closes:
        world.streams.close(second)
        assert world.names("/a") == ["other"]
    assert world.sweep(IDLE + 60) == (0 if closes else 1)
    world.assert_nothing_left(*(["a"] if closes else []))


def test_a_creation_whose_worker_died_is_undone(world: World) -> None:
    stream_id = world.created("a/b/file", recursive=True)
    world.change(stream_id, over=True, **DEAD)
    with pytest.raises(NoSuchStream):
        world.streams.write(stream_id, never())
    assert world.sweep() == 1
    world.assert_nothing_left()


def test_an_index_entry_without_its_stream_is_in_nobodys_way(world: World) -> None:
    stream_id = world.created()
    world.store.delete(SPACE, str(stream_id))
    again = world.created()
    world.streams.close(again)
    world.assert_nothing_left("file")


# --- reading


def test_a_stream_reads_the_rest(world: World) -> None:
    content = bytes(range(256)) * 1000
    path = finished(world, "file", content)
    streams = world.streams
    stream_id = streams.open(path)
    found = streams.reading(stream_id, lambda _: None)
    assert found.source is not None
    got = found.source.read(1000)
    found.source.close()
    assert read(streams, stream_id, ByteRange(5, 10)) == content[5:15]
    assert read(streams, stream_id) == content[len(got):]
    assert read(streams, stream_id) == b""
    assert read(streams, stream_id, ByteRange(0, 3)) == content[:3]
    assert read(streams, stream_id) == b""
    streams.close(stream_id)
    for act in (lambda: read(streams, stream_id), lambda: streams.close(stream_id)):
        with pytest.raises(NoSuchStream):
            act()


def test_the_position_is_kept_before_the_last_piece_is_told(world: World) -> None:
    stream_id = world.streams.open(finished(world, "file"))
    found = world.streams.reading(stream_id, lambda _: None)
    assert found.source is not None
    got = b""
    while len(got) < found.part.length:
        got += found.source.read(100)
    assert read(world.streams, stream_id) == b""
    found.source.close()


def test_an_empty_file(world: World) -> None:
    world.fs.create(world.at("file"), [])
    stream_id = world.streams.open(world.at("file"))
    found = world.streams.reading(stream_id, lambda _: None)
    assert (found.part, found.length, found.source) == (ByteRange(0, 0), 0, None)


def test_what_is_read_is_the_file_that_was_opened(world: World) -> None:
    path = finished(world, "file", b"the first version")
    moved, replaced, appended = (world.streams.open(path) for _ in range(3))
    world.fs.append(path, [b", and more"])
    assert read(world.streams, appended) == b"the first version"
    world.fs.rename(path, world.at("moved"))
    assert read(world.streams, moved) == b"the first version"
    world.fs.delete(world.at("moved"))
    finished(world, "file", b"another")
    with pytest.raises(PathNotFound) as caught:
        read(world.streams, replaced)
    assert caught.value.path == path


def test_no_version_is_taken_for_another_though_a_snapshot_has_it(
    world: World, backend: WebHdfsBackend,
) -> None:
    path = finished(world, "file", b"the first version")
    stream_id = world.streams.open(path)
    backend.as_user(superuser()).allow_snapshots(world.directory, allowed=True)
    snapshot = world.fs.create_snapshot(world.directory, "s")
    world.fs.delete(path)
    finished(world, "file", b"a second version!")
    with pytest.raises(PathNotFound):
        read(world.streams, stream_id)
    world.fs.delete_snapshot(world.directory, "s")
    assert snapshot


def test_directories_are_not_opened(world: World) -> None:
    with pytest.raises(NotAFile):
        world.streams.open(world.directory)


def test_the_kinds_are_not_mixed_up(world: World) -> None:
    reader, writer = world.streams.open(finished(world, "done")), world.created()
    with pytest.raises(NoSuchStream):
        world.streams.write(reader, never())
    with pytest.raises(NoSuchStream):
        world.streams.reading(writer, lambda _: None)


def test_readers_are_gone_when_idle(world: World, alice: WebHdfsFileSystem) -> None:
    path = finished(world, "done")
    lifetimes = Lifetimes(world.store, world.staging.workers)
    streams = FileStreams(ALICE, alice, world.staging, world.claims, lifetimes, idle=0.001)
    stream_id = streams.open(path)
    wait_for("its end", lambda: world.store.get(SPACE, str(stream_id)) is None)
    with pytest.raises(NoSuchStream):
        streams.reading(stream_id, lambda _: None)
