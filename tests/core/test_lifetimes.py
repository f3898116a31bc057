"""Lifetimes in an xattr that anybody who may write the file may write too."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.lifetimes import MAX_TIME, RECORD, Lifetime, TtlAction, decode, encode, lifetime_of

SET = Lifetime(60_000, TtlAction.DELETE, 1_700_000_000_000, pinned=True)
times = st.integers(0, MAX_TIME)
lifetimes = st.builds(
    Lifetime, st.integers(-1, MAX_TIME), st.sampled_from(TtlAction), times, st.booleans())


@given(lifetimes, st.text("0123456789abcdef", max_size=32))
def test_what_was_written_is_read(lifetime: Lifetime, key: str) -> None:
    raw = encode(lifetime, key)
    assert decode(raw) == (lifetime, key)
    assert lifetime_of({"user.other": b"x", RECORD: raw}) == lifetime


def test_nothing_is_kept_with_most_files() -> None:
    assert lifetime_of({}) == Lifetime() == Lifetime(-1, TtlAction.FREE, 0, pinned=False)


def test_a_ttl_counts_from_when_it_was_set() -> None:
    assert SET.due == 1_700_000_060_000
    assert SET._replace(ttl=0).due == 1_700_000_000_000
    assert SET._replace(ttl=-1).due is None


@pytest.mark.parametrize(("name", "value"), [
    ("ttl", "5"), ("ttl", 5.0), ("ttl", True), ("ttl", None), ("ttl", -2), ("ttl", MAX_TIME + 1),
    ("since", -1), ("since", MAX_TIME + 1), ("since", []), ("pinned", 1), ("pinned", "true"),
    ("action", "PERSIST"), ("action", None), ("action", ["DELETE"]), ("key", 7), ("key", None)])
def test_a_record_with_a_wrong_fact_says_nothing(name: str, value: object) -> None:
    facts: dict[str, Any] = json.loads(encode(SET, "k"))
    raw = json.dumps({**facts, name: value}).encode()
    assert decode(raw) == (Lifetime(), "")
    del facts[name]
    assert decode(json.dumps(facts).encode()) == (Lifetime(), "")


@pytest.mark.parametrize("raw", [
    b"", b"{", b"null", b"[]", b"5", b'"x"', b"\xff\xfe", b"[" * 900, b"9" * 1000,
    b'{"ttl":' + b"9" * 900 + b"}", b'{"ttl":NaN}', encode(SET, "k" * 2000)])
def test_what_is_no_record_says_nothing(raw: bytes) -> None:
    assert lifetime_of({RECORD: raw}) == Lifetime()


@given(st.binary(max_size=200))
def test_any_octets_are_read_without_a_fault(raw: bytes) -> None:
    assert lifetime_of({RECORD: raw}).due is None
