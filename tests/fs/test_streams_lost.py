"""What was being written in a directory that is no more is not in a new one of the same name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from app.core.errors import AlreadyExists, PathNotFound
from app.fs.stream_records import NewFile
from tests.fs.stream_scene import ALICE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fs.stream_scene import Scene


def remove(scene: Scene) -> None:
    scene.fs.delete(scene.at("d"), recursive=True)


def move(scene: Scene) -> None:
    scene.fs.rename(scene.at("d"), scene.at("elsewhere"))


@pytest.mark.parametrize("lose", [remove, move])
@pytest.mark.parametrize("content", [b"", b"acknowledged"])
def test_another_directory_of_the_name_has_no_file_of_the_old(
    scene: Scene, lose: Callable[[Scene], None], content: bytes,
) -> None:
    scene.fs.mkdirs(scene.at("d"), "755")
    lost = scene.created("d/file")
    scene.streams.write(lost, [content])
    assert [one.name for one in scene.streams.written_in(scene.at("d"))] == ["file"]
    lose(scene)
    assert scene.streams.written_at(scene.at("d/file")) is None
    scene.fs.mkdirs(scene.at("d"), "755")
    assert scene.streams.written_at(scene.at("d/file")) is None
    assert scene.streams.written_in(scene.at("d")) == []
    with pytest.raises(PathNotFound):
        scene.streams.open(scene.at("d/file"))
    stream_id = scene.created("d/file")
    scene.streams.write(stream_id, [b"new"])
    assert [one.stream_id for one in scene.streams.written_in(scene.at("d"))] == [stream_id]
    scene.streams.close(stream_id)
    assert scene.content("d/file") == b"new"
    with pytest.raises((AlreadyExists, PathNotFound)):
        scene.streams.close(lost)
    assert scene.content("d/file") == b"new"


def test_directories_made_for_a_file_are_known_as_its_own(scene: Scene) -> None:
    lost = scene.created("d/below/file", recursive=True)
    with pytest.raises(AlreadyExists):
        scene.of(replace(ALICE, name="another")).create(
            scene.at("d/below/file"), NewFile(recursive=True))
    remove(scene)
    stream_id = scene.created("d/below/file", recursive=True)
    scene.streams.write(stream_id, [b"new"])
    scene.streams.close(stream_id)
    assert scene.content("d/below/file") == b"new"
    with pytest.raises(PathNotFound):
        scene.streams.close(lost)
