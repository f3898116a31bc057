"""Many at the same objects: a reader finds one whole version or the other, never none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

from tests.aistore.test_objects import names

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aistore.conftest import AIStore

ROUNDS = 8
LENGTH = 20_000


def content(number: int) -> bytes:
    """Return a content that tells at each byte whose it is."""
    return bytes([number]) * LENGTH


def while_reading(ais: AIStore, work: Callable[[], None]) -> int:
    """Do something while others read the object `obj`; return how often they did."""
    over = Event()

    def read() -> int:
        times = 0
        while not over.is_set() or not times:
            got = ais.object("GET", "bck", "obj")
            assert got.status_code == 200, got.text
            assert got.content == content(got.content[0])
            assert ais.object("HEAD", "bck", "obj").status_code == 200
            times += 1
        return times

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        try:
            work()
        finally:
            over.set()
        return sum(reader.result() for reader in readers)


def test_a_rename_over_an_object_never_leaves_none(everywhere: AIStore) -> None:
    ais = everywhere
    ais.put("bck", "obj", content(0))

    def rename() -> None:
        for number in range(1, ROUNDS):
            ais.put("bck", f"new/{number}", content(number))
            done = ais.object(
                "POST", "bck", f"new/{number}", {"action": "rename", "name": "obj"})
            assert done.status_code == 200, done.text

    assert while_reading(ais, rename)
    assert ais.get("bck", "obj") == content(ROUNDS - 1)
    assert names(ais) == {"obj"}


def test_of_many_renames_of_one_object_one_is_done(everywhere: AIStore) -> None:
    ais = everywhere
    ais.put("bck", "obj", content(7))

    def rename(number: int) -> int:
        message = {"action": "rename", "name": f"to/{number}"}
        return ais.object("POST", "bck", "obj", message).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(rename, range(8)))
    assert statuses == [200] + [404] * 7
    assert names(ais) == {"to"}
    [number] = names(ais, "/user/alice/ais/bck/to")
    assert ais.get("bck", f"to/{number}") == content(7)


def test_of_many_puts_under_a_condition_one_is_done(everywhere: AIStore) -> None:
    ais = everywhere

    def put(number: int) -> int:
        return ais.object("PUT", "bck", "obj", data=content(number),
                          headers={"If-None-Match": "*"}).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(put, range(8)))
    assert statuses == [200] + [412] * 7
    assert names(ais) == {"obj"}
