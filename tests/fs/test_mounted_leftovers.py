"""What is kept beside files and about them, when mounts come and go."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from app.core.errors import InvalidPath, PathNotFound, TrashDisabled
from app.core.identity import Principal
from app.core.model import ByteRange
from app.core.mounts import HoldsMount
from app.core.object_errors import NoSuchBucket
from app.core.objects import ObjectMeta
from app.core.paths import HdfsPath, child_of
from app.fs.etags import EtagCache
from app.fs.object_meta import IMPLIED
from app.fs.objects import ObjectStore
from app.fs.staging import Staging
from app.fs.translator import UserFileSystem
from app.fs.workers import Workers
from app.settings import UploadSettings
from tests.fs.mounting import names, read, superuser, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fs.mounting import World


@pytest.fixture
def staging(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Staging]:
    """Yield a journal that is swept by the test alone."""
    monkeypatch.setattr(Workers, "_beat", lambda _self, _stop: None)
    made = Staging(world.store, world.backend, UploadSettings())
    assert made.workers.own_id  # it works
    yield made
    made.workers.stop()


def files(world: World, staging: Staging, **principal: object) -> UserFileSystem:
    """Return what alice may do now."""
    who = Principal("someone", "alice", **principal)  # type: ignore[arg-type]
    return UserFileSystem(who, world.fs(), staging)


def objects(world: World, staging: Staging) -> ObjectStore:
    """Return alice's buckets: the directories of the area."""
    who = Principal("someone", "alice", bucket_root=world.area)
    return ObjectStore(who, world.fs(), staging, EtagCache(100), file_permission="664",
                       bucket_permission="775")


@contextmanager
def dying(staging: Staging) -> Iterator[None]:
    """Have what is staged meanwhile look as if its worker was killed."""
    before = dict(staging.store.scan("staged"))
    yield
    for key, entry in staging.store.scan("staged"):
        if key not in before:
            staging.store.put("staged", key, {**entry, "worker": "dead"})


def test_what_a_dead_worker_staged_in_a_mount_is_swept(world: World, staging: Staging) -> None:
    source = world.source()
    world.mounted(world.at("m"), source)
    fs, path = world.fs(), world.at("m", "d", "f")
    with dying(staging):
        stage = staging.stage(fs, world.at("m", "d"), path)
        stage.__enter__()
        stage.will_make(lambda: [world.at("m", "d")])
        write(fs, stage.path)
    there = world.there.as_user("alice")
    assert names(there, source) == ["d"]
    assert staging.sweep() == 1
    assert names(there, source) == []
    assert not list(world.store.scan("staged"))


def test_what_comes_late_in_a_mount_is_swept(world: World, staging: Staging) -> None:
    source = world.source()
    world.mounted(world.at("m"), source)
    fs, hidden = world.fs(), world.at("m", ".httpfs-proxy-late")
    assert not staging.discard(fs, hidden, world.at("m", "f"))
    write(fs, hidden)
    assert staging.sweep() == 1
    assert names(world.there.as_user("alice"), source) == []


def test_a_sweep_leaves_alone_what_has_the_path_of_a_mount_that_is_gone(
    world: World, staging: Staging,
) -> None:
    world.mounted(world.at("m"), world.source())
    fs, path = world.fs(), world.at("m", "d", "f")
    with dying(staging):
        stage = staging.stage(fs, world.at("m", "d"), path)
        stage.__enter__()
        stage.will_make(lambda: [world.at("m", "d")])
    world.admin().unmount(world.at("m"))
    other = world.source("other")
    there = world.there.as_user("alice")
    there.mkdirs(child_of(other, "d"))
    world.mounted(world.at("m"), other)
    assert staging.sweep() == 1
    assert names(there, other) == ["d"]
    assert not list(world.store.scan("staged"))


def test_an_upload_ends_where_it_began(world: World, staging: Staging) -> None:
    source = world.source()
    world.mounted(world.at("m"), source)

    def body() -> Iterator[bytes]:
        yield b"one "
        world.admin().unmount(world.at("m"))
        world.mounted(world.at("m"), world.source("other"))
        yield b"two"

    files(world, staging).upload(world.at("m", "f"), body())
    assert read(world.there.as_user("alice"), child_of(source, "f")) == b"one two"
    assert names(world.fs(), world.at("m")) == []
    assert not list(world.store.scan("staged"))


def test_a_file_is_appended_to_in_a_mounted_directory_of_others(
    world: World, staging: Staging,
) -> None:
    source = world.source("bobs", "bob")
    path = write(world.there.as_user("bob"), child_of(source, "f"))
    world.there.as_user("bob").set_permission(path, "666")
    world.mounted(world.at("m"), source)
    root = world.own.as_user(superuser())
    root.mkdirs(HdfsPath("/user/alice"), "755")
    root.set_owner(HdfsPath("/user/alice"), "alice", None)
    files(world, staging).append(world.at("m", "f"), [b" ", b"world"])
    assert read(world.fs(), world.at("m", "f")) == b"hello world"
    assert names(world.there.as_user("bob"), source) == ["f"]


def test_what_s3_keeps_with_an_object_stays_whichever_mount_leads_to_it(
    world: World, staging: Staging,
) -> None:
    source = world.source()
    world.mounted(world.at("one"), source)
    shop = objects(world, staging)
    meta = ObjectMeta(etag="0" * 32, user={"k": "v"})
    shop.put("one", "a/key", [b"x"], lambda: meta)
    shop.put("one", "marker/", [], lambda: ObjectMeta(etag="", user={"m": "1"}))
    world.mounted(world.at("two"), source)
    world.admin().unmount(world.at("one"))
    shop = objects(world, staging)
    info = shop.info("two", "a/key")
    assert (info.meta.etag, info.meta.user) == ("0" * 32, {"k": "v"})
    assert shop.open(info, ByteRange(0, 1)).read(5) == b"x"
    assert shop.info("two", "marker/").meta.user == {"m": "1"}
    assert [(one.key, one.etag) for one in shop.list("two", prefix="a/").entries] == [
        ("a/key", "0" * 32)]


def test_a_bucket_that_is_a_mount_point_keeps_its_uploads(
    world: World, staging: Staging,
) -> None:
    world.mounted(world.at("bucket"), world.source())
    shop = objects(world, staging)
    upload = shop.uploads.create("bucket", "key", ObjectMeta())
    with pytest.raises(HoldsMount):
        shop.delete_bucket("bucket")
    assert shop.uploads.upload("bucket", "key", upload.upload_id).key == "key"
    shop.uploads.abort("bucket", "key", upload.upload_id)


def test_the_source_of_a_mount_in_a_bucket_is_not_dropped_as_implied(
    world: World, staging: Staging,
) -> None:
    source = world.source("outer")
    shop = objects(world, staging)
    shop.create_bucket("bucket")
    world.mounted(world.at("bucket", "m"), source)
    world.mounted(world.at("far"), world.lies)
    shop = objects(world, staging)
    # As if an object had implied the directory, in the view of the other cluster's buckets.
    world.there.as_user("alice").set_xattr(source, IMPLIED, b"1", exists=None)
    shop.put("bucket", "m/key", [b"x"], ObjectMeta)
    assert shop.delete("bucket", "m/key")
    assert names(world.there.as_user("alice"), world.lies) == ["outer"]
    assert names(world.fs(), world.at("bucket")) == ["m"]


def test_a_root_may_lie_in_a_mount(world: World, staging: Staging) -> None:
    source = world.source()
    world.there.as_user("alice").mkdirs(child_of(source, "room"))
    write(world.there.as_user("alice"), child_of(source, "secret"))
    world.mounted(world.at("m"), source)
    mine = files(world, staging, root=world.at("m", "room"))
    mine.upload("/d/f", [b"x"])
    mine.append("d/f", [b"y"])
    assert mine.home() == "/"
    assert mine.rename("/d/f", "/g") == "/g"
    assert read(world.there.as_user("alice"), HdfsPath(f"{source}/room/g")) == b"xy"
    assert [entry.path_suffix for page in mine.listing("/") for entry in page] == ["d", "g"]
    with pytest.raises(InvalidPath):
        mine.status("/../secret")
    with pytest.raises(PathNotFound) as caught:
        mine.status("/secret")
    assert caught.value.path == world.at("m", "room", "secret")
    with pytest.raises(TrashDisabled):
        mine.delete("/g", recursive=False, skip_trash=False)


def test_nobody_names_a_file_of_a_mount_by_number(world: World, staging: Staging) -> None:
    world.mounted(world.at("m"), world.source())
    path = write(world.fs(), world.at("m", "f"))
    number = world.fs().status(path).file_id
    alice = files(world, staging)
    for text in (f"/.reserved/.inodes/{number}", f"/.reserved//.inodes/./{number}/"):
        for call in (alice.status, alice.archive, alice.listing, alice.acl):
            with pytest.raises(PathNotFound):
                call(text)
        with pytest.raises(PathNotFound):
            alice.delete(text, recursive=True)
    shop = ObjectStore(Principal("someone", "alice"), world.fs(), staging, EtagCache(100),
                       file_permission="664", bucket_permission="775")
    for bucket in (".reserved", f".reserved:.inodes:{number}"):
        with pytest.raises(NoSuchBucket):
            shop.list(bucket, prefix=f".inodes/{number}/")
        with pytest.raises(NoSuchBucket):
            shop.info(bucket, f".inodes/{number}")
    assert read(world.fs(), path) == b"hello"
