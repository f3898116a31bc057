"""Write streams on every backend: what is seen of them, whose they are, what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.errors import (
    AccessDenied,
    AlreadyExists,
    InvalidParameter,
    InvalidRequest,
    IsADirectory,
    NotADirectory,
    PathNotFound,
    ReadOnlyPrincipal,
)
from app.core.lifetimes import Lifetime, TtlAction, lifetime_of
from app.core.paths import HIDDEN_MARK, HdfsPath
from app.core.stream_errors import IncompleteFile, NoSuchStream
from app.fs.lifetimes import NOTES
from app.fs.stream_records import MAX_ID, NewFile
from tests.fs.stream_scene import (
    ALICE,
    BOB,
    Scene,
    finished,
    later,
    never,
)

# --- writing


def test_a_file_is_there_when_its_stream_is_closed_and_not_before(scene: Scene) -> None:
    stream_id = scene.created()
    assert 1 <= stream_id <= MAX_ID
    assert scene.names() == []
    assert [scene.streams.write(stream_id, body) for body in (
        [b"hello "], [b"", b"wor", b"ld"], [], [b"!"])] == [6, 5, 0, 1]
    assert scene.names() == ["?"]
    scene.streams.close(stream_id)
    assert scene.content() == b"hello world!"
    assert scene.fs.status(scene.at("file")).permission == "644"
    scene.assert_nothing_left("file")


def test_an_empty_stream_makes_an_empty_file(scene: Scene) -> None:
    stream_id = scene.created(permission="600")
    assert scene.streams.write(stream_id, [b""]) == 0
    scene.streams.close(stream_id)
    status = scene.fs.status(scene.at("file"))
    assert (status.length, status.permission) == (0, "600")
    scene.assert_nothing_left("file")


@pytest.mark.parametrize("permission", ["600", "666", "777", "400", "000"])
def test_the_mode_is_what_was_asked_for(scene: Scene, permission: str) -> None:
    stream_id = scene.created(permission=permission)
    scene.streams.write(stream_id, [b"x"])
    scene.streams.write(stream_id, [b"y"])
    scene.streams.close(stream_id)
    status = scene.fs.status(scene.at("file"))
    assert (int(status.permission, 8), status.length) == (int(permission, 8), 2)


def test_block_size_and_replication(scene: Scene) -> None:
    stream_id = scene.created(block_size=1 << 20, replication_min=2, replication_max=2)
    assert scene.names() == []
    scene.streams.write(stream_id, [b"x" * (3 << 19), b"y" * (3 << 19)])
    scene.streams.close(stream_id)
    status = scene.fs.status(scene.at("file"))
    assert (status.block_size, status.replication, status.length) == (1 << 20, 2, 3 << 20)


@pytest.mark.parametrize(("least", "most"), [(5, 0), (0, 2), (5, 7)])
def test_the_default_factor_is_raised_or_lowered(scene: Scene, least: int, most: int) -> None:
    default = scene.created("default")
    scene.streams.close(default)
    factor = scene.fs.status(scene.at("default")).replication
    stream_id = scene.created(replication_min=least, replication_max=most)
    scene.streams.write(stream_id, [b"x"])
    scene.streams.close(stream_id)
    assert scene.fs.status(scene.at("file")).replication == min(
        max(factor, least), most or 512)


@pytest.mark.parametrize("options", [
    {"block_size": 1000}, {"block_size": -512}, {"replication_min": 3, "replication_max": 2}])
def test_values_that_cannot_be(scene: Scene, options: dict[str, int]) -> None:
    with pytest.raises(InvalidParameter):
        scene.created(**options)
    scene.assert_nothing_left()


@pytest.mark.parametrize("options", [{"block_size": 512}, {"replication_min": 600}])
def test_values_that_hdfs_refuses_are_refused_at_creation(
    scene: Scene, options: dict[str, int],
) -> None:
    with pytest.raises(InvalidRequest):
        scene.created("a/b/file", recursive=True, **options)
    scene.assert_nothing_left()


def test_missing_parents(scene: Scene) -> None:
    with pytest.raises(PathNotFound) as caught:
        scene.created("a/b/file")
    assert caught.value.path == scene.at("a")
    stream_id = scene.created("a/b/file", recursive=True, directory_permission="750")
    assert scene.names() == ["a"]
    assert scene.fs.status(scene.at("a/b")).permission == "750"
    scene.streams.close(stream_id)
    assert scene.names("/a/b") == ["file"]


def test_what_is_in_the_way(scene: Scene) -> None:
    scene.fs.create(scene.at("file"), [b"old"])
    scene.fs.mkdirs(scene.at("dir"))
    for name, overwrite, error in (
        ("file", False, AlreadyExists), ("dir", False, AlreadyExists), ("dir", True, IsADirectory),
        ("file/x", False, NotADirectory)):
        with pytest.raises(error):
            scene.created(name, overwrite=overwrite, recursive=True)
    with pytest.raises(AlreadyExists):
        scene.streams.create("/", NewFile())
    scene.assert_nothing_left("dir", "file")


def test_a_file_is_replaced_at_close_and_stays_until_then(scene: Scene) -> None:
    scene.fs.create(scene.at("file"), [b"old"])
    stream_id = scene.created(overwrite=True)
    scene.streams.write(stream_id, [b"new "])
    scene.streams.write(stream_id, [b"content"])
    assert scene.content() == b"old"
    scene.streams.close(stream_id)
    assert scene.content() == b"new content"
    scene.assert_nothing_left("file")


def test_a_target_that_appeared_meanwhile_ends_the_stream(scene: Scene) -> None:
    for body in ([], [b"mine"]):
        stream_id = scene.created()
        scene.streams.write(stream_id, body)
        scene.fs.create(scene.at("file"), [b"another's"])
        with pytest.raises(AlreadyExists) as caught:
            scene.streams.close(stream_id)
        assert caught.value.path == scene.at("file")
        assert scene.content() == b"another's"
        with pytest.raises(NoSuchStream):
            scene.streams.close(stream_id)
        scene.assert_nothing_left("file")
        scene.fs.delete(scene.at("file"))


def test_a_directory_that_appeared_meanwhile_is_not_written_into(scene: Scene) -> None:
    stream_id = scene.created(overwrite=True)
    scene.streams.write(stream_id, [b"mine"])
    scene.fs.mkdirs(scene.at("file/sub"))
    with pytest.raises((IsADirectory, AlreadyExists)):
        scene.streams.close(stream_id)
    assert scene.names("/file") == ["sub"]
    scene.assert_nothing_left("file")


def test_a_lifetime_is_kept_with_the_file(scene: Scene) -> None:
    stream_id = scene.created(lifetime=Lifetime(60_000, TtlAction.DELETE))
    scene.streams.write(stream_id, [b"x"])
    before = later(0)
    scene.streams.close(stream_id)
    kept = lifetime_of(scene.fs.xattrs(scene.at("file")))
    assert (kept.ttl, kept.action) == (60_000, TtlAction.DELETE)
    assert before <= kept.since <= later(0)
    (_, note), = scene.store.scan(NOTES)
    assert note["path"] == scene.at("file")


# --- whose it is


def test_streams_are_their_users_own(scene: Scene) -> None:
    stream_id = scene.created()
    scene.streams.write(stream_id, [b"x"])
    reader = scene.of(ALICE).open(finished(scene, "done"))
    for stranger in (scene.of(BOB), scene.of(replace(ALICE, name="another")),
                     scene.of(replace(ALICE, root=HdfsPath("/user/alice/elsewhere")))):
        for act in (stranger.close, lambda one, who=stranger: who.write(one, never())):
            for one in (stream_id, reader):
                with pytest.raises(NoSuchStream):
                    act(one)
        with pytest.raises(NoSuchStream):
            stranger.reading(reader, lambda _: None)
    with pytest.raises(ReadOnlyPrincipal):
        scene.of(replace(ALICE, read_only=True)).write(stream_id, never())
    with pytest.raises(ReadOnlyPrincipal):
        scene.of(replace(ALICE, read_only=True)).create(scene.at("x"), NewFile())
    scene.streams.close(stream_id)
    assert scene.content() == b"x"


def test_a_confined_user_writes_inside_their_root(scene: Scene) -> None:
    confined = scene.of(replace(ALICE, root=scene.directory))
    stream_id = confined.create("/a/file", NewFile(recursive=True))
    opened = confined.written_at("/a/file")
    assert opened is not None
    assert opened.path == scene.at("a/file")
    confined.close(stream_id)
    assert scene.names("/a") == ["file"]


def test_rights_are_asked_for_at_the_beginning(scene: Scene) -> None:
    with pytest.raises(AccessDenied):
        scene.of(BOB).create(scene.at("file"), NewFile())
    with pytest.raises(AccessDenied):
        scene.of(BOB).create(scene.at("a/file"), NewFile(recursive=True))
    secret = finished(scene, "secret")
    scene.fs.set_permission(secret, "600")
    with pytest.raises(AccessDenied):
        scene.of(BOB).open(secret)
    scene.assert_nothing_left("secret")


def test_names_of_staged_files_are_not_for_users(scene: Scene) -> None:
    with pytest.raises(InvalidRequest):
        scene.created(f"{HIDDEN_MARK}x")


# --- what is being written


def test_what_is_being_written_is_told(scene: Scene) -> None:
    stream_id = scene.created("b", permission="640")
    other = scene.created("a", lifetime=Lifetime(5))
    opened = scene.streams.written_at(scene.at("b"))
    assert opened is not None
    assert (opened.name, opened.path, opened.stream_id, opened.owner, opened.permission) == (
        "b", scene.at("b"), stream_id, "alice", "640")
    assert opened.group == scene.fs.status(scene.directory).group
    assert opened.created <= later(0)
    scene.streams.write(stream_id, [b"x"])
    first, second = scene.of(BOB).written_in(scene.directory)
    assert (first.name, first.lifetime.ttl, second.name) == ("a", 5, "b")
    assert second.block_size == 128 << 20
    assert second.replication >= 1
    with pytest.raises(IncompleteFile):
        scene.streams.open(scene.at("b"))
    for one in (stream_id, other):
        scene.streams.close(one)
    assert scene.streams.written_at(scene.at("b")) is None
    assert scene.streams.written_in(scene.directory) == []
    with pytest.raises(PathNotFound):
        scene.streams.open(scene.at("c"))


def test_a_file_that_is_being_written_by_another_cannot_be_created(scene: Scene) -> None:
    stream_id = scene.created()
    for streams in (scene.streams, scene.of(replace(ALICE, name="another"))):
        with pytest.raises(AlreadyExists):
            streams.create(scene.at("file"), NewFile())
    with pytest.raises(AlreadyExists):
        scene.of(replace(ALICE, name="another")).create(scene.at("file"), NewFile(overwrite=True))
    scene.streams.close(stream_id)


def test_who_overwrites_their_own_unfinished_file_starts_anew(scene: Scene) -> None:
    first = scene.created("a/file", recursive=True)
    scene.streams.write(first, [b"unfinished"])
    second = scene.created("a/file", overwrite=True, recursive=True)
    with pytest.raises(NoSuchStream):
        scene.streams.write(first, [b"more"])
    scene.streams.write(second, [b"anew"])
    scene.streams.close(second)
    assert scene.content("a/file") == b"anew"


def test_an_unfinished_file_is_given_up(scene: Scene) -> None:
    assert not scene.streams.discard(scene.at("file"))
    stream_id = scene.created("a/file", recursive=True)
    scene.streams.write(stream_id, [b"unfinished"])
    assert not scene.of(replace(ALICE, name="another")).discard(scene.at("a/file"))
    assert scene.streams.discard(scene.at("a/file"))
    scene.assert_nothing_left()
