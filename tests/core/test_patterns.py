"""Patterns of strangers: they match what `re` does, and in time whatever they are."""

from __future__ import annotations

import re
import warnings

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.core.errors import InvalidParameter
from app.core.patterns import compiled

OTHER_IN_PYTHON = re.compile(r"[*+?}][*+?{]|\(\?|\{,")
"""What Python takes for possessive and lazy counts, and its own extensions."""


@pytest.mark.parametrize(("pattern", "text", "found"), [
    ("", "", True), ("", "abc", True), ("b", "abc", True), ("^b", "abc", False),
    ("^abc$", "abc", True), ("^ab$", "abc", False), ("a.c", "xabcx", True), ("a|^c$", "c", True),
    ("(ab)+c", "ababc", True), ("^(a|b)*$", "abba", True), ("^(a|b)*$", "abca", False),
    ("^a{2,3}$", "a", False), ("^a{2,3}$", "aaa", True), ("^a{2,3}$", "aaaa", False),
    ("^a{2,}$", "aaaaa", True), ("^a{2}$", "aaa", False), ("^a{0}$", "", True),
    ("[a-c]x", "bx", True), ("[^a-c]x", "bx", False), ("[]x]", "]", True), ("[[:digit:]]+z", "1z",
                                                                         True),
    ("[[:alpha:]_]", "1", False), (r"\.tgz$", "a.tgz", True), (r"\.tgz$", "atgz", False),
    (r"^\d+$", "123", True), (r"\w\s\S", "a b", True), (r"[\[]", "[", True), ("a**", "aa", True),
    ("()", "x", True), ("a$b", "a$b", False), ("é+", "éé", True),
])
def test_what_matches(pattern: str, text: str, *, found: bool) -> None:
    assert compiled(pattern).search(text) is found


@pytest.mark.parametrize("pattern", [
    "(", ")", "a)", "(a", "[", "[a", "*", "+a", "(*)", "a{", "a{2,1}", "a{x}", "{2}", "\\", r"\1",
    r"\b", "(?=a)", "(?P<a>b)", "[z-a]", "[[:nope:]]", "a" * 257, "((((a{99}){99}){99}){99})",
    "(" * 40 + ")" * 40,
])
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(InvalidParameter, match="regex"):
        compiled(pattern)


@pytest.mark.parametrize("pattern", [
    "(a*)*b", "(a|a)*b", "(a|aa)+$b", "((a+)+)+b", "a*a*a*a*a*a*a*a*b", "(.*)(.*)(.*)(.*)(.*)x$b",
    "^(([a-z])+.)+[A-Z]([a-z])+$", "(a?){100}a{100}",
])
def test_no_pattern_takes_for_ever(pattern: str) -> None:
    assert not compiled(pattern).search("a" * 99)


@given(st.text("ab|*+?()[]^$.{}12,\\d-", max_size=12), st.text("ab1", max_size=6))
def test_it_is_what_re_says(pattern: str, text: str) -> None:
    assume(not OTHER_IN_PYTHON.search(pattern))
    try:
        ours = compiled(pattern)
    except InvalidParameter:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            theirs = re.compile(pattern, re.ASCII)
        except re.error:
            return
    assert ours.search(text) is bool(theirs.search(text))
