"""The memory of verified credentials is bounded and forgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from app.auth.remembered import Proof, Remembered
from app.auth.users_file import User
from app.core.identity import Principal

from .conftest import Clock

if TYPE_CHECKING:
    from app.auth.ways import Way

ALICE = Proof(User(Principal("alice", "alice"), "$hash"), cast("Way", None))


def test_the_least_used_makes_room() -> None:
    remembered = Remembered(10, size=3, clock=Clock())
    for header in "abc":
        remembered.put(header, ALICE)
    assert remembered.get("a") is ALICE
    remembered.put("d", ALICE)
    assert len(remembered) == 3
    assert remembered.get("b") is None
    assert [remembered.get(header) for header in "acd"] == [ALICE] * 3


def test_what_is_over_is_dropped() -> None:
    clock = Clock()
    remembered = Remembered(10, clock=clock)
    remembered.put("a", ALICE)
    clock.now += 10
    assert remembered.get("a") is None
    assert len(remembered) == 0


def test_two_memories_have_two_keys() -> None:
    one, two = Remembered(10), Remembered(10)
    one.put("a", ALICE)
    two.put("a", ALICE)
    assert not set(one._entries) & set(two._entries)


def test_any_header_can_be_looked_up() -> None:
    assert Remembered(10).get("\ud800 é") is None
