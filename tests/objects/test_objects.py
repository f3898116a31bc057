"""Objects over each kind of backend: what is put is what is got, whole, and nothing is left."""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from app.core.errors import (
    AccessDenied,
    IncompleteBody,
    InvalidRequest,
    NotFound,
    PathNotFound,
    PreconditionFailed,
    ReadOnlyPrincipal,
)
from app.core.model import ByteRange
from app.core.object_errors import InvalidKey, KeyTooLong, NameTaken, NoSuchBucket, NoSuchKey
from app.core.objects import COLON, DOT, EMPTY, ObjectInfo, ObjectMeta
from app.core.paths import HdfsPath
from app.fs.object_meta import EMPTY_MD5, IMPLIED, OBJECT, derived_etag
from tests.objects.shop import md5

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.fs.webhdfs import WebHdfsBackend
    from tests.objects.shop import Shop

META = ObjectMeta(
    "", {"CRC32": "AAAAAA=="}, "FULL_OBJECT", {"content-type": "text/plain"},
    {"colour": "grün"}, {"b": "2", "a": "1"})
BIG = bytes(range(256)) * 12_000


def refuse(_there: ObjectInfo | None) -> NoReturn:
    raise PreconditionFailed("If-Match")


def only_new(there: ObjectInfo | None) -> None:
    if there is not None:
        raise PreconditionFailed("If-None-Match")


# --- put, info, open


@pytest.mark.parametrize("content", [b"", b"hello", BIG], ids=["empty", "small", "big"])
def test_what_is_put_is_got(shop: Shop, content: bytes) -> None:
    put = shop.put("dir/key", [content[:10], content[10:]], META)
    got = shop.info("dir/key")
    assert got == put
    assert got.meta == replace(META, etag=md5(content))
    assert (got.size, got.key, got.path) == (len(content), "dir/key", shop.at("dir", "key"))
    assert got.status.permission == "664"
    assert shop.read(got) == content
    assert shop.tree() == {"dir/", "dir/key"}


def test_a_range_is_of_the_content(shop: Shop) -> None:
    info = shop.put("key", BIG)
    source = shop.store.open(info, ByteRange(1000, 5))
    assert source.read(100) == BIG[1000:1005]
    source.close()


def test_what_replaces_an_object_replaces_all_that_is_kept_beside_it(shop: Shop) -> None:
    shop.put("key", b"first", META)
    shop.put("key", b"second")
    assert shop.get("key") == b"second"
    assert shop.info("key").meta == ObjectMeta(md5(b"second"))
    assert shop.tree() == {"key"}


@pytest.mark.parametrize(("key", "names"), [
    ("a:b", [f"a{COLON}b"]),
    ("a//b", ["a", EMPTY, "b"]),
    ("/a", [EMPTY, "a"]),
    ("../.", [DOT * 2, DOT]),
    ("x y%20+#?;\\\n\"'", ["x y%20+#?;\\\n\"'"]),
    ("schöne Grüße/日本/😀", ["schöne Grüße", "日本", "😀"]),
    ("decomposed e\u0301", ["decomposed e\u0301"]),
    ("/".join([":" * 80] * 12), [COLON * 80] * 12),
], ids=lambda value: str(value)[:8] if isinstance(value, str) else "")
def test_any_key_lies_under_its_name(shop: Shop, key: str, names: list[str]) -> None:
    shop.put(key, b"content")
    assert shop.info(key).path == shop.at(*names)
    assert shop.get(key) == b"content"
    assert shop.delete(key)
    assert shop.tree() == set()


@pytest.mark.parametrize(("key", "error"), [
    ("a\0b", InvalidKey), (".httpfs-proxy-x/y", InvalidKey), (f"a{COLON}b", InvalidKey),
    ("", InvalidKey), ("a" * 256, KeyTooLong), ("a/" * 513, KeyTooLong), ("\ud800", InvalidKey),
])
def test_a_key_that_cannot_be_is_refused(
    shop: Shop, key: str, error: type[Exception],
) -> None:
    for work in (shop.put, shop.info, shop.delete):
        with pytest.raises(error):
            work(key)
    assert shop.tree() == set()


@pytest.mark.parametrize("key", [".snapshot/x", "a/.snapshot/x", "a/.snapshot", "a/.snapshot/"])
def test_a_name_that_hdfs_keeps_for_itself_is_refused(shop: Shop, key: str) -> None:
    for content in (b"x", b""):
        with pytest.raises(InvalidRequest):
            shop.put(key, content)
    with pytest.raises(NoSuchKey):
        shop.info(key)
    assert not shop.delete(key)
    assert shop.tree() == set()


def test_what_is_not_there(shop: Shop) -> None:
    shop.put("file", b"x")
    shop.put("dir/file", b"x")
    for key in ("none", "none/none", "file/below", "dir", "dir/", "file/", "none/"):
        with pytest.raises(NoSuchKey):
            shop.info(key)
    for work in (lambda: shop.store.info("no-bucket", "key"),
                 lambda: shop.store.delete("no-bucket", "key"),
                 lambda: shop.store.list("no-bucket"),
                 lambda: shop.store.put("no-bucket", "a/key", [b"x"], ObjectMeta),
                 lambda: shop.store.put("no-bucket", "key/", [], ObjectMeta)):
        with pytest.raises(NoSuchBucket):
            work()
    assert shop.store.list("bucket").entries[0].key == "dir/file"


def test_a_bucket_is_no_file(shop: Shop) -> None:
    shop.fs.create(HdfsPath(f"{shop.root}/file"), [b"x"])
    for work in (lambda: shop.store.put("file", "key", [b"x"], ObjectMeta),
                 lambda: shop.store.info("file", "key"),
                 lambda: shop.store.bucket("file")):
        with pytest.raises(NoSuchBucket):
            work()


# --- what breaks


def broken() -> Iterator[bytes]:
    yield bytes(1 << 17)
    raise IncompleteBody("the client went away")


def test_a_broken_body_leaves_the_old_object_and_nothing_else(shop: Shop) -> None:
    shop.put("dir/key", b"old", META)
    before = shop.info("dir/key")
    for key in ("dir/key", "new/dir/key", "dir/"):
        with pytest.raises(IncompleteBody):
            shop.put(key, broken())
    assert shop.info("dir/key") == before
    assert shop.tree() == {"dir/", "dir/key"}


def test_what_describing_finds_wrong_leaves_the_old_object(shop: Shop) -> None:
    def wrong() -> ObjectMeta:
        raise InvalidRequest("the checksum is another")

    shop.put("dir/key", b"old")
    for key in ("dir/key", "other/key"):
        with pytest.raises(InvalidRequest):
            shop.store.put(shop.bucket, key, [b"new"], wrong)
    with pytest.raises(InvalidRequest):
        shop.store.put(shop.bucket, "marker/", [], wrong)
    assert shop.get("dir/key") == b"old"
    assert shop.tree() == {"dir/", "dir/key"}


def test_a_precondition_forbids_before_the_body_is_touched(shop: Shop) -> None:
    def untouched() -> Iterator[bytes]:
        pytest.fail("the body was read")
        yield b""

    seen: list[ObjectInfo | None] = []

    def look(there: ObjectInfo | None) -> None:
        seen.append(there)
        refuse(there)

    old = shop.put("key", b"old", META)
    for key in ("key", "new", "dir/"):
        with pytest.raises(PreconditionFailed):
            shop.put(key, untouched(), precondition=look)
    assert seen == [old, None, None]
    with pytest.raises(PreconditionFailed):
        shop.delete("key", precondition=look)
    assert shop.get("key") == b"old"


@pytest.mark.parametrize("key", ["key", "new/dir/key"])
def test_a_precondition_is_asked_again_when_the_body_is_complete(shop: Shop, key: str) -> None:
    def body() -> Iterator[bytes]:
        yield b"mine"
        shop.store_of().put(shop.bucket, key, [b"theirs"], lambda: ObjectMeta(md5(b"theirs")))

    with pytest.raises(PreconditionFailed):
        shop.put(key, body(), precondition=only_new)
    assert shop.get(key) == b"theirs"
    assert not [name for name in shop.tree() if ".httpfs-proxy" in name]


def test_nobody_comes_between_the_last_look_and_the_rename(shop: Shop) -> None:
    def theirs(_source: HdfsPath, destination: HdfsPath, *_: object) -> None:
        if destination == shop.at("key"):
            shop.seen.before.clear()
            shop.fs.create(destination, [b"theirs"])

    shop.seen.before["rename"] = theirs
    with pytest.raises(PreconditionFailed):
        shop.put("key", b"mine", precondition=only_new)
    assert shop.get("key") == b"theirs"
    assert shop.tree() == {"key"}


def test_what_the_condition_wants_is_replaced(shop: Shop) -> None:
    def only(etag: str) -> Any:
        def check(there: ObjectInfo | None) -> None:
            if there is None or there.meta.etag != etag:
                raise PreconditionFailed("If-Match")
        return check

    shop.put("key", b"old")
    shop.put("key", b"new", precondition=only(md5(b"old")))
    assert shop.get("key") == b"new"
    with pytest.raises(PreconditionFailed):
        shop.delete("key", precondition=only(md5(b"old")))
    assert shop.delete("key", precondition=only(md5(b"new")))
    assert shop.tree() == set()


def test_what_the_condition_wants_vanishes_with_its_directory(shop: Shop) -> None:
    def only_there(there: ObjectInfo | None) -> None:
        if there is None:
            raise PreconditionFailed("If-Match")
        shop.delete("dir/key")

    shop.put("dir/key", b"old")
    with pytest.raises(PreconditionFailed):
        shop.put("dir/key", b"new", precondition=only_there)
    assert shop.tree() == set()


def test_content_of_a_key_with_a_slash_is_deleted_under_a_condition(shop: Shop) -> None:
    shop.put("dir/", b"content")
    with pytest.raises(PreconditionFailed):
        shop.delete("dir/", precondition=refuse)
    assert shop.get("dir/") == b"content"
    assert shop.delete("dir/", precondition=lambda _there: None)
    assert shop.tree() == set()


def test_early_refusal_does_not_touch_the_body(shop: Shop, backend: WebHdfsBackend) -> None:
    def untouched() -> Iterator[bytes]:
        pytest.fail("the body was read")
        yield b""

    shop.put("dir/key", b"x")
    with pytest.raises(NameTaken):
        shop.put("dir", untouched(), early=True)
    bob = shop.store_of(backend.as_user("bob"))
    with pytest.raises(AccessDenied):
        bob.put(shop.bucket, "dir/key", untouched(), ObjectMeta, early=True)
    assert shop.get("dir/key") == b"x"


# --- names that files and directories contend for


def test_a_file_or_directory_in_the_way(shop: Shop) -> None:
    shop.put("dir/file", b"x")
    shop.put("dir/marker/", b"")
    shop.fs.mkdirs(shop.at("made"), "755")
    for key in ("dir", "dir/file/below", "dir/file/be/low", "dir/file/", "dir/marker", "made"):
        with pytest.raises(NameTaken):
            shop.put(key, b"content")
    with pytest.raises(NameTaken):
        shop.put("dir/file/", b"")
    assert shop.tree() == {"dir/", "dir/file", "dir/marker/", "made/"}


@pytest.mark.parametrize("options", [{}, {"precondition": only_new}, {"early": True}])
def test_an_empty_implied_directory_gives_way(shop: Shop, options: dict[str, Any]) -> None:
    shop.fs.mkdirs(shop.at("key"), "755")
    shop.fs.set_xattr(shop.at("key"), IMPLIED, b"1", exists=None)
    shop.put("key", b"content", **options)
    assert shop.get("key") == b"content"
    assert shop.tree() == {"key"}


# --- directories that come and go


def test_implied_directories_go_with_the_last_object(shop: Shop) -> None:
    shop.put("a/b/c/one", b"1")
    shop.put("a/b/two", b"2")
    assert shop.delete("a/b/c/one")
    assert shop.tree() == {"a/", "a/b/", "a/b/two"}
    assert shop.delete("a/b/two")
    assert shop.tree() == set()
    assert not shop.delete("a/b/two")


def test_directories_that_somebody_made_stay(shop: Shop) -> None:
    shop.fs.mkdirs(shop.at("made"), "755")
    shop.put("made/implied/key", b"x")
    shop.delete("made/implied/key")
    assert shop.tree() == {"made/"}
    assert shop.info("made/").meta == ObjectMeta(EMPTY_MD5)
    assert shop.delete("made/")
    assert shop.tree() == set()


def test_what_others_put_into_an_implied_directory_keeps_it(shop: Shop) -> None:
    shop.put("dir/key", b"x")
    shop.fs.mkdirs(shop.at("dir", "theirs"), "755")
    shop.delete("dir/key")
    assert shop.tree() == {"dir/", "dir/theirs/"}
    assert shop.delete("dir/theirs/")
    assert shop.tree() == set()


def test_a_marker_stays_until_its_key_is_deleted(shop: Shop) -> None:
    put = shop.put("a/dir/", b"", META)
    assert put.meta == replace(META, etag=EMPTY_MD5)
    assert shop.info("a/dir/") == put
    assert put.size == 0
    assert shop.read(put) == b""
    shop.put("a/dir/key", b"x")
    shop.delete("a/dir/key")
    assert shop.tree() == {"a/", "a/dir/"}
    assert shop.info("a/dir/").meta == put.meta
    assert shop.delete("a/dir/")
    assert not shop.delete("a/dir/")
    assert shop.tree() == set()


def test_a_deleted_marker_with_objects_below_is_an_implied_directory(shop: Shop) -> None:
    shop.put("dir/", b"", META)
    shop.put("dir/key", b"x")
    assert shop.delete("dir/")
    with pytest.raises(NoSuchKey):
        shop.info("dir/")
    assert not shop.delete("dir/")
    assert shop.get("dir/key") == b"x"
    shop.delete("dir/key")
    assert shop.tree() == set()


def test_an_implied_directory_becomes_a_marker(shop: Shop) -> None:
    shop.put("dir/key", b"x")
    with pytest.raises(NoSuchKey):
        shop.info("dir/")
    shop.put("dir/", b"", META, precondition=only_new)
    with pytest.raises(PreconditionFailed):
        shop.put("dir/", b"", precondition=only_new)
    shop.delete("dir/key")
    assert shop.info("dir/").meta == replace(META, etag=EMPTY_MD5)
    assert shop.tree() == {"dir/"}


def test_a_key_with_a_slash_at_its_end_can_have_content(shop: Shop) -> None:
    shop.put("dir/", b"", META)
    put = shop.put("dir/", b"content", META)
    assert shop.info("dir/") == put
    assert shop.get("dir/") == b"content"
    assert [entry.key for entry in shop.store.list(shop.bucket).entries] == ["dir/"]
    shop.put("dir/", b"")
    assert shop.info("dir/").meta == ObjectMeta(EMPTY_MD5)
    assert shop.tree() == {"dir/"}
    shop.put("dir/", b"again")
    assert shop.delete("dir/")
    assert shop.tree() == set()


# --- what others do behind the gateway


def test_files_of_others_are_objects(shop: Shop) -> None:
    shop.fs.create(shop.at("theirs"), [b"content"])
    info = shop.info("theirs")
    assert info.meta == ObjectMeta(derived_etag(info.status))
    assert info.meta.etag.endswith("-1")
    shop.fs.create(shop.at("empty"), [])
    assert shop.info("empty").meta.etag == EMPTY_MD5


def test_a_file_changed_behind_the_gateway_has_nothing_stale(shop: Shop) -> None:
    etags = {shop.put("key", b"one", META).meta.etag}

    def check(content: bytes) -> None:
        info = shop.info("key")
        assert shop.read(info) == content
        assert info.meta == ObjectMeta(derived_etag(info.status))
        assert info.meta.etag not in etags
        etags.add(info.meta.etag)
        listed = shop.store.list(shop.bucket).entries[0]
        assert listed.etag == info.meta.etag

    shop.fs.append(shop.at("key"), [b"two"])
    check(b"onetwo")
    shop.put("key", b"three", META)
    shop.fs.create(shop.at("key"), [b"four!"], overwrite=True)
    check(b"four!")
    shop.put("key", b"five", META)
    shop.fs.set_times(shop.at("key"), 1_000_000_000_000, None)
    check(b"five")


def test_a_renamed_object_keeps_what_it_has_and_a_copy_of_others_does_not(shop: Shop) -> None:
    put = shop.put("key", b"content", META)
    shop.fs.rename(shop.at("key"), shop.at("moved"))
    assert shop.info("moved").meta == put.meta
    record = shop.fs.xattrs(shop.at("moved"))[OBJECT]
    shop.fs.create(shop.at("copy"), [b"content"])
    shop.fs.set_xattr(shop.at("copy"), OBJECT, record, exists=None)
    assert shop.info("copy").meta.user == {}


def test_garbage_in_the_xattr_is_as_good_as_none(shop: Shop) -> None:
    shop.put("key", b"content", META)
    shop.fs.set_xattr(shop.at("key"), OBJECT, b"\xff\x00nonsense", exists=None)
    info = shop.info("key")
    assert info.meta == ObjectMeta(derived_etag(info.status))


def test_an_object_replaced_between_two_questions_is_told_whole(shop: Shop) -> None:
    def replaced(*_: object) -> None:
        shop.seen.before.clear()
        other.put(shop.bucket, "key", [b"new!"], lambda: ObjectMeta(md5(b"new!")))

    shop.put("key", b"old", META)
    other = shop.store_of(shop.fs)
    shop.seen.before["xattrs"] = replaced
    assert shop.info("key").meta == ObjectMeta(md5(b"new!"))


def test_a_replaced_version_is_gone_and_never_mixed(shop: Shop) -> None:
    old = shop.put("key", b"old")
    shop.put("key", b"new")
    with pytest.raises(PathNotFound):
        shop.read(old)


def test_the_old_content_is_read_to_its_end(shop: Shop) -> None:
    old = shop.put("key", BIG)
    source = shop.store.open(old, ByteRange(0, old.size))
    with contextlib.closing(source):
        read = [source.read(1000)]
        shop.put("key", b"new")
        with contextlib.suppress(NotFound):
            read.extend(iter(lambda: source.read(1 << 16), b""))
    assert BIG.startswith(b"".join(read))


# --- copy and metadata


def test_a_copy_has_the_content_and_what_is_said_of_it(shop: Shop) -> None:
    source = shop.put("key", BIG, META)
    source = source._replace(meta=replace(
        source.meta, etag=f"{md5(b'')}-7", part_sizes=(1, 2), upload="id",
        checksums={"CRC32": "x-7"}, checksum_type="COMPOSITE"))
    seen: list[ObjectMeta] = []

    def describe(meta: ObjectMeta) -> ObjectMeta:
        seen.append(meta)
        return replace(meta, user={"new": "yes"})

    copied = shop.store.copy(source, shop.bucket, "dir/copy", describe)
    assert seen == [replace(META, etag=md5(BIG), checksums={})]
    assert shop.info("dir/copy") == copied
    assert copied.meta.user == {"new": "yes"}
    assert shop.get("dir/copy") == BIG
    assert shop.get("key") == BIG


def test_a_copy_keeps_checksums_of_the_whole(shop: Shop) -> None:
    source = shop.put("key", b"x", META)
    copied = shop.store.copy(source, shop.bucket, "copy", lambda meta: meta)
    assert copied.meta == source.meta


def test_a_copy_onto_itself_changes_what_is_kept_and_no_byte(shop: Shop) -> None:
    for key in ("key", "dir/", "with/"):
        source = shop.put(key, b"x" if key == "with/" else b"", META)
        copied = shop.store.copy(source, shop.bucket, key,
                                 lambda meta: replace(meta, user={"n": "1"}))
        found = shop.info(key)
        assert found == copied
        assert found.meta == replace(source.meta, user={"n": "1"})
        assert found.status.file_id == source.status.file_id
        assert found.status.modification_time == source.status.modification_time


def test_a_copy_under_a_condition(shop: Shop) -> None:
    source = shop.put("key", b"x")
    shop.put("there", b"old")
    for key in ("key", "there"):
        with pytest.raises(PreconditionFailed):
            shop.store.copy(source, shop.bucket, key, lambda meta: meta, precondition=only_new)
    assert shop.get("there") == b"old"


def test_metadata_is_changed_at_once(shop: Shop) -> None:
    shop.put("key", b"x", META)
    changed = shop.store.set_meta(
        shop.bucket, "key", lambda meta: replace(meta, tags={"only": "this"}))
    assert shop.info("key") == changed
    assert changed.meta == replace(META, etag=md5(b"x"), tags={"only": "this"})
    shop.fs.create(shop.at("theirs"), [b"x"])
    etag = shop.info("theirs").meta.etag
    shop.store.set_meta(shop.bucket, "theirs", lambda meta: replace(meta, tags={"a": "b"}))
    assert shop.info("theirs").meta == ObjectMeta(etag, tags={"a": "b"})
    with pytest.raises(NoSuchKey):
        shop.store.set_meta(shop.bucket, "none", lambda meta: meta)


def test_metadata_goes_to_the_version_that_was_looked_at(shop: Shop) -> None:
    def replaced(*_: object) -> None:
        shop.seen.before.clear()
        other.put(shop.bucket, "key", [b"new!"], lambda: ObjectMeta(md5(b"new!")))

    shop.put("key", b"old", META)
    other = shop.store_of(shop.fs)
    shop.seen.before["set_xattr"] = replaced
    shop.store.set_meta(shop.bucket, "key", lambda meta: replace(meta, tags={"a": "b"}))
    assert shop.info("key").meta == ObjectMeta(md5(b"new!"), tags={"a": "b"})


# --- who may


def test_a_reader_changes_nothing(shop: Shop) -> None:
    info = shop.put("dir/key", b"x")
    shop.put("dir/", b"")
    before = shop.tree()
    reader = shop.store_of(read_only=True)
    assert reader.info(shop.bucket, "dir/key") == info
    for work in (lambda: reader.put(shop.bucket, "new", [b"x"], ObjectMeta),
                 lambda: reader.put(shop.bucket, "new/", [], ObjectMeta),
                 lambda: reader.delete(shop.bucket, "dir/key"),
                 lambda: reader.delete(shop.bucket, "dir/"),
                 lambda: reader.delete(shop.bucket, "none"),
                 lambda: reader.copy(info, shop.bucket, "copy", lambda meta: meta),
                 lambda: reader.copy(info, shop.bucket, "dir/key", lambda meta: meta),
                 lambda: reader.set_meta(shop.bucket, "dir/key", lambda meta: meta),
                 lambda: reader.create_bucket("another"),
                 lambda: reader.delete_bucket(shop.bucket),
                 lambda: reader.set_bucket_record(shop.bucket, {"a": "b"})):
        with pytest.raises(ReadOnlyPrincipal):
            work()
    assert shop.tree() == before


def test_buckets_of_a_confined_user_are_inside_their_root(shop: Shop) -> None:
    shop.put("inner/key", b"x")
    confined = shop.store_of(root=shop.path, bucket_root=HdfsPath("/"))
    assert [bucket.name for bucket in confined.buckets()] == ["inner"]
    assert confined.info("inner", "key").path == shop.at("inner", "key")
    for name in ("..", ".", "a/b", "", "a:..:b", ".httpfs-proxy-x"):
        with pytest.raises(InvalidRequest):
            confined.info(name, "key")
    confined.put("inner", "../../key", [b"x"], ObjectMeta)
    assert f"inner/{DOT * 2}/{DOT * 2}/key" in shop.tree()


def test_who_may_not_read_an_object_is_told_so(shop: Shop, backend: WebHdfsBackend) -> None:
    shop.put("key", b"x")
    shop.fs.set_permission(shop.at("key"), "600")
    bob = shop.store_of(backend.as_user("bob"))
    with pytest.raises(AccessDenied):
        bob.info(shop.bucket, "key")
    listed = bob.list(shop.bucket).entries[0]
    assert listed.etag == derived_etag(shop.info("key").status)
    with pytest.raises(AccessDenied):
        bob.delete(shop.bucket, "key")
    with pytest.raises(AccessDenied):
        bob.put(shop.bucket, uuid.uuid4().hex, [b"x"], ObjectMeta)
    assert shop.tree() == {"key"}


def test_a_file_that_cannot_be_placed_leaves_no_directories(shop: Shop) -> None:
    file = shop.at(".httpfs-proxy-upload-x", "object")
    shop.fs.create(file, [b"x"])
    with pytest.raises(PreconditionFailed):
        shop.store.place_file(file, shop.bucket, "new/dir/key", refuse)
    assert shop.tree() == {".httpfs-proxy-upload-x/", ".httpfs-proxy-upload-x/object"}
    with pytest.raises(PathNotFound):
        shop.store.place_file(HdfsPath(f"{file}-not"), shop.bucket, "new/dir/key")
    assert shop.store.place_file(file, shop.bucket, "new/dir/key") == shop.at("new/dir/key")
    assert shop.get("new/dir/key") == b"x"
    assert shop.delete("new/dir/key")
    assert shop.tree() == {".httpfs-proxy-upload-x/"}


def test_a_condition_in_no_bucket_is_about_the_bucket(shop: Shop) -> None:
    with pytest.raises(NoSuchBucket):
        shop.store.put("no-bucket", "key", [b"x"], ObjectMeta, precondition=refuse)
    with pytest.raises(NoSuchBucket):
        shop.store.delete("no-bucket", "key", precondition=refuse)
