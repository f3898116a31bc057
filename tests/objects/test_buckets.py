"""Buckets over each kind of backend."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from app.core.errors import AccessDenied, Conflict, InvalidRequest
from app.core.object_errors import (
    BucketExists,
    BucketNotEmpty,
    InvalidBucketName,
    NoSuchBucket,
)
from app.core.objects import ObjectMeta
from app.core.paths import HdfsPath, child_of
from app.fs.object_meta import BUCKET, IMPLIED
from app.fs.placing import status_or_none
from tests.fs.mounting import superuser

if TYPE_CHECKING:
    from app.fs.webhdfs import WebHdfsBackend
    from tests.objects.shop import Shop


def test_buckets_are_the_directories_by_name(shop: Shop) -> None:
    for name in ("zebra", "Old_Name", "b.c", "b-c", ".httpfs-proxy-x", "with space", "grün",
                 ".Trash"):
        shop.fs.mkdirs(child_of(shop.root, name), "755")
    shop.fs.create(child_of(shop.root, "file"), [b"x"])
    found = list(shop.store.buckets())
    assert [one.name for one in found] == ["Old_Name", "b-c", "b.c", "bucket", "zebra"]
    for one in found:
        assert one.path == child_of(shop.root, one.name)
        assert abs(one.status.modification_time / 1000 - time.time()) < 300
    assert shop.store.bucket("zebra").status.file_id == found[-1].status.file_id


def test_no_bucket_root_no_buckets(shop: Shop) -> None:
    store = shop.store_of(bucket_root=HdfsPath(f"{shop.root}/none"))
    assert list(store.buckets()) == []
    assert store.create_bucket("first")
    assert [one.name for one in store.buckets()] == ["first"]


def test_a_bucket_is_made_once(shop: Shop, backend: WebHdfsBackend) -> None:
    assert shop.store.create_bucket("new-bucket")
    assert shop.fs.status(child_of(shop.root, "new-bucket")).permission == "775"
    assert not shop.store.create_bucket("new-bucket")
    shop.fs.create(child_of(shop.root, "file"), [b"x"])
    with pytest.raises(BucketExists):
        shop.store.create_bucket("file")
    bob = shop.store_of(backend.as_user("bob"))
    with pytest.raises(BucketExists):
        bob.create_bucket("new-bucket")


def test_the_buckets_that_others_made_are_not_listed(
        shop: Shop, backend: WebHdfsBackend) -> None:
    shop.fs.mkdirs(child_of(shop.root, "plain"), "755")
    assert shop.store.create_bucket("made-as-one")
    bob = shop.store_of(backend.as_user("bob"))
    names = [one.name for one in bob.buckets()]
    assert "plain" in names
    assert "made-as-one" not in names
    assert "made-as-one" in [one.name for one in shop.store.buckets()]
    assert bob.bucket("made-as-one").name == "made-as-one"


def test_a_nested_bucket_is_a_directory_below(shop: Shop) -> None:
    assert shop.store.create_bucket("bucket:inner:most")
    shop.store.put("bucket:inner:most", "key", [b"x"], ObjectMeta)
    assert shop.info("inner/most/key").size == 1
    assert not shop.store.create_bucket("bucket:inner")


@pytest.mark.parametrize("name", [
    "ab", "Upper", "a_b", "1.2.3.4", "a..b", "xn--a", "foo.-bar", "foo-.bar", "a" * 64, ".."])
def test_no_new_bucket_has_such_a_name(shop: Shop, name: str) -> None:
    with pytest.raises(InvalidBucketName):
        shop.store.create_bucket(name)
    assert [one.name for one in shop.store.buckets()] == ["bucket"]


def test_a_bucket_with_anything_in_it_stays(shop: Shop) -> None:
    shop.put("dir/key", b"x")
    with pytest.raises(BucketNotEmpty):
        shop.store.delete_bucket("bucket")
    assert shop.get("dir/key") == b"x"
    shop.delete("dir/key")
    shop.fs.mkdirs(shop.at("made"), "755")
    with pytest.raises(BucketNotEmpty):
        shop.store.delete_bucket("bucket")
    assert shop.tree() == {"made/"}
    shop.delete("made/")
    shop.store.delete_bucket("bucket")
    with pytest.raises(NoSuchBucket):
        shop.store.bucket("bucket")
    with pytest.raises(NoSuchBucket):
        shop.store.delete_bucket("bucket")


def test_uploads_under_way_and_implied_leftovers_go_with_the_bucket(shop: Shop) -> None:
    shop.store.uploads.create("bucket", "key", ObjectMeta())
    for path in ("left", "left/over"):
        shop.fs.mkdirs(shop.at(path), "755")
        shop.fs.set_xattr(shop.at(path), IMPLIED, b"1", exists=None)
    shop.store.delete_bucket("bucket")
    assert status_or_none(shop.fs, shop.path) is None


def test_an_upload_under_way_survives_a_refused_deletion(shop: Shop) -> None:
    upload = shop.store.uploads.create("bucket", "key", ObjectMeta())
    shop.put("other", b"x")
    with pytest.raises(BucketNotEmpty):
        shop.store.delete_bucket("bucket")
    assert shop.store.uploads.upload("bucket", "key", upload.upload_id).key == "key"


def test_an_upload_under_way_survives_a_deletion_that_hdfs_refuses(
        shop: Shop, backend: WebHdfsBackend) -> None:
    for path, mode in ((shop.root, "1777"), (shop.path, "777")):
        shop.fs.set_permission(path, mode)
    bob = shop.store_of(backend.as_user("bob"))
    upload = bob.uploads.create("bucket", "key", ObjectMeta())
    with pytest.raises(AccessDenied):
        bob.delete_bucket("bucket")
    assert bob.uploads.upload("bucket", "key", upload.upload_id).key == "key"
    shop.store.delete_bucket("bucket")
    assert status_or_none(shop.fs, shop.path) is None


def test_an_upload_under_way_survives_where_snapshots_keep_the_bucket(
        shop: Shop, backend: WebHdfsBackend) -> None:
    backend.as_user(superuser()).allow_snapshots(shop.path, allowed=True)
    shop.fs.create_snapshot(shop.path, "one")
    upload = shop.store.uploads.create("bucket", "key", ObjectMeta())
    with pytest.raises(Conflict):
        shop.store.delete_bucket("bucket")
    assert shop.store.uploads.upload("bucket", "key", upload.upload_id).key == "key"
    shop.fs.delete_snapshot(shop.path, "one")
    shop.store.delete_bucket("bucket")
    assert status_or_none(shop.fs, shop.path) is None


def test_what_is_kept_with_a_bucket(shop: Shop) -> None:
    assert shop.store.bucket_record("bucket") == {}
    record = {"tags": {"a": "ü"}, "cors": [{"origins": ["*"] * 100}]}
    shop.store.set_bucket_record("bucket", record)
    assert shop.store.bucket_record("bucket") == record
    assert shop.store_of().bucket_record("bucket") == record
    shop.store.set_bucket_record("bucket", {"tags": {}})
    assert shop.store.bucket_record("bucket") == {}
    shop.store.set_bucket_record("bucket", {})
    assert BUCKET not in shop.fs.xattrs(shop.path)
    with pytest.raises(NoSuchBucket):
        shop.store.bucket_record("none")
    with pytest.raises(NoSuchBucket):
        shop.store.set_bucket_record("none", record)


def test_more_than_can_be_kept_with_a_bucket_is_refused(shop: Shop) -> None:
    shop.store.set_bucket_record("bucket", {"tags": {"a": "b"}})
    with pytest.raises(InvalidRequest):
        shop.store.set_bucket_record("bucket", {"cors": random.Random(1).randbytes(20_000).hex()})
    assert shop.store.bucket_record("bucket") == {"tags": {"a": "b"}}


def test_the_record_by_one_call(shop: Shop, backend: WebHdfsBackend) -> None:
    assert shop.store.quick_record("bucket") == {}
    shop.store.set_bucket_record("bucket", {"tags": {"a": "b"}})
    assert shop.counted(lambda: shop.store.quick_record("bucket")) == {"xattrs": 1}
    assert shop.store.quick_record("bucket") == {"tags": {"a": "b"}}
    with pytest.raises(NoSuchBucket):
        shop.store.quick_record("none")
    shop.fs.set_permission(shop.path, "733")
    assert shop.store_of(backend.as_user("bob")).quick_record("bucket") == {}


def test_what_many_keep_with_a_bucket_at_once_is_all_kept(shop: Shop) -> None:
    def keep(number: int) -> None:
        shop.store.change_bucket_record(
            "bucket", lambda record: {**record, f"name{number}": number + 1})

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(keep, range(12)))
    assert shop.store.bucket_record("bucket") == {
        f"name{number}": number + 1 for number in range(12)}
