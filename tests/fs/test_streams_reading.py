"""Read streams over each kind of backend: the rest of the very file that was opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.core.errors import (
    NotAFile,
    PathNotFound,
)
from app.core.model import ByteRange
from app.core.stream_errors import NoSuchStream
from app.fs.lifetimes import Lifetimes
from app.fs.stream_handles import FileStreams
from app.fs.stream_records import SPACE
from tests.fs.mounting import superuser
from tests.fs.stream_scene import (
    ALICE,
    Scene,
    finished,
    never,
    read,
)
from tests.gateway import wait_for

if TYPE_CHECKING:
    from app.fs.filesystem import WebHdfsFileSystem
    from app.fs.webhdfs import WebHdfsBackend


def test_a_stream_reads_the_rest(scene: Scene) -> None:
    content = bytes(range(256)) * 1000
    path = finished(scene, "file", content)
    streams = scene.streams
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


def test_the_position_is_kept_before_the_last_piece_is_told(scene: Scene) -> None:
    stream_id = scene.streams.open(finished(scene, "file"))
    found = scene.streams.reading(stream_id, lambda _: None)
    assert found.source is not None
    got = b""
    while len(got) < found.part.length:
        got += found.source.read(100)
    assert read(scene.streams, stream_id) == b""
    found.source.close()


def test_an_empty_file(scene: Scene) -> None:
    scene.fs.create(scene.at("file"), [])
    stream_id = scene.streams.open(scene.at("file"))
    found = scene.streams.reading(stream_id, lambda _: None)
    assert (found.part, found.length, found.source) == (ByteRange(0, 0), 0, None)


def test_what_is_read_is_the_file_that_was_opened(scene: Scene) -> None:
    path = finished(scene, "file", b"the first version")
    moved, replaced, appended = (scene.streams.open(path) for _ in range(3))
    scene.fs.append(path, [b", and more"])
    assert read(scene.streams, appended) == b"the first version"
    scene.fs.rename(path, scene.at("moved"))
    assert read(scene.streams, moved) == b"the first version"
    scene.fs.delete(scene.at("moved"))
    finished(scene, "file", b"another")
    with pytest.raises(PathNotFound) as caught:
        read(scene.streams, replaced)
    assert caught.value.path == path


def test_no_version_is_taken_for_another_though_a_snapshot_has_it(
    scene: Scene, backend: WebHdfsBackend,
) -> None:
    path = finished(scene, "file", b"the first version")
    stream_id = scene.streams.open(path)
    backend.as_user(superuser()).allow_snapshots(scene.directory, allowed=True)
    snapshot = scene.fs.create_snapshot(scene.directory, "s")
    scene.fs.delete(path)
    finished(scene, "file", b"a second version!")
    with pytest.raises(PathNotFound):
        read(scene.streams, stream_id)
    scene.fs.delete_snapshot(scene.directory, "s")
    assert snapshot


def test_directories_are_not_opened(scene: Scene) -> None:
    with pytest.raises(NotAFile):
        scene.streams.open(scene.directory)


def test_the_kinds_are_not_mixed_up(scene: Scene) -> None:
    reader, writer = scene.streams.open(finished(scene, "done")), scene.created()
    with pytest.raises(NoSuchStream):
        scene.streams.write(reader, never())
    with pytest.raises(NoSuchStream):
        scene.streams.reading(writer, lambda _: None)


def test_readers_are_gone_when_idle(scene: Scene, alice: WebHdfsFileSystem) -> None:
    path = finished(scene, "done")
    lifetimes = Lifetimes(scene.store, scene.staging.workers)
    streams = FileStreams(ALICE, alice, scene.staging, scene.claims, lifetimes, idle=0.001)
    stream_id = streams.open(path)
    wait_for("its end", lambda: scene.store.get(SPACE, str(stream_id)) is None)
    with pytest.raises(NoSuchStream):
        streams.reading(stream_id, lambda _: None)
