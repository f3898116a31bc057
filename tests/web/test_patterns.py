"""Patterns of strangers: they match as RE2 says, and in time whatever they are."""

from __future__ import annotations

import pytest

from app.core.errors import InvalidParameter
from app.web.patterns import compiled


@pytest.mark.parametrize(("pattern", "text", "found"), [
    ("", "", True), ("", "abc", True), ("b", "abc", True), ("^b", "abc", False),
    ("a.c", "xabcx", True), ("^(a|b)*$", "abba", True), ("^(a|b)*$", "abca", False),
    ("[[:digit:]]+z", "1z", True), (r"\.tgz$", "atgz", False), ("é+", "éé", True),
])
def test_what_matches(pattern: str, text: str, *, found: bool) -> None:
    assert bool(compiled(pattern).search(text)) is found


@pytest.mark.parametrize("pattern", [
    "(", ")", "[", "*", "a{2,1}", "\\", r"\1", "(?=a)", "[z-a]", "[[:nope:]]", "a" * 257,
    "((((a{99}){99}){99}){99})",
])
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(InvalidParameter, match="parameter 'regex'"):
        compiled(pattern)


@pytest.mark.parametrize("pattern", [
    "(a*)*b", "(a|a)*b", "(a|aa)+$b", "((a+)+)+b", "(.*)(.*)(.*)(.*)(.*)x$b",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
])
def test_no_pattern_takes_for_ever(pattern: str) -> None:
    assert not compiled(pattern).search("a" * 999)
