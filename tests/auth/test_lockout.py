"""The lock against guessing, counted in the shared store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.auth.lockout import SPACE, Lockout, counters_of, network_of
from app.core.errors import TooManyAttempts
from app.settings import AuthSettings
from app.state.sqlite import SqliteStore

from .conftest import Clock

if TYPE_CHECKING:
    from pathlib import Path

ALICE = counters_of("alice", "192.0.2.1")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> SqliteStore:
    return SqliteStore(tmp_path / "state.db", clock=clock)


@pytest.fixture
def lockout(store: SqliteStore, clock: Clock) -> Lockout:
    return Lockout(AuthSettings(lockout_failures=3, lockout_seconds=2, lockout_max_seconds=60),
                   store, clock=clock)


def locked_for(lockout: Lockout, counters: object = ALICE) -> int:
    try:
        lockout.check(counters)
    except TooManyAttempts as error:
        return error.retry_after
    return 0


def test_some_failures_are_free_and_then_each_lock_is_twice_as_long(
    lockout: Lockout, clock: Clock,
) -> None:
    lengths = []
    for _ in range(10):
        lockout.count_failure(ALICE)
        lengths.append(locked_for(lockout))
        clock.now += lengths[-1]
    assert lengths == [0, 0, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_lock_ends(lockout: Lockout, clock: Clock) -> None:
    for _ in range(3):
        lockout.count_failure(ALICE)
    clock.now += 1.5
    assert locked_for(lockout) == 1
    clock.now += 0.5
    assert locked_for(lockout) == 0


def test_user_and_source_count_each_on_its_own(lockout: Lockout) -> None:
    for i in range(3):
        lockout.count_failure(counters_of("alice", f"192.0.2.{i}"))
    assert locked_for(lockout, counters_of("alice", "198.51.100.1")) == 2
    assert locked_for(lockout, counters_of("bob", "192.0.2.1")) == 0
    for i in range(3):
        lockout.count_failure(counters_of(f"user{i}", "203.0.113.9"))
    assert locked_for(lockout, counters_of("carol", "203.0.113.9")) == 2
    assert locked_for(lockout, counters_of("user0", "198.51.100.1")) == 0


def test_a_success_forgets_the_users_failures_not_the_sources(lockout: Lockout) -> None:
    for _ in range(2):
        lockout.count_failure(ALICE)
    lockout.forget_user(ALICE)
    lockout.count_failure(counters_of("alice", "198.51.100.1"))
    assert locked_for(lockout, counters_of("alice", "198.51.100.2")) == 0
    lockout.count_failure(counters_of("bob", "192.0.2.1"))
    assert locked_for(lockout, counters_of("carol", "192.0.2.1")) == 2


def test_failures_are_forgotten_after_twice_the_longest_lock(
    lockout: Lockout, store: SqliteStore, clock: Clock,
) -> None:
    for _ in range(2):
        lockout.count_failure(ALICE)
    clock.now += 119
    assert len(list(store.scan(SPACE))) == 2
    clock.now += 2
    assert list(store.scan(SPACE)) == []
    lockout.count_failure(ALICE)
    assert locked_for(lockout) == 0


def test_what_fails_while_locked_is_refused_and_not_counted(
    lockout: Lockout, clock: Clock,
) -> None:
    for _ in range(3):
        lockout.count_failure(ALICE)
    for _ in range(50):
        with pytest.raises(TooManyAttempts):
            lockout.count_failure(ALICE)
    clock.now += 2
    lockout.count_failure(ALICE)
    assert locked_for(lockout) == 4


def test_a_clock_that_was_set_back_locks_nobody_for_long(
    lockout: Lockout, clock: Clock,
) -> None:
    for _ in range(3):
        lockout.count_failure(ALICE)
    clock.now -= 86_400
    assert locked_for(lockout) == 0


def test_no_lockout_needs_no_store() -> None:
    lockout = Lockout(AuthSettings(lockout_failures=0), None)  # type: ignore[arg-type]
    lockout.check(ALICE)
    lockout.count_failure(ALICE)
    lockout.forget_user(ALICE)


def test_a_longest_lock_below_the_first_does_not_shorten_it(
    store: SqliteStore, clock: Clock,
) -> None:
    lockout = Lockout(AuthSettings(lockout_failures=1, lockout_seconds=30, lockout_max_seconds=5),
                      store, clock=clock)
    lockout.count_failure(ALICE)
    assert locked_for(lockout) == 30


@pytest.mark.parametrize(("source", "counted"), [
    ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
    ("2001:db8:1:3::", "2001:db8:1:3::/64"), ("::1", "::/64"), ("fe80::1%eth0", "fe80::/64"),
])
def test_a_source_is_an_address_or_a_site(source: str, counted: str) -> None:
    assert network_of(source) == counted


def test_keys_are_short_and_say_no_name() -> None:
    counters = counters_of("alice" * 100_000, "x" * 100_000)
    assert len(counters.user) < 50
    assert len(counters.source) < 50
    assert "alice" not in counters.user
    assert counters_of("a", "unix:").source != counters_of("a", "").source
    assert counters_of("alice", "") == counters_of("Alice", "") != counters_of("bob", "")
