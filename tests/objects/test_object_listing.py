"""Pages of a bucket: each key once, with the ETag that HEAD tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.core.errors import AccessDenied
from app.core.objects import Entry
from app.fs.object_meta import EMPTY_MD5, IMPLIED
from tests.objects.shop import md5

if TYPE_CHECKING:
    from app.fs.webhdfs import WebHdfsBackend
    from tests.objects.shop import Shop

KEYS = ["a/1", "a/b/2", "a-b", "a.b", "a:b", "b//c", "d/", "e/f/", "ü", "😀"]


def keys_of(shop: Shop, **options: object) -> list[str]:
    """Return all keys of all pages."""
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = shop.store.list(shop.bucket, after=after, **options)  # type: ignore[arg-type]
        found.extend(entry.key for entry in page.entries)
        after = page.next_after
    return found


@pytest.fixture
def filled(shop: Shop) -> Shop:
    for key in KEYS:
        shop.put(key, b"" if key.endswith("/") else key.encode())
    return shop


@pytest.mark.parametrize("limit", [1, 3, len(KEYS), 1000])
def test_all_keys_in_order_whatever_a_page_holds(filled: Shop, limit: int) -> None:
    assert keys_of(filled, limit=limit) == sorted(KEYS, key=str.encode)
    assert keys_of(filled, limit=limit, delimiter="/") == [
        "a-b", "a.b", "a/", "a:b", "b/", "d/", "e/", "ü", "😀"]
    assert keys_of(filled, limit=limit, prefix="a/") == ["a/1", "a/b/2"]


def test_a_full_last_page_says_that_it_is_the_last(filled: Shop) -> None:
    page = filled.store.list(filled.bucket, limit=len(KEYS))
    assert len(page.entries) == len(KEYS)
    assert page.next_after is None


def test_etags_are_those_of_the_objects(filled: Shop) -> None:
    filled.fs.create(filled.at("theirs"), [b"x"])
    filled.fs.create(filled.at("void"), [])
    for store in (filled.store, filled.store_of()):
        entries = store.list(filled.bucket).entries
        assert {entry.key: entry.etag for entry in entries} == {
            entry.key: filled.info(entry.key).meta.etag for entry in entries}
    etags = {entry.key: entry.etag for entry in entries}
    assert etags["a:b"] == md5(b"a:b")
    assert etags["d/"] == etags["void"] == EMPTY_MD5
    assert etags["theirs"].endswith("-1")


def test_a_common_prefix_is_no_object(filled: Shop) -> None:
    page = filled.store.list(filled.bucket, delimiter="/", prefix="a/")
    assert page.entries[1] == Entry("a/b/", None)
    assert page.entries[0].status == filled.info("a/1").status._replace(path_suffix="1")


def test_an_empty_implied_directory_is_no_key_and_others_are(shop: Shop) -> None:
    for name in ("implied", "made"):
        shop.fs.mkdirs(shop.at(name), "755")
    shop.fs.set_xattr(shop.at("implied"), IMPLIED, b"1", exists=None)
    assert keys_of(shop) == ["made/"]
    assert keys_of(shop, delimiter="/") == ["made/"]


def test_a_directory_that_may_not_be_listed_is_no_silent_hole(
    shop: Shop, backend: WebHdfsBackend,
) -> None:
    shop.put("dir/key", b"x")
    shop.fs.set_permission(shop.at("dir"), "700")
    bob = shop.store_of(backend.as_user("bob"))
    for prefix in ("", "dir/"):
        with pytest.raises(AccessDenied) as raised:
            bob.list(shop.bucket, prefix=prefix)
        assert raised.value.path == shop.at("dir")


def test_what_is_staged_is_not_listed(shop: Shop) -> None:
    seen: list[list[str]] = []

    def body() -> object:
        yield bytes(1 << 17)
        seen.append(keys_of(shop))

    shop.put("dir/key", body())  # type: ignore[arg-type]
    shop.put("new/dir/key", body())  # type: ignore[arg-type]
    assert seen == [[], ["dir/key"]]
    assert keys_of(shop) == ["dir/key", "new/dir/key"]
