"""The checksums of an object's parts: kept where they fit, told of this version and no other."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import zlib
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.model import FileStatus, FileType
from app.core.objects import ObjectMeta
from app.core.paths import child_of
from app.fs import part_checksums
from app.fs.object_meta import MAX_RECORD, OBJECT, decode, derived_etag, encode
from app.fs.part_checksums import NAME, RECORD_OCTETS
from app.fs.upload_layout import directory_of, part_name
from tests.fs.conftest import backend, closing, settings_and_server, staging  # noqa: F401
from tests.objects.multipart_world import (
    BUCKET,
    KEY,
    World,
    Wrapped,
    claim,
    crc32_text,
    new_world,
)

if TYPE_CHECKING:
    from app.core.objects import Upload
    from app.fs.staging import Staging
    from app.fs.webhdfs import WebHdfsBackend

FILE = FileStatus(FileType.FILE, "", "644", 5, 1, 1, 1000, "alice", "staff", 1, 17)
ETAG = "0123456789abcdef0123456789abcdef"
OCTETS = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32,
          "SHA512": 64, "MD5": 16, "XXHASH64": 8, "XXHASH3": 8, "XXHASH128": 16}
CONTENTS = b"first", b"the second", b""


@pytest.fixture
def world(backend: WebHdfsBackend, staging: Staging) -> World:  # noqa: F811
    """Return a new bucket of alice's."""
    return new_world(backend.as_user("alice"), staging)


def meta_of(kind: str, count: int, **fields: Any) -> ObjectMeta:
    """Return the meta of an object of so many parts, all of another checksum."""
    chance = random.Random(count)
    sums = tuple(base64.b64encode(chance.randbytes(OCTETS[kind])).decode() for _ in range(count))
    return ObjectMeta(f"{ETAG}-{count}", {kind: "some"}, part_sizes=(7,) * count, upload="id",
                      **{"part_checksums": sums, **fields})


def kept(meta: ObjectMeta) -> ObjectMeta:
    """Return what is read of a file that this was written to."""
    xattrs = part_checksums.to_xattrs(meta)
    assert len(xattrs) <= 8
    assert all(len(name) + len(value) <= 16_384 for name, value in xattrs.items())
    found = decode(encode(meta, FILE), FILE)
    return replace(found, part_checksums=part_checksums.from_xattrs(xattrs, found))


# --- the record and the xattrs


@given(st.sampled_from(sorted(OCTETS)), st.integers(1, 700))
def test_what_is_kept_is_what_is_told(kind: str, count: int) -> None:
    meta = meta_of(kind, count)
    assert kept(meta) == meta
    raw_octets = OCTETS[kind] * count
    assert bool(part_checksums.to_xattrs(meta)) == (raw_octets > RECORD_OCTETS)
    assert len(encode(meta, FILE)) < 250 + raw_octets * 1.05, "hardly more than the raw bytes"


@pytest.mark.parametrize(("kind", "most"), [
    ("CRC32", 10_000), ("CRC64NVME", 10_000), ("SHA1", 6_000), ("SHA256", 3_750),
    ("SHA512", 1_875), ("MD5", 7_500), ("XXHASH64", 10_000), ("XXHASH3", 10_000),
    ("XXHASH128", 7_500)])
def test_as_many_as_fit(kind: str, most: int) -> None:
    meta = meta_of(kind, most)
    assert part_checksums.keepable(kind, meta.part_checksums) == meta.part_checksums
    assert kept(meta) == meta


@pytest.mark.parametrize(("kind", "count"), [
    ("SHA1", 6_001), ("SHA256", 3_751), ("SHA512", 1_876), ("MD5", 7_501)])
def test_more_than_fit_are_left_out_and_nothing_else(kind: str, count: int) -> None:
    meta = meta_of(kind, count)
    assert part_checksums.keepable(kind, meta.part_checksums) == ()
    assert kept(meta) == replace(meta, part_checksums=())


@pytest.mark.parametrize("values", [
    [], ["", "AAAAAA=="], ["AAAAAA==", "!"], ["AAAAAA==", "AAAAAAAA"], ["AAAAAA==", "\u00fc"],
])
def test_all_parts_have_one_or_none_is_kept(values: list[str]) -> None:
    assert part_checksums.keepable("CRC32", values) == ()


@pytest.mark.parametrize("change", [
    {"etag": ETAG}, {"etag": f"{ETAG}-2"}, {"upload": ""}, {"checksums": {}},
    {"checksums": {"SHA1": "some"}}, {"checksums": {"CRC32": "some", "SHA1": "some"}},
])
@pytest.mark.parametrize("count", [3, 600])
def test_they_count_for_the_object_that_was_made_of_these_parts(
    change: dict[str, Any], count: int,
) -> None:
    meta = meta_of("CRC32", count)
    other = replace(meta, **change)
    assert decode(encode(other, FILE), FILE).part_checksums == ()
    read = replace(other, part_checksums=())
    assert part_checksums.from_xattrs(part_checksums.to_xattrs(meta), read) == ()


def test_without_the_sizes_of_the_parts_nobody_is_told() -> None:
    for count in (3, 600):
        meta = meta_of("CRC32", count)
        xattrs = part_checksums.to_xattrs(meta)
        read = decode(encode(replace(meta, part_sizes=()), FILE), FILE)
        assert part_checksums.from_xattrs(xattrs, read) == ()


def test_a_full_record_goes_without_them() -> None:
    noise = random.Random(1).randbytes(13_000)
    user = {"key": base64.b64encode(noise).decode()}
    meta = meta_of("SHA256", 64, user=user)
    raw = encode(meta, FILE)
    assert len(raw) <= MAX_RECORD
    assert decode(raw, FILE) == replace(meta, part_checksums=())


@pytest.mark.parametrize("text", [5, ["AAAA"], "!", "AAAA", "AAAAAA==", "\u00fc", {"a": 1}])
def test_what_others_made_up_is_as_good_as_none(text: Any) -> None:
    data = {"of": [17, 5, 1000], "etag": f"{ETAG}-2", "upload": "id", "parts": [[7, 2]],
            "sums": {"CRC32": "some"}, "part-sums": text}
    assert decode(json.dumps(data).encode(), FILE) == ObjectMeta(derived_etag(FILE))


@given(st.dictionaries(st.sampled_from([f"{NAME}{i}" for i in range(9)]), st.binary(max_size=99)))
def test_xattrs_of_others_do_not_break_the_reader(xattrs: dict[str, bytes]) -> None:
    meta = meta_of("CRC32", 3, part_checksums=())
    assert len(part_checksums.from_xattrs(xattrs, meta)) in {0, 3}


# --- uploads


def begin(world: World, algorithm: str = "CRC32", of_what: str = "") -> Upload:
    return world.begin(KEY, ObjectMeta(), algorithm, of_what)


def crc32_of(content: bytes) -> str:
    return crc32_text(zlib.crc32(content))


@pytest.mark.parametrize("of_what", ["COMPOSITE", "FULL_OBJECT"])
def test_an_object_keeps_those_of_its_parts(world: World, of_what: str) -> None:
    upload = begin(world, "CRC32", of_what)
    info = world.complete(upload, world.fill(upload, *CONTENTS))
    assert info.meta.part_checksums == tuple(map(crc32_of, CONTENTS))
    assert info.meta.checksum_type == of_what
    assert world.read().info == info


def test_nobody_asked_for_them(world: World) -> None:
    upload = world.begin()
    info = world.complete(upload, world.fill(upload, *CONTENTS))
    assert info.meta.part_checksums == ()
    assert world.read().info == info


def test_only_those_of_the_parts_named(world: World) -> None:
    upload = begin(world)
    claims = world.fill(upload, b"1", b"2", b"3")
    claims[2] = claim(world.put(upload, 3, b"another"))
    info = world.complete(upload, [claims[0], claims[2]])
    assert info.meta.part_checksums == (crc32_of(b"1"), crc32_of(b"another"))


def many(world: World, upload: Upload, count: int) -> tuple[str, ...]:
    """Upload parts that have no content (and so are quick), each with a checksum of its own."""
    directory = directory_of(world.path, upload.upload_id)
    kind, sums = upload.checksum_algorithm, []
    for number in range(1, count + 1):
        raw = hashlib.sha512(b"%d" % number).digest()[:OCTETS[kind]]
        sums.append(base64.b64encode(raw).decode())
        name = part_name(number, f"{number:032x}", {kind: sums[-1]})
        world.fs.create(child_of(directory, name), [b""], permission="644")
    return tuple(sums)


def test_more_than_a_record_holds(world: World) -> None:
    upload = begin(world, "SHA256")
    sums = many(world, upload, 70)
    parts, _ = world.multipart.parts(BUCKET, KEY, upload.upload_id)
    info = world.complete(upload, list(map(claim, parts)))
    assert info.meta.part_checksums == sums
    assert f"{NAME}0" in world.fs.xattrs(info.path)
    assert world.read().info == info
    assert world.is_clean()


def test_hdfs_keeps_as_many_as_may_be(world: World) -> None:
    meta = meta_of("SHA256", 3_750)
    file = child_of(world.path, "file")
    world.fs.create(file, [b""], permission="644")
    for name, value in part_checksums.to_xattrs(meta).items():
        world.fs.set_xattr(file, name, value, exists=None)
    read = replace(meta, part_checksums=())
    assert part_checksums.from_xattrs(world.fs.xattrs(file), read) == meta.part_checksums


def test_reading_them_costs_no_further_call(world: World) -> None:
    counts = []
    for algorithm in ("", "SHA256"):
        upload = begin(world, algorithm)
        if algorithm:
            many(world, upload, 70)
        else:
            world.fill(upload, b"plain")
        parts, _ = world.multipart.parts(BUCKET, KEY, upload.upload_id)
        world.complete(upload, list(map(claim, parts)))
        calls: Counter[str] = Counter()
        counted = Wrapped(world.fs, before=lambda name, _, calls=calls: calls.update([name]))
        world.over(counted).info(BUCKET, KEY)  # type: ignore[arg-type]
        counts.append(calls)
    assert counts[0] == counts[1]


@pytest.mark.parametrize("count", [3, 70])
def test_changed_tags_leave_them_alone(world: World, count: int) -> None:
    upload = begin(world, "SHA256")
    sums = many(world, upload, count)
    parts, _ = world.multipart.parts(BUCKET, KEY, upload.upload_id)
    world.complete(upload, list(map(claim, parts)))
    chance = random.Random(1)
    tags = {f"{i}": "".join(chr(0x4E00 + chance.randrange(20_000)) for _ in range(256))
            for i in range(10)}
    world.objects.set_meta(BUCKET, KEY, lambda meta: replace(meta, tags=tags))
    found = world.read().info.meta
    assert (found.tags, found.part_checksums) == (tags, sums)


@pytest.mark.parametrize("count", [3, 70])
def test_a_file_that_was_changed_behind_it_has_none(world: World, count: int) -> None:
    upload = begin(world, "SHA256")
    many(world, upload, count)
    parts, _ = world.multipart.parts(BUCKET, KEY, upload.upload_id)
    info = world.complete(upload, list(map(claim, parts)))
    world.fs.append(info.path, [b"more"])
    assert world.fs.xattrs(info.path)[OBJECT], "the record is there still"
    changed = world.read().info
    assert changed.meta == ObjectMeta(derived_etag(changed.status))
    world.objects.set_meta(BUCKET, KEY, lambda meta: replace(meta, tags={"a": "b"}))
    assert world.read().info.meta == ObjectMeta(derived_etag(changed.status), tags={"a": "b"})


def test_a_copy_has_no_parts(world: World) -> None:
    for count in (3, 70):
        upload = begin(world, "SHA256")
        many(world, upload, count)
        parts, _ = world.multipart.parts(BUCKET, KEY, upload.upload_id)
        info = world.complete(upload, list(map(claim, parts)))
        world.objects.copy(info, BUCKET, "copy", lambda meta: meta)
        copied = world.read("copy").info.meta
        assert (copied.part_sizes, copied.part_checksums) == ((), ())


class Killed(Exception):
    """Stands for a worker that ends here."""


@pytest.mark.parametrize("call", ["concat", "set_xattr", "rename"])
def test_who_goes_on_after_another_keeps_them_too(world: World, call: str) -> None:
    upload = begin(world)
    claims = world.fill(upload, *CONTENTS)
    planned = []

    def die(name: str, arguments: tuple[Any, ...]) -> None:
        planned.append(name)
        if name == call and "set_xattr" in planned[:-1]:
            raise Killed

    broken = world.over(Wrapped(world.fs, before=die))  # type: ignore[arg-type]
    with pytest.raises(Killed):
        broken.uploads.complete(BUCKET, KEY, upload.upload_id, claims, least_part=0)
    info = world.complete(upload, claims)
    assert info.meta.part_checksums == tuple(map(crc32_of, CONTENTS))
    assert world.read().info == info
