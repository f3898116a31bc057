"""Several at once on the same keys and directories: nothing is lost, nothing is left."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from app.core.errors import PreconditionFailed, UpstreamUnavailable
from app.core.object_errors import NoSuchKey, OperationAborted
from app.core.objects import ObjectInfo, ObjectMeta
from app.fs import turns
from app.fs.object_guard import REPEATABLE
from app.fs.object_meta import EMPTY_MD5
from tests.objects.shop import md5

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.paths import HdfsPath
    from tests.objects.shop import Shop

WORKERS = 6
ROUNDS = 12


def only_new(there: ObjectInfo | None) -> None:
    if there is not None:
        raise PreconditionFailed("If-None-Match")


def put(shop: Shop, key: str, content: bytes) -> ObjectInfo:
    """Put with a store of one's own, as each request has."""
    store = shop.store_of(shop.fs)
    return store.put(shop.bucket, key, [content], lambda: ObjectMeta(md5(content)))


@pytest.mark.parametrize("key", ["key", "new/dir/key", "new/dir/"])
def test_of_those_who_may_only_create_one_does(shop: Shop, key: str) -> None:
    together = threading.Barrier(WORKERS)

    def create(number: int) -> bool:
        content = b"" if key.endswith("/") else str(number).encode()

        def body() -> Iterator[bytes]:
            together.wait(30)
            yield content

        try:
            shop.store_of(shop.fs).put(
                shop.bucket, key, body(),
                lambda: ObjectMeta(md5(content), user={"by": str(number)}),
                precondition=only_new)
        except PreconditionFailed:
            return False
        return True

    with ThreadPoolExecutor(WORKERS) as pool:
        done = list(pool.map(create, range(WORKERS)))
    assert done.count(True) == 1
    info = shop.info(key)
    assert info.meta.user == {"by": str(done.index(True))}
    expected = {"key": {"key"}, "new/dir/key": {"new/", "new/dir/", "new/dir/key"},
                "new/dir/": {"new/", "new/dir/"}}
    assert shop.tree() == expected[key]


def test_objects_put_at_once_into_a_new_directory_are_all_there(shop: Shop) -> None:
    keys = [f"a/b/{number % 3}/{number}" for number in range(18)]
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda key: put(shop, key, key.encode()), keys))
    for key in keys:
        assert shop.get(key) == key.encode()
    assert shop.tree() == {"a/", "a/b/", "a/b/0/", "a/b/1/", "a/b/2/", *keys}
    with ThreadPoolExecutor(WORKERS) as pool:
        assert all(pool.map(shop.delete, keys))
    assert shop.tree() == set()


def test_directories_come_and_go_and_no_object_is_lost(shop: Shop) -> None:
    def work(number: int) -> None:
        key = f"dir/sub/{number}" if number % 2 else f"dir/{number}"
        content = str(number).encode()
        for _ in range(ROUNDS):
            put(shop, key, content)
            assert shop.get(key) == content
            assert shop.store_of(shop.fs).delete(shop.bucket, key)
            with pytest.raises(NoSuchKey):
                shop.info(key)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, range(WORKERS)))
    assert not [name for name in shop.tree() if not name.endswith("/")]
    shop.store.delete_bucket(shop.bucket)


def test_a_key_written_by_many_is_always_one_of_theirs(shop: Shop) -> None:
    contents = [str(number).encode() * 10_000 for number in range(4)]
    put(shop, "dir/key", contents[0])
    over = threading.Event()

    def write(content: bytes) -> None:
        for _ in range(ROUNDS):
            put(shop, "dir/key", content)

    def read() -> None:
        while not over.is_set():
            info = shop.info("dir/key")
            assert info.meta.etag in {md5(content) for content in contents}

    with ThreadPoolExecutor(len(contents) + 1) as pool:
        reader = pool.submit(read)
        try:
            list(pool.map(write, contents))
        finally:
            over.set()
        reader.result()
    assert shop.get("dir/key") in contents
    assert shop.tree() == {"dir/", "dir/key"}


# --- the moments between two calls


def test_the_parent_vanishes_before_the_file_is_made(shop: Shop) -> None:
    def vanish(*_: object) -> None:
        shop.seen.before.clear()
        assert shop.store_of(shop.fs).delete(shop.bucket, "a/b/other")

    put(shop, "a/b/other", b"x")
    shop.seen.before["create"] = vanish
    shop.put("a/b/key", [b"con", b"tent"])
    assert shop.get("a/b/key") == b"content"
    shop.delete("a/b/key")
    assert shop.tree() == set()


def test_a_body_too_large_to_keep_is_asked_for_again(shop: Shop) -> None:
    def vanish(*_: object) -> None:
        shop.seen.before.clear()
        assert shop.store_of(shop.fs).delete(shop.bucket, "a/other")

    def body() -> Iterator[bytes]:
        for _ in range(16):
            yield bytes(REPEATABLE)

    put(shop, "a/other", b"x")
    shop.seen.before["create"] = vanish
    try:
        shop.put("a/key", body())
    except UpstreamUnavailable:
        assert shop.tree() == set()
    else:
        assert shop.info("a/key").size == 16 * REPEATABLE
    shop.put("a/key", body())
    assert shop.info("a/key").size == 16 * REPEATABLE


def test_a_directory_with_something_staged_in_it_does_not_vanish(shop: Shop) -> None:
    def body() -> Iterator[bytes]:
        yield bytes(1 << 17)  # the file is made by now, or is about to be
        assert shop.store_of(shop.fs).delete(shop.bucket, "a/b/other")
        yield b"end"

    put(shop, "a/b/other", b"x")
    shop.put("a/b/key", body())
    assert shop.info("a/b/key").size == (1 << 17) + 3
    shop.delete("a/b/key")
    assert shop.tree() == set()


@pytest.mark.parametrize("made", ["a", "a/b"])
def test_another_makes_the_missing_directories_first(shop: Shop, made: str) -> None:
    def body() -> Iterator[bytes]:
        yield b"content"
        put(shop, f"{made}/other", b"x")

    shop.put("a/b/c/key", body())
    assert shop.get("a/b/c/key") == b"content"
    shop.delete("a/b/c/key")
    shop.delete(f"{made}/other")
    assert shop.tree() == set()


def test_what_made_a_directory_unnecessary_vanishes_again(shop: Shop) -> None:
    def vanish(source: HdfsPath, destination: HdfsPath, *_: object) -> None:
        if destination == shop.at("a", "b"):
            shop.seen.before.clear()
            shop.store_of(shop.fs).delete(shop.bucket, "a/other")

    def body() -> Iterator[bytes]:
        yield b"content"
        put(shop, "a/other", b"x")
        shop.seen.before["rename"] = vanish

    shop.put("a/b/key", body())
    assert shop.get("a/b/key") == b"content"
    if not shop.fs.flavor.rename_options:
        shop.delete("a/other")  # there the directories are made before the body is read
    shop.delete("a/b/key")
    assert shop.tree() == set()


def test_a_directory_that_got_an_object_is_not_removed(shop: Shop) -> None:
    def fill(path: HdfsPath, **_: object) -> None:
        if "inodes" in path:
            shop.seen.before.clear()
            put(shop, "a/new", b"x")

    put(shop, "a/key", b"x")
    shop.seen.before["delete"] = fill
    assert shop.delete("a/key")
    assert not shop.seen.before
    assert shop.get("a/new") == b"x"
    shop.delete("a/new")
    assert shop.tree() == set()


def test_a_directory_that_somebody_made_anew_is_not_removed(shop: Shop) -> None:
    def made(path: HdfsPath, **_: object) -> None:
        if "inodes" in path:
            shop.seen.before.clear()
            shop.fs.delete(shop.at("a"))
            shop.fs.mkdirs(shop.at("a"), "755")

    put(shop, "a/key", b"x")
    shop.seen.before["delete"] = made
    assert shop.delete("a/key")
    assert not shop.seen.before
    assert shop.tree() == {"a/"}


def test_a_marker_is_put_while_its_directory_vanishes(shop: Shop) -> None:
    def vanish(*_: object) -> None:
        shop.seen.before.clear()
        assert shop.store_of(shop.fs).delete(shop.bucket, "a/key")

    for call in ("status", "set_xattr", "remove_xattr"):
        put(shop, "a/key", b"x")
        shop.seen.before[call] = vanish
        shop.put("a/", b"")
        assert not shop.seen.before
        assert shop.tree() == {"a/"}
        assert shop.info("a/").meta == ObjectMeta(EMPTY_MD5)
        assert shop.delete("a/")
        assert shop.tree() == set()


def test_a_marker_goes_while_an_object_comes(shop: Shop) -> None:
    def fill(*_: object, **__: object) -> None:
        shop.seen.before.clear()
        put(shop, "a/key", b"x")

    shop.put("a/", b"")
    shop.seen.before["delete"] = fill
    assert shop.delete("a/")
    with pytest.raises(NoSuchKey):
        shop.info("a/")
    assert shop.delete("a/key")
    assert shop.tree() == set()


def test_somebodys_empty_directory_gets_something_while_its_key_is_deleted(shop: Shop) -> None:
    def fill(*_: object, **__: object) -> None:
        shop.seen.before.clear()
        put(shop, "a/key", b"x")

    shop.fs.mkdirs(shop.at("a"), "755")
    shop.seen.before["delete"] = fill
    assert not shop.delete("a/")
    shop.delete("a/key")
    assert shop.tree() == {"a/"}


def test_of_those_who_expect_the_same_version_one_finds_it(shop: Shop) -> None:
    old = put(shop, "key", b"old").meta.etag
    together = threading.Barrier(WORKERS)

    def only_old(there: ObjectInfo | None) -> None:
        if there is None or there.meta.etag != old:
            raise PreconditionFailed("If-Match")

    def change(number: int) -> bool:
        def body() -> Iterator[bytes]:
            together.wait(30)
            yield str(number).encode()

        store = shop.store_of(shop.fs)
        try:
            if number:
                store.put(shop.bucket, "key", body(), lambda: ObjectMeta(md5(b"%d" % number)),
                          precondition=only_old)
            else:
                together.wait(30)
                store.delete(shop.bucket, "key", precondition=only_old)
        except PreconditionFailed:
            return False
        return True

    for _ in range(3):
        with ThreadPoolExecutor(WORKERS) as pool:
            done = list(pool.map(change, range(WORKERS)))
        assert done.count(True) == 1
        winner = done.index(True)
        assert shop.tree() == ({"key"} if winner else set())
        assert not winner or shop.get("key") == b"%d" % winner
        old = put(shop, "key", b"old").meta.etag


def test_a_turn_that_is_not_given_back_is_waited_for_in_vain(
    shop: Shop, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "_PATIENCE_SECONDS", 0.1)
    put(shop, "key", b"old")
    lost = turns.turn(shop.staging, shop.at("key"))
    lost.__enter__()
    with pytest.raises(OperationAborted):
        shop.put("key", b"new", precondition=lambda _there: None)
    if shop.fs.flavor.rename_options:
        put(shop, "key", b"new")
    assert shop.get("key") == (b"new" if shop.fs.flavor.rename_options else b"old")
    lost.__exit__(None, None, None)
    shop.put("key", b"newest", precondition=lambda _there: None)
    assert shop.get("key") == b"newest"


def test_the_turn_of_a_worker_that_died_is_over(
    shop: Shop, monkeypatch: pytest.MonkeyPatch,
) -> None:
    put(shop, "key", b"old")
    workers = shop.staging.workers
    with monkeypatch.context() as dead:
        dead.setattr(type(workers), "own_id", "of a worker that nobody knows")
        lost = turns.turn(shop.staging, shop.at("key"))
        lost.__enter__()
    shop.put("key", b"new", precondition=lambda _there: None)
    assert shop.get("key") == b"new"
    lost.__exit__(None, None, None)
