"""Write streams while the state store fails: what is told is so, nothing stays locked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import AlreadyExists, FileBusy, IncompleteBody, StorageFault
from app.core.identity import Principal
from app.fs import stream_writing
from app.fs.stream_records import NewFile
from tests.fs.stream_scene import Scene, breaking

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.state.store import Value


@pytest.fixture
def index_away(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Return what has the store refuse, or take, changes of what is being written."""
    update, away = scene.store.update, [False]

    def flaky(space: str, *arguments: Any, **options: Any) -> Value | None:
        if away[0] and space.startswith("writing:"):
            raise StorageFault("no store")
        return update(space, *arguments, **options)

    def turn(is_away: bool) -> None:
        away[0] = is_away

    monkeypatch.setattr(scene.store, "update", flaky)
    return turn


def test_a_creation_that_failed_is_in_nobodys_way(
    scene: Scene, index_away: Callable[[bool], None],
) -> None:
    index_away(True)
    with pytest.raises(StorageFault):
        scene.created("a/file", recursive=True, block_size=1 << 20)
    index_away(False)
    assert scene.sweep() == 1
    scene.assert_nothing_left()
    scene.streams.close(scene.created("a/file", recursive=True))


def test_creations_that_were_refused_are_forgotten(scene: Scene) -> None:
    scene.created()
    twin = scene.of(Principal("twin", "alice"))
    for _ in range(3):
        with pytest.raises(AlreadyExists):
            twin.create(scene.at("file"), NewFile(block_size=1 << 20))
    assert scene.sweep() == 0
    assert not scene.claims._active


def test_a_write_is_told_as_it_went(scene: Scene, index_away: Callable[[bool], None]) -> None:
    stream_id = scene.created()
    index_away(True)
    assert scene.streams.write(stream_id, [b"once"]) == 4
    index_away(False)
    scene.streams.close(stream_id)
    assert scene.content() == b"once"
    scene.assert_nothing_left("file")


def test_a_close_that_was_told_to_fail_is_repeated(
    scene: Scene, index_away: Callable[[bool], None],
) -> None:
    for content in (b"content", b""):
        stream_id = scene.created(overwrite=True)
        scene.streams.write(stream_id, [content])
        index_away(True)
        with pytest.raises(StorageFault):
            scene.streams.close(stream_id)
        index_away(False)
        scene.streams.close(stream_id)
        assert scene.content() == content
        scene.assert_nothing_left("file")


def test_waiting_for_a_file_to_be_cut_ends(
    scene: Scene, monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream_id = scene.created()
    scene.streams.write(stream_id, [b"kept"])
    with pytest.raises(IncompleteBody):
        scene.streams.write(stream_id, breaking(b"lost"))
    with monkeypatch.context() as patch:
        patch.setattr(stream_writing, "PATIENCE_SECONDS", 0.3)
        patch.setattr(type(scene.fs), "truncate", lambda *_: False)
        with pytest.raises(FileBusy):
            scene.streams.write(stream_id, [b"more"])
    scene.streams.write(stream_id, [b", more"])
    scene.streams.close(stream_id)
    assert scene.content() == b"kept, more"
