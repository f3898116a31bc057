"""Write streams on every backend: what breaks off is cut away, what is idle leaves nothing."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import (
    FileBusy,
    IncompleteBody,
    PathNotFound,
    StorageFault,
    UpstreamFault,
    UpstreamTimeout,
)
from app.core.paths import HIDDEN_MARK, HdfsPath, child_of
from app.core.stream_errors import NoSuchStream, StreamBusy
from app.fs import stream_writing
from app.fs.staging import Staging
from app.fs.stream_records import SPACE
from app.settings import UploadSettings
from tests.fs.stream_scene import (
    ALICE,
    DEAD,
    IDLE,
    Scene,
    breaking,
    finished,
    never,
)

if TYPE_CHECKING:
    from collections.abc import Iterator



# --- what breaks


def test_nothing_of_a_write_that_broke_off_stays(scene: Scene) -> None:
    stream_id = scene.created()
    for name in ("first", "second"):
        with pytest.raises(IncompleteBody):
            scene.streams.write(stream_id, breaking(b"lost", name.encode()))
    scene.streams.write(stream_id, [b"kept "])
    for size in (1, 3_000_000):
        with pytest.raises(IncompleteBody):
            scene.streams.write(stream_id, breaking(b"x" * size))
    assert scene.streams.write(stream_id, []) == 0
    scene.streams.write(stream_id, [b"as well"])
    with pytest.raises(IncompleteBody):
        scene.streams.write(stream_id, breaking(b"at the end"))
    scene.streams.close(stream_id)
    assert scene.content() == b"kept as well"
    assert scene.names() == ["file"]


def test_a_stream_all_of_whose_writes_broke_off_is_empty(scene: Scene) -> None:
    stream_id = scene.created()
    with pytest.raises(IncompleteBody):
        scene.streams.write(stream_id, breaking(b"x" * 1000))
    with pytest.raises(IncompleteBody):
        scene.streams.write(stream_id, breaking())
    scene.streams.close(stream_id)
    assert scene.content() == b""
    assert scene.names() == ["file"]


def test_what_a_dead_worker_wrote_is_cut_away(scene: Scene) -> None:
    stream_id = scene.created()
    scene.streams.write(stream_id, [b"acknowledged"])
    value = scene.store.get(SPACE, str(stream_id))
    assert value is not None
    scene.fs.append(value["hidden"], [b"not acknowledged"])
    scene.change(stream_id, **DEAD)
    assert scene.streams.write(stream_id, [b", more"]) == 6
    # It was renamed before: what a dead worker has under way finds nothing.
    with pytest.raises(PathNotFound):
        scene.fs.append(value["hidden"], [b"late"])
    scene.streams.close(stream_id)
    assert scene.content() == b"acknowledged, more"
    scene.assert_nothing_left("file")


def test_the_first_write_of_a_dead_worker_is_cut_away(scene: Scene) -> None:
    stream_id = scene.created()
    value = scene.store.get(SPACE, str(stream_id))
    assert value is not None
    scene.fs.create(value["hidden"], [b"not acknowledged"])
    scene.change(stream_id, **DEAD)
    scene.streams.write(stream_id, [b"content"])
    scene.streams.close(stream_id)
    assert scene.content() == b"content"
    scene.assert_nothing_left("file")


def test_a_repair_that_was_broken_off_is_done_again(scene: Scene) -> None:
    stream_id = scene.created()
    scene.streams.write(stream_id, [b"acknowledged"])
    value = scene.store.get(SPACE, str(stream_id))
    assert value is not None
    # One died before the RENAME, the next before TRUNCATE.
    renamed = [child_of(scene.directory, f"{HIDDEN_MARK}stream-{n}") for n in "abc"]
    scene.fs.rename(value["hidden"], renamed[1])
    scene.fs.append(renamed[1], [b"not acknowledged"])
    scene.change(stream_id, **DEAD, dirty=True, hidden=renamed[2],
                 former=[value["hidden"], *renamed[:2]])
    scene.streams.close(stream_id)
    assert scene.content() == b"acknowledged"
    scene.assert_nothing_left("file")


def test_a_write_while_another_has_the_lease_waits_for_it(scene: Scene) -> None:
    stream_id = scene.created()
    scene.streams.write(stream_id, [b"acknowledged"])
    value = scene.store.get(SPACE, str(stream_id))
    assert value is not None
    sent, go_on = threading.Event(), threading.Event()

    def slow() -> Iterator[bytes]:
        for _ in range(64):  # more than sockets hold: when it is sent, the file is open
            yield b"not acknowledged" * 16384
        sent.set()
        assert go_on.wait(30)
        yield b"not acknowledged"

    zombie = threading.Thread(target=scene.fs.append, args=(value["hidden"], slow()))
    zombie.start()
    assert sent.wait(30)
    scene.change(stream_id, **DEAD)
    writer = threading.Thread(target=scene.streams.write, args=(stream_id, [b", more"]))
    writer.start()
    writer.join(1)
    assert writer.is_alive()
    go_on.set()
    for thread in (zombie, writer):
        thread.join(30)
        assert not thread.is_alive()
    scene.streams.close(stream_id)
    assert scene.content() == b"acknowledged, more"


def test_a_lease_that_cannot_be_taken_yet_is_waited_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream_id = scene.created()
    scene.streams.write(stream_id, [b"acknowledged"])
    scene.change(stream_id, **DEAD)
    monkeypatch.setattr(stream_writing, "OWN_TIME_SECONDS", 0.0)
    tried: list[str] = []

    class Busy:
        """Has a block that too few DataNodes have told of, until some time after it was asked."""

        def __getattr__(self, name: str) -> Any:
            return getattr(scene.fs, name)

        def truncate(self, path: HdfsPath, length: int) -> bool:
            tried.append("truncate")
            if tried.count("take") < 2:
                raise FileBusy(path)
            return scene.fs.truncate(path, length)

        def take_lease(self, path: HdfsPath) -> None:
            tried.append("take")
            raise FileBusy(path)

    scene.of(ALICE, Busy()).write(stream_id, [b", more"])
    assert tried == [*["truncate", "take"] * 2, "truncate"]
    scene.streams.close(stream_id)
    assert scene.content() == b"acknowledged, more"


@pytest.mark.parametrize("content", [b"", b"content"])
@pytest.mark.parametrize("old", [None, b"old"])
def test_a_close_whose_answer_was_lost_is_repeated(
    scene: Scene, content: bytes, old: bytes | None,
) -> None:
    if old:
        finished(scene, "file", old)
    stream_id = scene.created(overwrite=bool(old))
    scene.streams.write(stream_id, [content])
    lost: list[bool] = []

    class Losing:
        """Renames, and then the connection breaks."""

        def __getattr__(self, name: str) -> Any:
            return getattr(scene.fs, name)

        def rename(self, source: HdfsPath, destination: HdfsPath, *mode: Any) -> bool:
            done = scene.fs.rename(source, destination, *mode)
            if destination == scene.at("file") and not lost:
                lost.append(done)
                raise UpstreamTimeout("no answer")
            return done

    with pytest.raises(UpstreamTimeout):
        scene.of(ALICE, Losing()).close(stream_id)
    assert scene.content() == content
    scene.streams.close(stream_id)
    assert scene.content() == content
    with pytest.raises(NoSuchStream):
        scene.streams.close(stream_id)
    scene.assert_nothing_left("file")


def test_a_close_that_never_reached_hdfs_may_be_repeated(scene: Scene) -> None:
    stream_id = scene.created()
    scene.streams.write(stream_id, [b"content"])

    class Away:
        """Cannot be reached for a RENAME."""

        def __getattr__(self, name: str) -> Any:
            return getattr(scene.fs, name)

        def rename(self, *_: Any) -> bool:
            raise UpstreamTimeout("no answer")

    with pytest.raises(UpstreamTimeout):
        scene.of(ALICE, Away()).close(stream_id)
    assert scene.streams.write(stream_id, [b", more"]) == 6
    scene.streams.close(stream_id)
    assert scene.content() == b"content, more"
    scene.assert_nothing_left("file")


def test_a_write_that_hdfs_has_not_all_of_is_not_acknowledged(scene: Scene) -> None:
    stream_id = scene.created()
    scene.streams.write(stream_id, [b"kept"])

    class Short:
        """Appends less than it is given, and says nothing."""

        def __getattr__(self, name: str) -> Any:
            return getattr(scene.fs, name)

        def append(self, path: HdfsPath, body: Any) -> None:
            scene.fs.append(path, [b"".join(body)[:-1]])

    with pytest.raises(UpstreamFault):
        scene.of(ALICE, Short()).write(stream_id, [b"lost"])
    scene.streams.close(stream_id)
    assert scene.content() == b"kept"


# --- two at a time


def test_two_writers_at_once(scene: Scene, staging: Staging) -> None:
    stream_id = scene.created()
    inside, go_on = threading.Event(), threading.Event()

    def slow() -> Iterator[bytes]:
        yield b"first"
        inside.set()
        assert go_on.wait(30)
        yield b", all of it"

    writer = threading.Thread(target=scene.streams.write, args=(stream_id, slow()))
    writer.start()
    assert inside.wait(30)
    other = Scene(Staging(scene.store, scene.backend, UploadSettings()), scene.backend,
                  scene.directory)
    try:
        for streams in (scene.streams, other.streams):
            with pytest.raises(StreamBusy) as caught:
                streams.write(stream_id, never())
            assert caught.value.path == scene.at("file")
            with pytest.raises(StreamBusy):
                streams.close(stream_id)
        assert scene.sweep(2 * IDLE) == other.sweep(2 * IDLE) == 0
        go_on.set()
        writer.join(30)
        assert other.streams.write(stream_id, [b", more"]) == 6
        other.streams.close(stream_id)
        assert scene.content() == b"first, all of it, more"
    finally:
        other.staging.workers.stop()
    assert staging.workers.own_id != other.staging.workers.own_id


def test_a_writer_that_was_taken_for_dead_is_not_acknowledged(scene: Scene) -> None:
    stream_id = scene.created()
    scene.streams.write(stream_id, [b"kept"])

    def overtaken() -> Iterator[bytes]:
        yield b"lost"
        scene.change(stream_id, **DEAD)
        yield b"lost"

    with pytest.raises(StreamBusy):
        scene.streams.write(stream_id, overtaken())
    scene.streams.write(stream_id, [b", more"])
    scene.streams.close(stream_id)
    assert scene.content() == b"kept, more"


def test_a_stream_that_could_not_be_given_back_is_freed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream_id = scene.created()
    scene.streams.write(stream_id, [b"kept"])
    update = type(scene.store).update

    def failing(*_: Any, **__: Any) -> None:
        raise StorageFault("no store")

    def body() -> Iterator[bytes]:
        yield b"lost"
        monkeypatch.setattr(type(scene.store), "update", failing)

    with pytest.raises(StorageFault):
        scene.streams.write(stream_id, body())
    monkeypatch.setattr(type(scene.store), "update", update)
    other = Scene(Staging(scene.store, scene.backend, UploadSettings()), scene.backend,
                  scene.directory)
    try:
        with pytest.raises(StreamBusy):
            other.streams.write(stream_id, never())
        scene.claims.free_lost()
        other.streams.write(stream_id, [b", more"])
        other.streams.close(stream_id)
    finally:
        other.staging.workers.stop()
    assert scene.content() == b"kept, more"


# --- what happens to the directory


def test_a_directory_that_was_renamed(scene: Scene) -> None:
    scene.fs.mkdirs(scene.at("d"))
    written, untouched = scene.created("d/written"), scene.created("d/untouched")
    scene.streams.write(written, [b"x"])
    scene.fs.rename(scene.at("d"), scene.at("e"))
    for stream_id in (written, untouched):
        with pytest.raises(PathNotFound):
            scene.streams.write(stream_id, [b"y"])
        with pytest.raises(PathNotFound):
            scene.streams.close(stream_id)
        with pytest.raises(NoSuchStream):
            scene.streams.close(stream_id)
    assert scene.names("/e") == []
    scene.assert_nothing_left("e")


def test_a_directory_that_was_deleted_does_not_come_back(scene: Scene) -> None:
    scene.fs.mkdirs(scene.at("d"))
    written, untouched = scene.created("d/written"), scene.created("d/untouched")
    scene.streams.write(written, [b"x"])
    scene.fs.delete(scene.at("d"), recursive=True)
    for stream_id in (written, untouched):
        with pytest.raises(PathNotFound):
            scene.streams.write(stream_id, [b"y"])
        with pytest.raises(PathNotFound):
            scene.streams.close(stream_id)
    scene.assert_nothing_left()


def test_another_directory_of_the_same_name_is_not_written_into(scene: Scene) -> None:
    scene.fs.mkdirs(scene.at("d"))
    streams = [scene.created("d/written"), scene.created("d/untouched")]
    scene.streams.write(streams[0], [b"x"])
    scene.fs.rename(scene.at("d"), scene.at("e"))
    scene.fs.mkdirs(scene.at("d"))
    for stream_id in streams:
        with pytest.raises(PathNotFound):
            scene.streams.write(stream_id, [b"y"])
        with pytest.raises(PathNotFound):
            scene.streams.close(stream_id)
    assert scene.names("/d") == scene.names("/e") == []
    scene.assert_nothing_left("d", "e")


# --- the sweep


def test_idle_streams_leave_nothing(scene: Scene) -> None:
    for number, content in enumerate((b"", b"x")):
        stream_id = scene.created(f"a/b-{number}/file", recursive=True)
        scene.streams.write(stream_id, [content])
    broken = scene.created("a/broken")
    with pytest.raises(IncompleteBody):
        scene.streams.write(broken, breaking(b"xxx"))
    assert scene.sweep() == 0
    assert scene.sweep(IDLE - 60) == 0
    assert scene.sweep(IDLE + 60) == 3
    with pytest.raises(NoSuchStream):
        scene.streams.write(broken, never())
    scene.assert_nothing_left()


def test_directories_made_by_an_older_stream_go_after_those_of_a_younger(scene: Scene) -> None:
    for number in range(6):
        scene.created(f"a/b-{number}/file", recursive=True)
    assert scene.sweep(IDLE + 60) == 6
    scene.assert_nothing_left()


def test_a_stream_of_a_dead_worker_is_kept_until_it_is_idle(scene: Scene) -> None:
    stream_id = scene.created()
    scene.streams.write(stream_id, [b"kept"])
    scene.change(stream_id, **DEAD)
    assert scene.sweep() == 0
    assert scene.sweep(IDLE + 60) == 1
    scene.assert_nothing_left()


def test_the_sweep_keeps_a_file_whose_close_got_no_answer(scene: Scene) -> None:
    stream_id = scene.created("a/file", recursive=True)
    scene.streams.write(stream_id, [b"content"])
    value = scene.store.get(SPACE, str(stream_id))
    assert value is not None
    scene.fs.rename(value["hidden"], scene.at("a/file"))
    scene.change(stream_id, **DEAD, closing=True)
    assert scene.sweep(IDLE + 60) == 1
    assert scene.content("a/file") == b"content"
    scene.assert_nothing_left("a")


def test_the_sweep_finds_what_a_renamed_directory_holds(scene: Scene) -> None:
    scene.fs.mkdirs(scene.at("d"))
    stream_id = scene.created("d/file")
    scene.streams.write(stream_id, [b"x"])
    scene.fs.rename(scene.at("d"), scene.at("e"))
    assert scene.sweep(IDLE + 60) == 1
    assert scene.names("/e") == []
    scene.assert_nothing_left("e")


@pytest.mark.parametrize("closes", [True, False])
def test_directories_in_which_others_write_are_left_to_them(scene: Scene, closes: bool) -> None:
    first = scene.created("a/b/file", recursive=True)
    second = scene.created("a/other")
    scene.change(first, used=0)

    def body() -> Iterator[bytes]:
        yield b"x"
        assert scene.sweep() == 1
        assert scene.names() == ["a"]

    scene.streams.write(second, body())
    if closes:
        scene.streams.close(second)
        assert scene.names("/a") == ["other"]
    assert scene.sweep(IDLE + 60) == (0 if closes else 1)
    scene.assert_nothing_left(*(["a"] if closes else []))


def test_a_creation_whose_worker_died_is_undone(scene: Scene) -> None:
    stream_id = scene.created("a/b/file", recursive=True)
    scene.change(stream_id, over=True, **DEAD)
    with pytest.raises(NoSuchStream):
        scene.streams.write(stream_id, never())
    assert scene.sweep() == 1
    scene.assert_nothing_left()


def test_an_index_entry_without_its_stream_is_in_nobodys_way(scene: Scene) -> None:
    stream_id = scene.created()
    scene.store.delete(SPACE, str(stream_id))
    again = scene.created()
    scene.streams.close(again)
    scene.assert_nothing_left("file")
