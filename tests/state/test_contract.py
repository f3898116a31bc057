"""What every state store promises, whatever it is made of."""

from __future__ import annotations

import multiprocessing
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from app.state.store import Store, Value

    from .conftest import Stores

ROUNDS = 150
PROCESSES = 4
TEXT = st.text(st.characters(exclude_categories=("Cs",)))


def test_nothing_is_there_at_first(store: Store) -> None:
    assert store.get("space", "key") is None
    assert list(store.scan("space")) == []
    assert store.delete("space", "key") is False


def test_put_replaces_and_get_returns_a_copy(store: Store) -> None:
    store.put("space", "key", {"a": 1, "list": [1, None, "ü\n\0"]})
    first = store.get("space", "key")
    assert first == {"a": 1, "list": [1, None, "ü\n\0"]}
    first["a"] = 2
    assert store.get("space", "key") == {"a": 1, "list": [1, None, "ü\n\0"]}
    store.put("space", "key", {})
    assert store.get("space", "key") == {}


def test_spaces_and_keys_do_not_mix(store: Store) -> None:
    store.put("one", "key", {"n": 1})
    store.put("two", "key", {"n": 2})
    store.put("one", "KEY", {"n": 3})
    store.put("one", "", {"n": 4})
    assert dict(store.scan("one")) == {"key": {"n": 1}, "KEY": {"n": 3}, "": {"n": 4}}
    assert store.delete("one", "key") is True
    assert store.get("two", "key") == {"n": 2}


def test_add_writes_only_once(store: Store) -> None:
    assert store.add("space", "key", {"n": 1}) is True
    assert store.add("space", "key", {"n": 2}) is False
    assert store.get("space", "key") == {"n": 1}


def test_a_record_is_gone_after_its_time(store: Store, stores: Stores) -> None:
    store.put("space", "short", {"n": 1}, ttl=10)
    store.put("space", "long", {"n": 2})
    stores.advance(9)
    assert store.get("space", "short") == {"n": 1}
    stores.advance(2)
    assert store.get("space", "short") is None
    assert dict(store.scan("space")) == {"long": {"n": 2}}
    assert store.delete("space", "short") is False
    assert store.get("space", "long") == {"n": 2}


def test_an_expired_record_does_not_block_add_or_reach_update(
    store: Store, stores: Stores,
) -> None:
    store.add("space", "a", {"n": 1}, ttl=10)
    store.add("space", "b", {"n": 1}, ttl=10)
    stores.advance(11)
    assert store.add("space", "a", {"n": 2}) is True
    seen: list[Value | None] = []
    store.update("space", "b", lambda old: seen.append(old) or {"n": 3})
    assert seen == [None]
    assert store.get("space", "b") == {"n": 3}


def test_put_and_update_set_a_new_time_to_live(store: Store, stores: Stores) -> None:
    store.put("space", "put", {}, ttl=10)
    store.put("space", "update", {}, ttl=10)
    store.put("space", "put", {})
    store.update("space", "update", lambda _: {"n": 1}, ttl=20)
    stores.advance(15)
    assert store.get("space", "put") == {}
    assert store.get("space", "update") == {"n": 1}
    stores.advance(6)
    assert store.get("space", "update") is None


def test_update_sees_what_is_there_and_none_deletes(store: Store) -> None:
    assert store.update("space", "key", lambda _: None) is None
    assert store.update("space", "key", _increment) == {"n": 1}
    assert store.update("space", "key", _increment) == {"n": 2}
    assert store.update("space", "key", lambda _: None) is None
    assert store.get("space", "key") is None


def test_update_leaves_the_record_when_the_change_fails(store: Store) -> None:
    store.put("space", "key", {"n": 1})

    def fail(_: Value | None) -> Value | None:
        raise LookupError("no")

    with pytest.raises(LookupError):
        store.update("space", "key", fail)
    assert store.get("space", "key") == {"n": 1}


def test_update_tries_again_when_another_interferes(store: Store) -> None:
    calls: list[Value | None] = []

    def change(old: Value | None) -> Value:
        calls.append(old)
        if len(calls) == 1:
            store.put("space", "key", {"n": 10})
        return _increment(old)

    assert store.update("space", "key", change) == {"n": 11}
    assert calls == [None, {"n": 10}]


def test_scan_yields_many_records_while_they_change(store: Store) -> None:
    for i in range(1203):
        store.put("space", f"{i:05}", {"n": i})
    seen = []
    for key, value in store.scan("space"):
        store.delete("space", key)
        seen.append(value["n"])
    assert seen == list(range(1203))
    assert list(store.scan("space")) == []


# The store of all examples is one: each of them writes its record whole.
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.dictionaries(TEXT, st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner))))
def test_json_comes_back_as_it_went_in(store: Store, value: dict[str, Any]) -> None:
    store.put("space", "key", value)
    assert store.get("space", "key") == value


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.tuples(TEXT, TEXT), unique=True, max_size=8))
@example(names=[("a", "b:c"), ("a:b", "c"), ("", ""), ("*", "[a-z]?"), ("\0", "\0\0")])
@example(names=[("/" + "d" * 8000, "ü" * 4000), ("/" + "d" * 8000, "ü" * 4001), ("/", "d" * 1001)])
def test_spaces_and_keys_are_any_text(store: Store, names: list[tuple[str, str]]) -> None:
    for number, (space, key) in enumerate(names):
        assert store.add(space, key, {"n": number}) is True
    for number, (space, key) in enumerate(names):
        assert store.get(space, key) == {"n": number}
    found = {(space, key): value["n"]
             for space in {space for space, _ in names} for key, value in store.scan(space)}
    assert found == {name: number for number, name in enumerate(names)}
    for space, key in names:
        assert store.delete(space, key) is True
        assert list(store.scan(space)) == [
            (k, store.get(space, k)) for k, _ in store.scan(space)]
    assert [list(store.scan(space)) for space, _ in names] == [[]] * len(names)


def test_a_scan_is_in_the_order_of_the_keys(store: Store) -> None:
    keys = sorted([f"{i:05}" for i in range(0, 3000, 5)] + ["", "Z", "a", "a:", "ä", "中", "😀"])
    for key in sorted(keys, key=lambda key: key[::-1]):
        store.put("space", key, {})
    assert [key for key, _ in store.scan("space")] == keys


def test_a_scan_finds_each_record_once_whatever_the_length_of_its_key(store: Store) -> None:
    keys = {f"{i}" * (1 + i % 3 * 700) for i in range(1000, 1600)}
    for key in keys:
        store.put("space", key, {})
    assert sorted(key for key, _ in store.scan("space")) == sorted(keys)


def test_scan_passes_over_pages_of_expired_records(store: Store, stores: Stores) -> None:
    for i in range(1100):
        store.put("space", f"{i:05}", {}, ttl=10)
    store.put("space", "last", {})
    stores.advance(11)
    assert list(store.scan("space")) == [("last", {})]


@pytest.mark.parametrize("ttl", [0.0, 1e-9, 1e15, 3.5])
def test_any_time_to_live_is_taken(store: Store, ttl: float) -> None:
    store.put("space", "put", {}, ttl=ttl)
    assert store.add("space", "add", {}, ttl=ttl) is True
    store.update("space", "update", lambda _: {}, ttl=ttl)
    if ttl > 1:
        assert [key for key, _ in store.scan("space")] == ["add", "put", "update"]


def test_threads_lose_no_update(store: Store) -> None:
    threads = [threading.Thread(target=_work, args=(store, str(i))) for i in range(PROCESSES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    _assert_all_work_counts(store)


@pytest.mark.parametrize("opened", ["before the fork", "after the fork"])
def test_processes_lose_no_update(stores: Stores, opened: str) -> None:
    store = stores.open()
    store.put("space", "warm", {})
    context = multiprocessing.get_context("fork")

    def run(name: str) -> None:
        _work(store if opened == "before the fork" else stores.open(), name)

    processes = [context.Process(target=run, args=(str(i),)) for i in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    _assert_all_work_counts(store)
    assert store.get("space", "warm") == {}


def _increment(old: Value | None) -> Value:
    return {"n": (old or {"n": 0})["n"] + 1}


def _work(store: Store, name: str) -> None:
    """Count up a shared record, and race the others for a name of each round."""
    for i in range(ROUNDS):
        store.update("space", "counter", _increment, ttl=1000)
        if store.add("won", f"{i}", {"by": name}):
            store.update("wins", name, _increment)


def _assert_all_work_counts(store: Store) -> None:
    assert store.get("space", "counter") == {"n": ROUNDS * PROCESSES}
    won = [value["by"] for _, value in store.scan("won")]
    assert len(won) == ROUNDS
    counted = {name: value["n"] for name, value in store.scan("wins")}
    assert counted == {name: won.count(name) for name in set(won)}
