"""Renames of objects: all of it goes along, what is there is replaced, races lose nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import AccessDenied, ReadOnlyPrincipal
from app.core.object_errors import InvalidKey, NameTaken, NoSuchBucket, NoSuchKey
from app.core.objects import ObjectMeta

if TYPE_CHECKING:
    from tests.objects.shop import Shop

META = ObjectMeta(headers={"content-type": "text/plain"}, user={"a": "b"}, tags={"c": "d"})


def rename(shop: Shop, key: str, to: str) -> None:
    """Rename an object of the shop's bucket."""
    shop.store.rename(shop.bucket, key, to)


def once(shop: Shop, call: str, act: Any) -> None:
    """Have `act` done before the next such call, by somebody else."""

    def before(*_: Any) -> None:
        del shop.seen.before[call]
        act()

    shop.seen.before[call] = before


@pytest.mark.parametrize("to", ["other", "new/deep/key", "dir/beside", "a:b//..", "ends/"])
def test_all_goes_along_and_nothing_is_left(shop: Shop, to: str) -> None:
    before = shop.put("dir/key", b"content", META)
    rename(shop, "dir/key", to)
    after = shop.info(to)
    assert (shop.read(after), after.meta) == (b"content", before.meta)
    assert after.status.file_id == before.status.file_id
    with pytest.raises(NoSuchKey):
        shop.info("dir/key")
    shop.delete(to)
    assert shop.tree() == set()


def test_what_is_there_is_replaced(shop: Shop) -> None:
    shop.put("from", b"new", META)
    shop.put("dir/to", b"old")
    rename(shop, "from", "dir/to")
    assert shop.get("dir/to") == b"new"
    assert shop.info("dir/to").meta.user == {"a": "b"}
    assert shop.tree() == {"dir/", "dir/to"}


def test_onto_itself_nothing_changes(shop: Shop) -> None:
    before = shop.put("key", b"content", META)
    rename(shop, "key", "key")
    assert shop.info("key").meta == before.meta
    with pytest.raises(NoSuchKey):
        rename(shop, "no", "no")


def test_what_cannot_be_changes_nothing(shop: Shop) -> None:
    shop.put("key", b"content")
    shop.put("dir/below", b"other")
    before = shop.tree()
    for to, error in (("dir", NameTaken), ("key/below", NameTaken), ("", InvalidKey),
                      ("a\0", InvalidKey)):
        with pytest.raises(error):
            rename(shop, "key", to)
    for key in ("no", "dir", "dir/", "no/such"):
        with pytest.raises(NoSuchKey):
            rename(shop, key, "made/for/it")
    with pytest.raises(NoSuchBucket):
        shop.store.rename("nobucket", "key", "other")
    with pytest.raises(ReadOnlyPrincipal):
        shop.store_of(read_only=True).rename(shop.bucket, "key", "other")
    assert shop.tree() == before


def test_who_may_not_take_it_away_leaves_no_directories(shop: Shop) -> None:
    shop.put("locked/key", b"content")
    shop.fs.set_permission(shop.at("locked"), "555")
    with pytest.raises(AccessDenied):
        rename(shop, "locked/key", "new/deep/key")
    shop.fs.set_permission(shop.at("locked"), "755")
    assert shop.tree() == {"locked/", "locked/key"}


def test_a_key_that_is_a_directory(shop: Shop) -> None:
    shop.put("dir/", b"", META)
    shop.put("dir/inside", b"stays")
    rename(shop, "dir/", "other/one/")
    assert shop.info("other/one/").meta.user == {"a": "b"}
    with pytest.raises(NoSuchKey):
        shop.info("dir/")
    assert shop.get("dir/inside") == b"stays"
    rename(shop, "other/one/", "plain")
    assert shop.get("plain") == b""
    assert shop.tree() == {"dir/", "dir/inside", "plain"}


@pytest.mark.parametrize("there", [False, True])
def test_the_object_is_removed_meanwhile(shop: Shop, *, there: bool) -> None:
    shop.put("key", b"content")
    if there:
        shop.put("new/key", b"old")
    once(shop, "rename", lambda: shop.fs.delete(shop.at("key")))
    with pytest.raises(NoSuchKey):
        rename(shop, "key", "new/key")
    if there:
        assert shop.get("new/key") == b"old"
    assert shop.tree() == ({"new/", "new/key"} if there else set())


def test_the_object_is_replaced_meanwhile(shop: Shop) -> None:
    shop.put("key", b"content")

    def replaced() -> None:
        shop.fs.delete(shop.at("key"))
        shop.fs.create(shop.at("key"), [b"newer"])

    once(shop, "rename", replaced)
    rename(shop, "key", "dir/other")
    assert shop.get("dir/other") == b"newer"
    assert shop.tree() == {"dir/", "dir/other"}


def test_the_directory_that_it_is_for_vanishes_meanwhile(shop: Shop) -> None:
    shop.put("key", b"content")
    shop.put("dir/last", b"")

    def vanished() -> None:
        shop.store_of(shop.fs).delete(shop.bucket, "dir/last")

    once(shop, "rename", vanished)
    rename(shop, "key", "dir/other")
    assert shop.get("dir/other") == b"content"
    assert shop.tree() == {"dir/", "dir/other"}


def test_a_directory_takes_the_name_meanwhile(shop: Shop) -> None:
    shop.put("key", b"content")
    once(shop, "rename", lambda: shop.fs.create(shop.at("other", "below"), [b"theirs"]))
    with pytest.raises(NameTaken):
        rename(shop, "key", "other")
    assert shop.get("key") == b"content"
    assert shop.tree() == {"key", "other/", "other/below"}
