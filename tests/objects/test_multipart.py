"""Multipart uploads over each kind of backend: what they say, keep, refuse and leave behind."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

import pytest

from app.core.errors import (
    AccessDenied,
    InvalidParameter,
    InvalidRequest,
    PreconditionFailed,
    ReadOnlyPrincipal,
)
from app.core.object_errors import (
    InvalidKey,
    InvalidPart,
    InvalidPartOrder,
    MalformedDocument,
    NoSuchBucket,
    NoSuchUpload,
    PartTooSmall,
)
from app.core.objects import ObjectMeta, PartClaim
from app.core.paths import child_of
from app.fs.port import AclChange
from app.fs.upload_layout import directory_of, record_path
from tests.fs.conftest import backend, closing, settings_and_server, staging  # noqa: F401
from tests.objects.multipart_world import (
    BUCKET,
    KEY,
    World,
    claim,
    crc32_text,
    etag_of,
    new_world,
)

if TYPE_CHECKING:
    from app.core.objects import ObjectInfo, Upload
    from app.fs.staging import Staging
    from app.fs.webhdfs import WebHdfsBackend

META = ObjectMeta(headers={"content-type": "text/x"}, user={"colour": "blau \u00fc"},
                  tags={"b": "1", "a": "2"})


@pytest.fixture
def world(backend: WebHdfsBackend, staging: Staging) -> World:  # noqa: F811
    """Return a new bucket of alice's."""
    return new_world(backend.as_user("alice"), staging)


def test_parts_become_an_object(world: World) -> None:
    upload = world.begin(KEY, META)
    contents = b"first " * 1000, b"second " * 1000, b"last"
    info = world.complete(upload, world.fill(upload, *contents))
    found = world.read()
    assert found.content == b"".join(contents)
    assert found.info == info
    assert info.meta.etag == etag_of(*contents)
    assert info.meta.part_sizes == tuple(map(len, contents))
    assert (info.meta.headers, info.meta.user, info.meta.tags) == (
        META.headers, META.user, META.tags)
    assert info.meta.upload == upload.upload_id
    assert info.status.permission == "644"
    assert world.is_clean()


def test_an_id_is_of_letters_and_digits_and_long(world: World) -> None:
    ids = [world.begin().upload_id for _ in range(3)]
    assert len(set(ids)) == 3
    assert all(re.fullmatch("[A-Za-z0-9]{30,}", one) for one in ids)
    assert ids == sorted(ids)


def test_what_began_an_upload_is_told(world: World) -> None:
    upload = world.begin("a:b//../\u00e4 ", META, "CRC32", "")
    assert upload.checksum_type == "COMPOSITE"
    assert world.multipart.upload(BUCKET, "a:b//../\u00e4 ", upload.upload_id) == upload


@pytest.mark.parametrize("key", ["marker/", "a/b//", "a:b/../c d/\u00e4%2F", ".", "\U0001f600"])
def test_keys_that_hdfs_has_other_names_for(world: World, key: str) -> None:
    upload = world.begin(key)
    claims = world.fill(upload, b"one", b"two")
    info = world.complete(upload, claims)
    assert world.read(key) == (info, b"onetwo")
    assert world.complete(upload, claims) == info
    assert world.is_clean()


def test_an_existing_object_is_replaced(world: World) -> None:
    for content in (b"old", b"new and longer"):
        upload = world.begin()
        world.complete(upload, world.fill(upload, content))
        assert world.read().content == content


def test_only_the_parts_named_count(world: World) -> None:
    upload = world.begin()
    claims = world.fill(upload, b"1", b"2", b"3", b"4")
    world.complete(upload, [claims[1], claims[3]])
    assert world.read().content == b"24"
    assert world.is_clean()


def test_of_two_uploads_of_a_part_the_last_counts(world: World) -> None:
    upload = world.begin()
    claims = world.fill(upload, b"one", b"two")
    world.put(upload, 1, b"another one")
    again = world.put(upload, 1, b"the last one")
    listed, _ = world.multipart.parts(BUCKET, KEY, upload.upload_id)
    assert [(part.number, part.size) for part in listed] == [(1, 12), (2, 3)]
    world.complete(upload, [claim(again), claims[1]])
    assert world.read().content == b"the last onetwo"


def test_an_etag_names_an_older_upload_of_a_part(world: World) -> None:
    upload = world.begin()
    older = world.put(upload, 1, b"older")
    world.put(upload, 1, b"newer")
    world.complete(upload, [claim(older)])
    assert world.read().content == b"older"


def test_the_same_part_with_the_same_content_twice(world: World) -> None:
    upload = world.begin()
    claims = world.fill(upload, b"one", b"two", b"two")
    world.put(upload, 2, b"two")
    world.complete(upload, claims)
    assert world.read().content == b"onetwotwo"


@pytest.mark.parametrize("contents", [
    (b"",), (b"", b""), (b"", b"x"), (b"x", b""), (b"", b"a", b"", b"b", b""),
], ids=["one", "two", "first", "last", "several"])
def test_empty_parts(world: World, contents: tuple[bytes, ...]) -> None:
    upload = world.begin()
    info = world.complete(upload, world.fill(upload, *contents))
    assert world.read().content == b"".join(contents)
    assert info.meta.part_sizes == tuple(map(len, contents))
    assert info.meta.etag == etag_of(*contents)
    assert world.is_clean()


def test_parts_are_listed_page_by_page(world: World) -> None:
    upload = world.begin()
    for number in (7, 2, 10_000, 30):
        world.put(upload, number, b"x" * number)
    told = world.multipart.parts
    page, more = told(BUCKET, KEY, upload.upload_id, limit=2)
    assert ([part.number for part in page], more) == ([2, 7], True)
    page, more = told(BUCKET, KEY, upload.upload_id, after=7, limit=2)
    assert ([part.number for part in page], more) == ([30, 10_000], False)
    assert page[1].size == 10_000
    assert page[1].checksums == {"CRC32": crc32_text(zlib.crc32(b"x" * 10_000))}
    assert page[1].modified > 0
    assert told(BUCKET, KEY, upload.upload_id, after=10_000) == ([], False)


def test_uploads_are_listed_by_key_and_beginning(world: World) -> None:
    keys = ["b", "a", "b", "\U0001f600", "\uffff", "c/d"]
    begun = [world.begin(key) for key in keys]
    told = list(world.multipart.uploads(BUCKET))
    assert [one.key for one in told] == ["a", "b", "b", "c/d", "\uffff", "\U0001f600"]
    assert told[1:3] == [begun[0], begun[2]]
    uploads = world.multipart.uploads
    assert [one.key for one in uploads(BUCKET, prefix="c")] == ["c/d"]
    assert [one.key for one in uploads(BUCKET, after_key="b")] == [
        "c/d", "\uffff", "\U0001f600"]
    assert uploads_after(world, begun[0])[0] == begun[2]
    assert uploads_after(world, begun[2])[0].key == "c/d"


def uploads_after(world: World, upload: Upload) -> list[Upload]:
    return list(world.multipart.uploads(
        BUCKET, after_key=upload.key, after_upload=upload.upload_id))


def test_an_upload_that_is_over_is_not_listed(world: World) -> None:
    done, aborted, going = world.begin("done"), world.begin("aborted"), world.begin("going")
    world.complete(done, world.fill(done, b"x"))
    world.multipart.abort(BUCKET, "aborted", aborted.upload_id)
    assert list(world.multipart.uploads(BUCKET)) == [going]


def test_abort_leaves_nothing(world: World) -> None:
    upload = world.begin()
    claims = world.fill(upload, b"one", b"two")
    world.multipart.abort(BUCKET, KEY, upload.upload_id)
    assert world.is_clean()
    assert world.fs.list_page(world.path).entries == []
    with pytest.raises(NoSuchUpload):
        world.multipart.abort(BUCKET, KEY, upload.upload_id)
    with pytest.raises(NoSuchUpload):
        world.complete(upload, claims)
    with pytest.raises(NoSuchUpload):
        world.put(upload, 1, b"late")
    with pytest.raises(NoSuchUpload):
        world.multipart.parts(BUCKET, KEY, upload.upload_id)
    assert world.is_clean()


def test_complete_again_answers_the_same_object(world: World) -> None:
    upload = world.begin()
    claims = world.fill(upload, b"one", b"two")
    first = world.complete(upload, claims)
    assert world.complete(upload, claims) == first
    other = world.begin()
    world.complete(other, world.fill(other, b"other"))
    with pytest.raises(NoSuchUpload):
        world.complete(upload, claims)
    assert world.read().content == b"other"


# --- checksums


@pytest.mark.parametrize(("given", "kind", "value"), [
    ("COMPOSITE", "COMPOSITE", None),
    ("", "COMPOSITE", None),
    ("FULL_OBJECT", "FULL_OBJECT", crc32_text(zlib.crc32(b"onetwo"))),
])
def test_checksums(world: World, given: str, kind: str, value: str | None) -> None:
    upload = world.begin(KEY, ObjectMeta(), "CRC32", given)
    info = world.complete(upload, world.fill(upload, b"one", b"two"))
    raw = b"".join(zlib.crc32(part).to_bytes(4, "big") for part in (b"one", b"two"))
    assert info.meta.checksum_type == kind
    assert info.meta.checksums == {"CRC32": value or f"{crc32_text(zlib.crc32(raw))}-2"}


def test_what_is_about_to_be_can_be_verified(world: World) -> None:
    upload = world.begin(KEY, ObjectMeta(), "CRC32", "FULL_OBJECT")
    claims = world.fill(upload, b"one", b"two")

    def refuse(meta: ObjectMeta) -> None:
        raise InvalidRequest(meta.checksums["CRC32"])

    with pytest.raises(InvalidRequest, match=re.escape(crc32_text(zlib.crc32(b"onetwo")))):
        world.complete(upload, claims, verify=refuse)
    assert len(world.multipart.parts(BUCKET, KEY, upload.upload_id)[0]) == 2
    world.complete(upload, claims)


# --- refusals


def test_parts_that_do_not_fit_their_claims(world: World) -> None:
    upload = world.begin()
    one, two = world.fill(upload, b"one", b"two")
    for claims, least, error in (
        ([], 0, MalformedDocument),
        ([two, one], 0, InvalidPartOrder),
        ([one, one], 0, InvalidPartOrder),
        ([one, two, two._replace(number=3)], 0, InvalidPart),
        ([one, two._replace(etag=one.etag)], 0, InvalidPart),
        ([one, two._replace(checksums=one.checksums)], 0, InvalidPart),
        ([one, two._replace(checksums={"SHA1": "x"})], 0, InvalidPart),
        ([one, two], 4, PartTooSmall),
    ):
        with pytest.raises(error):
            world.complete(upload, claims, least_part=least)
    quoted = [PartClaim(one.number, f'"{one.etag.upper()}"', {}), two._replace(checksums={})]
    world.complete(upload, quoted, least_part=3)
    assert world.read().content == b"onetwo"


def test_the_last_part_may_be_small(world: World) -> None:
    upload = world.begin()
    claims = world.fill(upload, b"enough", b"x")
    world.complete(upload, claims, least_part=6)
    assert world.read().content == b"enoughx"


def test_once_begun_it_is_completed_with_the_same_parts(world: World) -> None:
    upload = world.begin()
    one, two = world.fill(upload, b"one", b"two")
    seen: list[ObjectInfo | None] = []

    def refuse_second(present: ObjectInfo | None) -> None:
        seen.append(present)
        if len(seen) == 2:
            raise PreconditionFailed("If-Match")

    with pytest.raises(PreconditionFailed):
        world.complete(upload, [one, two], precondition=refuse_second)
    assert list(world.multipart.uploads(BUCKET)) == [upload]
    with pytest.raises(InvalidPart):
        world.complete(upload, [two])
    world.complete(upload, [one, two])
    assert world.read().content == b"onetwo"
    assert world.is_clean()


def test_a_precondition_that_does_not_hold_changes_nothing(world: World) -> None:
    old = world.begin()
    world.complete(old, world.fill(old, b"old"))
    upload = world.begin()
    claims = world.fill(upload, b"new")

    def must_not_exist(present: ObjectInfo | None) -> None:
        if present:
            raise PreconditionFailed("If-None-Match")

    with pytest.raises(PreconditionFailed):
        world.complete(upload, claims, precondition=must_not_exist)
    assert world.read().content == b"old"
    more = claim(world.put(upload, 2, b" more"))
    world.complete(upload, [*claims, more])
    assert world.read().content == b"new more"


def test_unknown_buckets_keys_and_uploads(world: World) -> None:
    upload = world.begin()
    multipart = world.multipart
    with pytest.raises(NoSuchBucket):
        multipart.create("nothing", KEY, ObjectMeta())
    with pytest.raises(NoSuchBucket):
        multipart.upload("nothing", KEY, upload.upload_id)
    with pytest.raises(NoSuchBucket):
        list(multipart.uploads("nothing"))
    for key, upload_id in (("other", upload.upload_id), (KEY, "0" * 44), (KEY, ""), (KEY, ".."),
                           (KEY, f"{upload.upload_id}/open")):
        with pytest.raises(NoSuchUpload):
            multipart.upload(BUCKET, key, upload_id)
        with pytest.raises(NoSuchUpload):
            multipart.abort(BUCKET, key, upload_id)
    with pytest.raises(InvalidKey):
        world.begin("a\0b")


@pytest.mark.parametrize("number", [0, -1, 10_001])
def test_numbers_that_no_part_has(world: World, number: int) -> None:
    upload = world.begin()
    with pytest.raises(InvalidParameter):
        world.put(upload, number, b"x")


@pytest.mark.parametrize(("algorithm", "kind"), [
    ("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE"), ("MD4", "COMPOSITE"),
])
def test_checksums_that_cannot_be(world: World, algorithm: str, kind: str) -> None:
    with pytest.raises(InvalidRequest):
        world.begin(KEY, ObjectMeta(), algorithm, kind)


def test_more_beside_it_than_hdfs_keeps(world: World) -> None:
    with pytest.raises(InvalidRequest):
        world.begin(KEY, ObjectMeta(user={str(i): f"{i * 7919 ** 9:x}" * 3 for i in range(600)}))
    assert world.is_clean()


def test_a_part_that_breaks_leaves_nothing(world: World) -> None:
    upload = world.begin()

    def broken() -> object:
        yield b"x" * 100_000
        raise InvalidRequest("cut short")

    with pytest.raises(InvalidRequest, match="cut short"):
        world.put(upload, 1, broken())  # type: ignore[arg-type]
    assert world.inside(upload) == ["open"]
    assert not list(world.staging.store.scan("staged"))


# --- who may


def test_a_read_only_principal(world: World) -> None:
    upload = world.begin()
    reader = world.over(world.fs, read_only=True).uploads
    with pytest.raises(ReadOnlyPrincipal):
        reader.create(BUCKET, KEY, ObjectMeta())
    with pytest.raises(ReadOnlyPrincipal):
        reader.put_part(BUCKET, KEY, upload.upload_id, 1, [b"x"], lambda: ("", {}))
    with pytest.raises(ReadOnlyPrincipal):
        reader.complete(BUCKET, KEY, upload.upload_id, [])
    with pytest.raises(ReadOnlyPrincipal):
        reader.abort(BUCKET, KEY, upload.upload_id)
    assert reader.upload(BUCKET, KEY, upload.upload_id) == upload


def test_who_may_not_write_the_bucket(
    world: World, backend: WebHdfsBackend,  # noqa: F811
) -> None:
    bob = World(backend.as_user("bob"), world.staging, world.root)
    with pytest.raises(AccessDenied):
        bob.begin()
    upload = world.begin()
    claims = world.fill(upload, b"one", b"two")
    for act in (lambda: bob.put(upload, 1, b"x"), lambda: bob.complete(upload, claims),
                lambda: bob.multipart.abort(BUCKET, KEY, upload.upload_id)):
        with pytest.raises(AccessDenied):
            act()
    world.complete(upload, claims)
    assert world.read().content == b"onetwo"
    assert world.is_clean()


@pytest.mark.parametrize("shared", ["mode", "acl"])
def test_who_may_write_the_bucket_goes_on_with_anothers_upload(
    world: World, backend: WebHdfsBackend, shared: str,  # noqa: F811
) -> None:
    if shared == "mode":
        world.fs.set_permission(world.path, "777")
    else:
        world.fs.change_acl(world.path, AclChange.MODIFY, "user:bob:rwx")
    bob = World(backend.as_user("bob"), world.staging, world.root)
    upload = world.begin("key")
    claims = world.fill(upload, b"one")
    claims.append(claim(bob.put(upload, 2, b"two")))
    assert list(bob.multipart.uploads(BUCKET)) == [upload]
    bob.complete(upload, claims)
    assert bob.read("key").content == b"onetwo"
    assert world.is_clean()
    other = world.begin("key")
    world.put(other, 1, b"x")
    bob.multipart.abort(BUCKET, "key", other.upload_id)
    assert world.is_clean()


def test_a_sticky_bucket_keeps_uploads_apart(
    world: World, backend: WebHdfsBackend,  # noqa: F811
) -> None:
    world.fs.set_permission(world.path, "1777")
    bob = World(backend.as_user("bob"), world.staging, world.root)
    upload, own = world.begin(), bob.begin("bobs")
    with pytest.raises(AccessDenied):
        bob.multipart.abort(BUCKET, KEY, upload.upload_id)
    bob.complete(own, bob.fill(own, b"x"))
    assert bob.read("bobs").content == b"x"


def test_uploads_that_may_not_be_read_are_left_out(
    world: World, backend: WebHdfsBackend,  # noqa: F811
) -> None:
    upload, other = world.begin("a"), world.begin("b")
    directory = directory_of(world.path, upload.upload_id)
    world.fs.set_permission(record_path(directory), "700")
    bob = World(backend.as_user("bob"), world.staging, world.root)
    assert list(bob.multipart.uploads(BUCKET)) == [other]
    assert list(world.multipart.uploads(BUCKET)) == [upload, other]


def test_uploads_under_way_do_not_keep_a_bucket(world: World) -> None:
    upload = world.begin()
    claims = world.fill(upload, b"one")
    world.objects.delete_bucket(BUCKET)
    with pytest.raises(NoSuchBucket):
        world.complete(upload, claims)
    with pytest.raises(NoSuchBucket):
        world.put(upload, 2, b"two")


def test_an_upload_is_no_object(world: World) -> None:
    upload = world.begin()
    world.fill(upload, b"one")
    assert world.objects.list(BUCKET).entries == []


def test_other_hidden_names_are_no_uploads(world: World) -> None:
    world.fs.mkdirs(child_of(world.path, ".httpfs-proxy-upload-x"))
    world.fs.mkdirs(child_of(world.path, ".httpfs-proxy-uploads"))
    world.fs.mkdirs(child_of(world.path, f".httpfs-proxy-upload-{'0' * 44}"))
    world.fs.mkdirs(child_of(world.path, "visible"))
    upload = world.begin()
    assert list(world.multipart.uploads(BUCKET)) == [upload]
