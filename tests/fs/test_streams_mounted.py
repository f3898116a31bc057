"""Streams below mounts: they do there what they do elsewhere, and leave nothing in any cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.core.errors import IncompleteBody, NotFound
from app.core.lifetimes import Lifetime, lifetime_of
from app.core.mounts import ReadOnlyMount
from app.core.paths import child_of
from app.core.stream_errors import NoSuchStream
from app.fs.staging import Staging
from app.fs.stream_records import SPACE
from app.fs.workers import Workers
from app.settings import UploadSettings
from tests.fs.mounting import World, names
from tests.fs.stream_scene import DEAD, IDLE, Scene, breaking, finished, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.paths import HdfsPath


@pytest.fixture
def source(world: World) -> HdfsPath:
    """Return a directory of the other cluster."""
    return world.source()


@pytest.fixture
def below(
    world: World, source: HdfsPath, monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    """Yield a scene below a mount of `source`, with nobody sweeping in the background."""
    monkeypatch.setattr(Workers, "_beat", lambda _self, _stop: None)
    world.mounted(world.at("mount"), source)
    staging = Staging(world.store, world.backend, UploadSettings())
    yield Scene(staging, world.backend, world.at("mount"))
    staging.workers.stop()


def test_a_file_is_written_and_read_through_a_mount(
    below: Scene, world: World, source: HdfsPath,
) -> None:
    stream_id = below.created("a/file", recursive=True, lifetime=Lifetime(60_000))
    assert below.streams.write(stream_id, [b"kept, "]) == 6
    with pytest.raises(IncompleteBody):
        below.streams.write(stream_id, breaking(b"lost"))
    below.change(stream_id, **DEAD)
    below.streams.write(stream_id, [b"and more"])
    below.streams.close(stream_id)
    assert names(world.there.as_user("alice"), source) == ["a"]
    assert lifetime_of(below.fs.xattrs(below.at("a/file"))).ttl == 60_000
    reader = below.streams.open(below.at("a/file"))
    again = below.created("a/file", overwrite=True)
    assert read(below.streams, reader) == b"kept, and more"
    below.streams.close(again)
    assert below.content("a/file") == b""
    below.streams.close(reader)
    below.assert_nothing_left("a")


def test_idle_streams_leave_nothing_in_the_other_cluster(
    below: Scene, world: World, source: HdfsPath,
) -> None:
    for name in ("a/file", "b/file"):
        below.streams.write(below.created(name, recursive=True), [b"x"])
    below.fs.rename(below.at("b"), below.at("c"))
    assert below.sweep(IDLE + 60) == 2
    below.staging.sweep()
    there = world.there.as_user("alice")
    assert names(there, source) == ["c"]
    assert names(there, child_of(source, "c")) == []


def test_a_read_only_mount(below: Scene, world: World, source: HdfsPath) -> None:
    finished(below, "file")
    world.mounted(world.at("fixed"), source, read_only=True)
    fixed = Scene(below.staging, world.backend, world.at("fixed"))
    for options in ({}, {"overwrite": True}, {"recursive": True}):
        with pytest.raises(ReadOnlyMount):
            fixed.created("a/file" if "recursive" in options else "file2", **options)
    reader = fixed.streams.open(fixed.at("file"))
    assert read(fixed.streams, reader) == b"content"


def test_a_mount_that_is_gone_ends_its_streams(below: Scene, world: World) -> None:
    writer = below.created()
    below.streams.write(writer, [b"x"])
    reader = below.streams.open(finished(below, "done"))
    world.admin().unmount(world.at("mount"))
    gone = Scene(below.staging, world.backend, below.directory)
    with pytest.raises(NotFound):
        gone.streams.write(writer, [b"y"])
    with pytest.raises(NotFound):
        gone.streams.close(writer)
    with pytest.raises(NoSuchStream):
        gone.streams.close(writer)
    with pytest.raises(NotFound):
        read(gone.streams, reader)


def test_what_another_mount_has_at_the_path_is_none_of_the_streams(
    below: Scene, world: World,
) -> None:
    below.streams.write(below.created("a/b/file", recursive=True), [b"x"])
    world.admin().unmount(world.at("mount"))
    other = world.source("other")
    there = world.there.as_user("alice")
    there.mkdirs(child_of(other, "a"))
    there.mkdirs(child_of(child_of(other, "a"), "b"))
    world.mounted(world.at("mount"), other)
    assert below.sweep(IDLE + 60) == 1
    below.staging.sweep()
    assert names(there, child_of(other, "a")) == ["b"]
    assert list(below.store.scan(SPACE)) == []
