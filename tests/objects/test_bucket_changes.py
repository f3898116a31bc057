"""Buckets with all that is in them, removed and renamed, over each kind of backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.core.errors import AccessDenied, Conflict, ReadOnlyPrincipal
from app.core.object_errors import BucketExists, HoldsRoom, InvalidBucketName, NoSuchBucket
from app.core.objects import ObjectMeta
from app.core.paths import HdfsPath, child_of
from app.fs.placing import status_or_none

if TYPE_CHECKING:
    from app.fs.webhdfs import WebHdfsBackend
    from tests.objects.shop import Shop


def in_trash(shop: Shop, path: HdfsPath) -> HdfsPath:
    return HdfsPath(f"{shop.fs.trash_root(path)}/Current{path}")


def test_a_destroyed_bucket_is_in_the_trash_with_all_it_had(shop: Shop) -> None:
    shop.put("dir/key", b"x")
    shop.store.uploads.create("bucket", "key", ObjectMeta())
    shop.store.destroy_bucket("bucket")
    assert status_or_none(shop.fs, shop.path) is None
    assert {"dir/", "dir/key"} <= {
        name.removeprefix(f"{in_trash(shop, shop.path)}/")
        for name in shop.tree(in_trash(shop, shop.path))}
    with pytest.raises(NoSuchBucket):
        shop.store.destroy_bucket("bucket")


def test_one_destroyed_twice_is_twice_in_the_trash(shop: Shop) -> None:
    shop.put("key", b"first")
    shop.store.destroy_bucket("bucket")
    shop.store.create_bucket("bucket")
    shop.put("key", b"second")
    shop.store.destroy_bucket("bucket")
    found = shop.fs.list_page(in_trash(shop, shop.root)).entries
    assert len(found) == 2


def test_who_has_no_trash_in_their_room_loses_the_bucket_for_good(shop: Shop) -> None:
    confined = shop.store_of(root=shop.root)
    shop.put("dir/key", b"x")
    confined.destroy_bucket("bucket")
    assert status_or_none(shop.fs, shop.path) is None
    assert status_or_none(shop.fs, in_trash(shop, shop.path)) is None
    assert status_or_none(shop.fs, shop.root) is not None


def test_a_destroyed_bucket_takes_no_other_along(shop: Shop) -> None:
    shop.store.create_bucket("bucket2")
    shop.store.create_bucket("bucket2:inner")
    for name in ("none", "bucket2:none", "bucket2:inner:none"):
        with pytest.raises(NoSuchBucket):
            shop.store.destroy_bucket(name)
    shop.store.destroy_bucket("bucket")
    assert [one.name for one in shop.store.buckets()] == ["bucket2"]


@pytest.mark.parametrize("name", ["", ".", "..", "bucket/..", "a:..", "*", ".httpfs-proxy-x"])
def test_nothing_but_a_bucket_can_be_named(shop: Shop, name: str) -> None:
    for change in (lambda: shop.store.destroy_bucket(name),
                   lambda: shop.store.rename_bucket(name, "other"),
                   lambda: shop.store.rename_bucket("bucket", name)):
        with pytest.raises(InvalidBucketName):
            change()
    assert [one.name for one in shop.store.buckets()] == ["bucket"]


def test_a_bucket_that_holds_a_users_room_stays(shop: Shop) -> None:
    shop.put("room/key", b"x")
    for room in (shop.path, shop.at("room"), shop.at("room", "that", "is", "yet", "to", "come")):
        with pytest.raises(HoldsRoom):
            shop.store.destroy_bucket("bucket", [HdfsPath("/"), room])
        with pytest.raises(HoldsRoom):
            shop.store.rename_bucket("bucket", "other", [room])
    assert shop.get("room/key") == b"x"
    shop.store.rename_bucket("bucket", "other", [HdfsPath("/"), shop.root,
                                                 HdfsPath(f"{shop.path}2")])
    assert [one.name for one in shop.store.buckets()] == ["other"]


def test_the_home_with_its_trash_stays(shop: Shop) -> None:
    shop.put("key", b"x")
    shop.store.destroy_bucket("bucket")
    homes = shop.store_of(bucket_root=HdfsPath("/user"))
    for name in ("alice", "alice:.Trash", "alice:.Trash:Current"):
        with pytest.raises(AccessDenied):
            homes.destroy_bucket(name)
    with pytest.raises(AccessDenied):
        homes.rename_bucket("alice", "alicia")
    assert status_or_none(shop.fs, child_of(in_trash(shop, shop.path), "key")) is not None


def test_who_may_only_read_destroys_and_renames_nothing(
        shop: Shop, backend: WebHdfsBackend) -> None:
    shop.put("key", b"x")
    for store, error in ((shop.store_of(read_only=True), ReadOnlyPrincipal),
                         (shop.store_of(backend.as_user("bob")), AccessDenied)):
        with pytest.raises(error):
            store.destroy_bucket("bucket")
        with pytest.raises(error):
            store.rename_bucket("bucket", "other")
    assert shop.get("key") == b"x"


def test_a_renamed_bucket_keeps_all_it_had(shop: Shop) -> None:
    shop.put("dir/key", b"x")
    shop.store.set_bucket_record("bucket", {"tags": {"a": "b"}})
    upload = shop.store.uploads.create("bucket", "key", ObjectMeta())
    shop.store.rename_bucket("bucket", "New_Name")
    assert [one.name for one in shop.store.buckets()] == ["New_Name"]
    assert shop.store.bucket_record("New_Name") == {"tags": {"a": "b"}}
    assert shop.store.info("New_Name", "dir/key").size == 1
    assert shop.store.uploads.upload("New_Name", "key", upload.upload_id).key == "key"
    with pytest.raises(NoSuchBucket):
        shop.store.rename_bucket("bucket", "another")


def test_no_bucket_is_renamed_to_a_name_that_is_taken(shop: Shop) -> None:
    shop.put("key", b"x")
    shop.store.create_bucket("taken")
    shop.fs.create(child_of(shop.root, "file"), [b"x"])
    for name in ("taken", "file", "bucket"):
        with pytest.raises(BucketExists):
            shop.store.rename_bucket("bucket", name)
    with pytest.raises(Conflict):
        shop.store.rename_bucket("bucket", "bucket:inside")
    assert shop.get("key") == b"x"
    assert shop.fs.list_page(child_of(shop.root, "taken")).entries == []


def test_a_new_bucket_may_have_any_name_where_that_is_asked(shop: Shop) -> None:
    assert shop.store.create_bucket("My_Bucket.1", any_name=True)
    with pytest.raises(InvalidBucketName):
        shop.store.create_bucket("bad!name", any_name=True)
    assert [one.name for one in shop.store.buckets()] == ["My_Bucket.1", "bucket"]


def test_details_of_many_objects_by_one_call_each(shop: Shop) -> None:
    for key in ("a", "dir/b", "marker/", "full/"):
        shop.put(key, b"" if key == "marker/" else key.encode())
    entries = shop.store.list("bucket", etags=False).entries
    calls = shop.counted(lambda: shop.store.details("bucket", entries))
    assert calls == {"xattrs": 4}
    found = {one.key: one.meta.etag for one in shop.store.details("bucket", entries)}
    assert found == {key: shop.info(key).meta.etag for key in found}
    assert set(found) == {"a", "dir/b", "marker/", "full/"}
    shop.fs.set_permission(shop.at("a"), "000")
    shop.delete("dir/b")
    told = shop.store.details("bucket", entries)
    assert [one.key for one in told] == [one.key for one in entries]
