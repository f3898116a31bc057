"""Names picked by the number behind a prefix."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidParameter, MissingParameter
from app.core.number_filter import number_filter

PREFIX = "__tst/test-"


@pytest.mark.parametrize(("regex", "bounds", "rest", "picked"), [
    ("", "1000:2000", "1000", True), ("", "1000:2000", "2000", True),
    ("", "1000:2000", "999", False), ("", "1000:2000", "2001", False),
    ("", "1000:2000", "01500", True), ("", "1000:2000", "1500.tar", False),
    ("", "1000:2000", "", False), ("", "0:9", "\u0663", False), ("", "0:", "7" * 300, False),
    (r"\d{4}", "1000:2000", "1500.tar", True), (r"\d{4}", "1000:2000", "15", False),
    (r"\d\d\d\d", "1000:2000", "x1500", True), (r"^\d+$", "1000:2000", "1500", True),
    (r"^\d+$", "1000:2000", "1500x", False), ("[0-9]{2,3}", ":100", "099", True),
    (r"(\d+)", "5:", "a7", True), (r"\d{4}", "5:", "no number", False),
    ("1[5-6]00", "1000:2000", "1600", True), (r"\d*", "0:5", "x1", False),
])
def test_a_name_is_picked_by_its_number(
        regex: str, bounds: str, rest: str, picked: bool) -> None:
    wanted = number_filter(PREFIX, regex, bounds)
    assert wanted.picks(PREFIX + rest) is picked
    assert not wanted.picks(f"other/{rest}")


@pytest.mark.parametrize(("regex", "bounds"), [
    ("", ":"), ("", "a:b"), ("", "5"), ("", "9:3"), ("", "-1:3"), ("", "1:2:3"), ("", "1.5:2"),
    (".*", "1:2"), ("", " 1:2"), (r"(\d+)+", "1:2"), (r"\d*\d*\d*", "1:2"), ("[", "1:2"),
    (r"\d{4}\.tar", "1:2"), (r"(?=\d)", "1:2"), ("[9-0]", "1:2"), (r"\d" * 21, "1:2"),
    (r"\D", "1:2"), (r"\d+?", "1:2"), ("a", "1:2"),
])
def test_what_is_no_range_is_refused(regex: str, bounds: str) -> None:
    with pytest.raises(InvalidParameter):
        number_filter(PREFIX, regex, bounds)


def test_no_range_is_never_everything() -> None:
    with pytest.raises(MissingParameter):
        number_filter(PREFIX, r"\d+", "")


@given(st.integers(0, 10**18 - 1), st.integers(0, 10**18 - 1), st.integers(0, 10**18 - 1))
def test_the_bounds_are_in(one: int, other: int, number: int) -> None:
    least, most = sorted((one, other))
    for bounds, picked in ((f"{least}:{most}", least <= number <= most),
                           (f"{least}:", least <= number), (f":{most}", number <= most)):
        assert number_filter("p", "", bounds).picks(f"p{number}") is picked
