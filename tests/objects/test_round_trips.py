"""How often HDFS is asked: round trips are speed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.core.object_errors import NoSuchUpload
from app.core.objects import ObjectMeta, PartClaim
from app.fs.object_listing import AT_ONCE

if TYPE_CHECKING:
    from tests.objects.shop import Shop

Calls = dict[str, int]
WRITTEN = {"create": 1, "status": 2, "set_xattr": 1, "rename": 1}
"""Which directory, the file's version for its record, and what cannot be fewer."""
IN_STEPS = {**WRITTEN, "status": 4}
"""A server that cannot replace: whether there is something, and whether it went where it should."""
REPLACED = {**WRITTEN, "status": 5, "rename": 2, "delete": 1}


def allow(_there: object) -> None:
    """Have a precondition that holds."""


def check(shop: Shop, calls: Calls, atomic: Calls, in_steps: Calls) -> None:
    assert calls == (atomic if shop.fs.flavor.rename_options else in_steps)


@pytest.fixture(autouse=True)
def filled(shop: Shop) -> None:
    shop.put("a/old", b"x")
    shop.put("a/other", b"x")


@pytest.mark.parametrize(("key", "options", "atomic", "in_steps"), [
    ("a/new", {}, WRITTEN, IN_STEPS),
    ("top", {}, WRITTEN, IN_STEPS),
    ("a/old", {}, WRITTEN, REPLACED),
    ("new/dir/key", {}, {**WRITTEN, "status": 4, "set_xattr": 3},
     {**WRITTEN, "mkdirs": 1, "status": 10, "set_xattr": 3, "rename": 2}),
    ("a/new", {"precondition": allow}, {**WRITTEN, "status": 3}, {**IN_STEPS, "status": 5}),
    ("a/old", {"precondition": allow}, {**WRITTEN, "status": 4, "xattrs": 1},
     {**REPLACED, "status": 6, "xattrs": 1}),
    ("a/new", {"early": True}, {**WRITTEN, "status": 3, "check_access": 1},
     {**IN_STEPS, "status": 5, "check_access": 1}),
    ("marker/", {}, {"mkdirs": 1, "status": 3, "set_xattr": 1, "rename": 1},
     {"mkdirs": 1, "status": 6, "set_xattr": 1, "rename": 1}),
])
def test_put(
    shop: Shop, key: str, options: dict[str, Any], atomic: Calls, in_steps: Calls,
) -> None:
    content = b"" if key.endswith("/") else b"content"
    calls = shop.counted(lambda: shop.put(key, content, **options))
    check(shop, calls, atomic, in_steps)


def test_head_and_get(shop: Shop) -> None:
    assert shop.counted(lambda: shop.info("a/old")) == {"status": 1, "xattrs": 1}
    assert shop.counted(lambda: shop.get("a/old")) == {"status": 1, "xattrs": 1, "open": 1}
    shop.put("marker/", b"")
    assert shop.counted(lambda: shop.info("marker/")) == {"status": 1, "xattrs": 1}


def test_changing_metadata(shop: Shop) -> None:
    calls = shop.counted(lambda: shop.store.set_meta(shop.bucket, "a/old", lambda meta: meta))
    assert calls == {"status": 1, "xattrs": 1, "set_xattr": 1}


def test_delete(shop: Shop) -> None:
    shop.put("top", b"x")
    shop.put("b/c/only", b"x")
    assert shop.counted(lambda: shop.delete("top")) == {"status": 1, "delete": 1}
    assert shop.counted(lambda: shop.delete("a/old")) == {"status": 2, "delete": 1}
    assert shop.counted(lambda: shop.delete("none")) == {"status": 2}
    assert shop.counted(lambda: shop.delete("b/c/only")) == {
        "status": 3, "xattrs": 2, "delete": 3}


def test_a_listing_asks_for_an_etag_once_and_for_what_was_put_here_never(shop: Shop) -> None:
    theirs = 3 * AT_ONCE + 1
    for number in range(theirs):
        shop.fs.create(shop.at(f"theirs-{number:02d}"), [b"x"])

    def listed() -> None:
        entries = shop.store.list(shop.bucket).entries
        assert [entry.key for entry in entries] == [
            "a/old", "a/other", *(f"theirs-{number:02d}" for number in range(theirs))]
        assert all(entry.etag for entry in entries)

    once = {"status": 1, "list_page": 2, "xattrs": 1}
    assert shop.counted(listed) == {**once, "xattrs": 1 + theirs}
    assert shop.counted(listed) == once
    shop.fs.append(shop.at("theirs-00"), [b"y"])
    assert shop.counted(listed) == {**once, "xattrs": 2}


def test_a_listing_without_etags_asks_for_none(shop: Shop) -> None:
    shop.fs.create(shop.at("theirs"), [b"x"])
    calls = shop.counted(lambda: shop.store.list(shop.bucket, delimiter="/", etags=False))
    assert calls == {"status": 1, "list_page": 1}


def test_a_part_of_an_upload_that_was_just_looked_up_does_not_ask_for_it_again(shop: Shop) -> None:
    uploads = shop.store.uploads
    begun = uploads.create(shop.bucket, "key", ObjectMeta())
    found = uploads.upload(shop.bucket, "key", begun.upload_id)

    def put(upload: Any, number: int) -> None:
        uploads.put_part(shop.bucket, "key", upload, number, [b"x"], lambda: ("0" * 32, {}))

    once = {"status": 2, "create": 1, "rename": 1}
    assert shop.counted(lambda: put(found, 1)) == once
    assert shop.counted(lambda: put(begun.upload_id, 2)) == {**once, "xattrs": 1}


def test_an_upload_that_is_over_since_it_was_looked_up_takes_no_part(shop: Shop) -> None:
    uploads = shop.store.uploads
    begun = uploads.create(shop.bucket, "key", ObjectMeta())
    found = uploads.upload(shop.bucket, "key", begun.upload_id)
    uploads.abort(shop.bucket, "key", begun.upload_id)
    with pytest.raises(NoSuchUpload):
        uploads.put_part(shop.bucket, "key", found, 1, [b"x"], lambda: ("0" * 32, {}))
    with pytest.raises(NoSuchUpload):
        uploads.complete(shop.bucket, "key", found, [PartClaim(1, "0" * 32, {})])


def test_an_upload_that_was_completed_since_it_was_looked_up_is_answered_as_it_became(
    shop: Shop,
) -> None:
    uploads = shop.store.uploads
    begun = uploads.create(shop.bucket, "key", ObjectMeta())
    found = uploads.upload(shop.bucket, "key", begun.upload_id)
    part = uploads.put_part(shop.bucket, "key", found, 1, [b"x"], lambda: ("0" * 32, {}))
    claims = [PartClaim(1, part.etag, {})]
    first = uploads.complete(shop.bucket, "key", begun.upload_id, claims)
    assert uploads.complete(shop.bucket, "key", found, claims).meta.etag == first.meta.etag
