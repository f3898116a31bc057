"""A worker that dies in the middle of a PUT: the sweep of another leaves the old object or none."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from app.core.object_errors import NoSuchKey
from tests.objects.shop import md5

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.paths import HdfsPath
    from tests.objects.shop import Shop


class Killed(BaseException):
    """The end of a process, after which nothing more is done."""


def die(*_: object, **__: object) -> None:
    raise Killed


def put_and_die(shop: Shop, key: str, before: str, content: bytes = b"new") -> None:
    """Put, and be killed before the first call of the name `before`; nothing is cleaned up."""
    def dead(*_: object, **__: object) -> None:
        for name in ("delete", "list_page", "status", "rename", "xattrs"):
            shop.seen.before[name] = die
        raise Killed

    shop.seen.before[before] = dead
    try:
        with pytest.raises(Killed):
            shop.put(key, content)
    finally:
        shop.seen.before.clear()
    # What a kill leaves behind is an entry of a worker that is no more.
    store = shop.staging.store
    for entry, value in list(store.scan("staged")):
        store.put("staged", entry, {**value, "worker": "", "swept": time.time() - 3600})


@pytest.mark.parametrize("before", ["create", "set_xattr", "rename"])
@pytest.mark.parametrize("key", ["old", "new/dir/key", "new/dir/marker/"])
def test_what_a_dead_worker_staged_is_swept(shop: Shop, key: str, before: str) -> None:
    shop.put("old", b"old")
    content = b"" if key.endswith("/") else b"new"
    if not content and before == "create":
        before = "mkdirs"
    put_and_die(shop, key, before, content)
    shop.staging.sweep()
    assert [name for name in shop.tree() if ".httpfs-proxy" in name] == []
    assert shop.get("old") == b"old"
    assert shop.info("old").meta.etag == md5(b"old")
    if key != "old":
        with pytest.raises(NoSuchKey):
            shop.info(key)
    assert [entry.key for entry in shop.store.list(shop.bucket).entries] == ["old"]
    shop.put(key, content)
    shop.delete(key)
    shop.delete("old")
    shop.store.delete_bucket(shop.bucket)


def test_the_old_object_comes_back_where_replacing_takes_steps(shop: Shop) -> None:
    if shop.fs.flavor.rename_options:
        return
    shop.put("dir/key", b"old")
    renames: list[HdfsPath] = []

    def second(source: HdfsPath, *_: object) -> None:
        renames.append(source)
        if len(renames) == 2:
            for name in ("delete", "list_page", "status", "rename", "xattrs"):
                shop.seen.before[name] = die
            raise Killed

    put_and_die_at(shop, second)
    shop.staging.sweep()
    assert shop.get("dir/key") == b"old"
    assert shop.tree() == {"dir/", "dir/key"}


def put_and_die_at(shop: Shop, rename: Callable[..., None]) -> None:
    shop.seen.before["rename"] = rename
    with pytest.raises(Killed):
        shop.put("dir/key", b"new")
    shop.seen.before.clear()
    for entry, value in list(shop.staging.store.scan("staged")):
        shop.staging.store.put("staged", entry, {**value, "worker": ""})
