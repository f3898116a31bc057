"""The record beside an object: whole, bounded, and nobody else's."""

from __future__ import annotations

import json
import random
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidRequest
from app.core.model import FileStatus, FileType
from app.core.objects import META_NAME, SYSTEM_HEADERS, ObjectMeta
from app.fs.etags import EtagCache
from app.fs.object_meta import EMPTY_MD5, MAX_RECORD, decode, derived_etag, encode

FILE = FileStatus(FileType.FILE, "", "644", 5, 1, 1, 1000, "alice", "staff", 1, 17)
DIRECTORY = FILE._replace(type=FileType.DIRECTORY, length=0)
ETAG = "0123456789abcdef0123456789abcdef"
words = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40)
maps = st.dictionaries(words, words, max_size=5)
metas = st.builds(
    ObjectMeta, etag=st.sampled_from([ETAG, f"{ETAG}-12"]), checksums=maps,
    checksum_type=st.sampled_from(["FULL_OBJECT", "COMPOSITE"]),
    headers=st.dictionaries(st.sampled_from(SYSTEM_HEADERS), words),
    user=st.dictionaries(st.from_regex(META_NAME, fullmatch=True), words, max_size=5),
    tags=maps, part_sizes=st.lists(st.integers(0, 1 << 40), max_size=20).map(tuple), upload=words)


@given(metas, st.sampled_from([FILE, DIRECTORY]))
def test_what_is_kept_is_what_is_told(meta: ObjectMeta, status: FileStatus) -> None:
    found = decode(encode(meta, status), status)
    assert found == meta
    assert list(found.tags) == list(meta.tags)


@pytest.mark.parametrize("change", [
    {"file_id": 18}, {"length": 6}, {"modification_time": 1001},
])
def test_another_version_has_none_of_it(change: dict[str, int]) -> None:
    raw = encode(ObjectMeta(ETAG, user={"a": "b"}), FILE)
    other = FILE._replace(**change)
    assert decode(raw, other) == ObjectMeta(derived_etag(other))


def test_a_directory_is_told_by_its_id_alone() -> None:
    raw = encode(ObjectMeta(EMPTY_MD5, user={"a": "b"}), DIRECTORY)
    assert decode(raw, DIRECTORY._replace(modification_time=5)).user == {"a": "b"}
    assert decode(raw, DIRECTORY._replace(file_id=5)).user == {}


def test_a_derived_etag_is_of_the_version_and_no_md5() -> None:
    others = [FILE._replace(file_id=2), FILE._replace(length=2),
              FILE._replace(modification_time=2), FILE]
    etags = {derived_etag(status) for status in others}
    assert len(etags) == len(others)
    assert all(len(etag) == 34 and etag.endswith("-1") for etag in etags)
    assert derived_etag(FILE) == derived_etag(FILE._replace(access_time=99, owner="bob"))
    assert derived_etag(FILE._replace(length=0)) == EMPTY_MD5


GARBAGE: list[Any] = [
    {}, {"etag": "x"}, {"etag": 5}, {"etag": ETAG, "user": []},
    {"etag": ETAG, "user": {"a": 1}}, {"etag": ETAG, "user": {"a": "b\r\nSet-Cookie: c"}},
    {"etag": ETAG, "headers": {"a\n": "b"}}, {"etag": ETAG, "tags": [["a"]]},
    {"etag": ETAG, "parts": [[1, 10**9]]}, {"etag": ETAG, "parts": [[-1, 1]]},
    {"etag": ETAG, "parts": [["a", "b"]]}, {"etag": ETAG, "type": "OTHER"},
    {"etag": ETAG, "upload": 5}, {"etag": ETAG, "user": {"a": "\ud800"}}, {"etag": f"{ETAG}\n"},
    {"etag": ETAG, "headers": {"set-cookie": "a=b"}}, {"etag": ETAG, "headers": {"location": "/"}},
    {"etag": ETAG, "user": {"a b": "c"}}, {"etag": ETAG, "user": {"": "c"}},
    {"etag": ETAG, "user": {"Upper": "c"}}, {"etag": ETAG, "parts": [[1.5, 1]]},
]


@pytest.mark.parametrize("data", GARBAGE, ids=str)
def test_what_others_made_up_is_as_good_as_none(data: dict[str, Any]) -> None:
    raw = json.dumps({**data, "of": [17, 5, 1000]}).encode()
    assert decode(raw, FILE) == ObjectMeta(derived_etag(FILE))
    assert decode(zlib.compress(raw), FILE) == ObjectMeta(derived_etag(FILE))


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["of", "etag", "user", "parts", "tags", "sums"]), inner, max_size=4),
).map(lambda value: json.dumps(value).encode()))
def test_nothing_at_all_can_break_the_reader(raw: bytes) -> None:
    assert decode(raw, FILE) == ObjectMeta(derived_etag(FILE))


def test_a_small_record_that_becomes_huge_is_not_read() -> None:
    bomb = zlib.compress(b'{"of":[17,5,1000],"etag":"' + b" " * (50 << 20) + b'"}', 9)
    assert len(bomb) < 1 << 16
    assert decode(bomb, FILE) == ObjectMeta(derived_etag(FILE))


def test_ten_thousand_equal_parts_take_no_room() -> None:
    sizes = (8 << 20,) * 9999 + (5,)
    raw = encode(ObjectMeta(f"{ETAG}-10000", part_sizes=sizes), FILE)
    assert len(raw) < 200
    assert decode(raw, FILE).part_sizes == sizes


def test_sizes_of_parts_that_do_not_fit_are_left_out_and_nothing_else() -> None:
    chance = random.Random(1)
    sizes = tuple(chance.randrange(5 << 20, 5 << 30) for _ in range(10_000))
    meta = ObjectMeta(f"{ETAG}-10000", user={"a": "b"}, part_sizes=sizes)
    raw = encode(meta, FILE)
    assert len(raw) <= MAX_RECORD
    assert decode(raw, FILE) == ObjectMeta(f"{ETAG}-10000", user={"a": "b"})


def test_more_than_hdfs_keeps_is_refused() -> None:
    chance = random.Random(1)
    user = {"key": chance.randbytes(2 * MAX_RECORD).hex()}
    with pytest.raises(InvalidRequest, match="14336"):
        encode(ObjectMeta(ETAG, user=user), FILE)


def test_the_cache_is_bounded_and_knows_users_and_versions() -> None:
    cache = EtagCache(2)
    cache.put("alice", FILE, "one")
    assert cache.get("alice", FILE) == "one"
    assert cache.get("bob", FILE) is None
    assert cache.get("alice", FILE._replace(modification_time=5)) is None
    assert cache.get("alice", FILE._replace(length=6)) is None
    for file_id in (1, 2):
        cache.put("alice", FILE._replace(file_id=file_id), "other")
    assert cache.get("alice", FILE) is None
    assert cache.get("alice", FILE._replace(file_id=2)) == "other"


def test_a_cache_of_nothing_keeps_nothing() -> None:
    cache = EtagCache(0)
    cache.put("alice", FILE, "one")
    assert cache.get("alice", FILE) is None


def test_a_file_without_an_id_is_not_remembered() -> None:
    cache = EtagCache(5)
    cache.put("alice", FILE._replace(file_id=0), "one")
    assert cache.get("alice", FILE._replace(file_id=0)) is None
