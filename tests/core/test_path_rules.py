"""Path rules: globs beside a plain matcher, and what has to hold of any rules and paths."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.identity import Principal
from app.core.path_globs import Glob, parse
from app.core.path_rules import Layer, PathForbidden, PathRules, Right, Tree, Verdict
from app.core.paths import HdfsPath

NAMES = st.text("ab*?", min_size=1, max_size=3)
PLAIN = st.text("ab", min_size=1, max_size=3)
PATTERNS = st.lists(
    st.one_of(NAMES.filter(lambda name: "**" not in name), st.just("**")),
    max_size=4).map(lambda names: "/" + "/".join(names))
PATHS = st.lists(PLAIN, max_size=5).map(lambda names: "/" + "/".join(names))
GLOBS = st.lists(PATTERNS, max_size=3).map(lambda texts: tuple(map(parse, texts)))
LAYERS = st.builds(
    Layer, st.tuples(GLOBS, GLOBS), st.tuples(GLOBS, GLOBS), st.booleans())
RULES = st.lists(LAYERS, max_size=2).map(lambda layers: PathRules(tuple(layers)))


def covers(glob: Glob, path: str) -> bool:
    return glob.covers(glob.run([name for name in path.split("/") if name]))


def expected(pattern: str, path: str) -> bool:
    """Tell the same by a regular expression: of short patterns these are quick."""
    text = ""
    for name in pattern[1:].split("/") if pattern != "/" else ():
        if name == "**":
            text += "(/[^/]+)*"
        else:
            text += "/" + "".join(
                {"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char)) for char in name)
    return re.fullmatch(text + "(/.*)?", "" if path == "/" else path) is not None


@given(PATTERNS, PATHS)
def test_globs_match_as_regular_expressions_do(pattern: str, path: str) -> None:
    assert covers(parse(pattern), path) == expected(pattern, path)


@given(PATTERNS, PATHS, PLAIN)
def test_what_matches_a_directory_matches_all_in_it(pattern: str, path: str, name: str) -> None:
    glob = parse(pattern)
    if covers(glob, path):
        assert covers(glob, f"{path}/{name}")


@given(RULES, PATHS, st.sampled_from(Right), PATHS)
def test_of_a_whole_tree_nothing_is_denied(
    rules: PathRules, path: str, right: Right, below: str,
) -> None:
    if rules.verdict(path, right) is Verdict.ALLOWED and rules.tree(path, right) is Tree.WHOLE:
        assert rules.verdict(path + below, right) is Verdict.ALLOWED


@given(RULES, PATHS, PLAIN, st.sampled_from(Right))
def test_what_is_allowed_can_be_reached(
    rules: PathRules, path: str, name: str, right: Right,
) -> None:
    if rules.verdict(f"{path}/{name}", right) is not Verdict.DENIED:
        assert rules.verdict(path, right) is not Verdict.DENIED


@given(RULES, PATHS, PLAIN)
def test_names_in_a_directory_are_judged_as_paths_are(
    rules: PathRules, path: str, name: str,
) -> None:
    assert rules.within(path)(name) is rules.sees(f"{path}/{name}")


@given(LAYERS, LAYERS, PATHS, st.sampled_from(Right))
def test_more_layers_never_allow_more(
    one: Layer, other: Layer, path: str, right: Right,
) -> None:
    wide, narrow = PathRules((one,)), PathRules((one,)).narrowed(other)
    assert narrow.verdict(path, right) <= wide.verdict(path, right)
    assert narrow.verdict(path, right) <= PathRules((other,)).verdict(path, right)


@given(LAYERS, GLOBS, PATHS, st.sampled_from(Right))
def test_a_denial_wins_whoever_says_it(
    layer: Layer, denied: tuple[Glob, ...], path: str, right: Right,
) -> None:
    merged = PathRules((layer.merged(Layer(deny=(denied, denied))),))
    if any(covers(glob, path) for glob in denied):
        assert merged.verdict(path, right) is Verdict.DENIED
    else:
        assert merged.verdict(path, right) is PathRules((layer,)).verdict(path, right)


def test_patterns_that_would_take_others_for_ever() -> None:
    assert not covers(parse("/" + "*a" * 400 + "b"), "/" + "a" * 255)
    assert covers(parse("/" + "**/*a*/" * 140 + "a"), "/a" * 900)
    assert not covers(parse("/" + "**/a/" * 190 + "b"), "/a" * 900)


@pytest.mark.parametrize(("pattern", "places"), [
    ("/", 1), ("/a/*/b", 1), ("**", 1), ("**/a", 2), ("/x/**/a/*", 3), ("/**/a/**/b", 4)])
def test_what_a_name_costs_is_known(pattern: str, places: int) -> None:
    assert parse(pattern).places == places


@pytest.mark.parametrize(("pattern", "path"), [
    ("/", "/"), ("/**", "/"), ("**", "/a/b"), ("**/key", "/key"), ("**/key", "/a/b/key/c"),
    ("/a/**/z", "/a/z"), (r"/a\*b", "/a*b"), (r"/\{x\}", "/{x}"), ("/a:b", "/a\uf03ab"),
    ("/A", "/A/x"), ("/é", "/é"),
])
def test_patterns_that_match(pattern: str, path: str) -> None:
    assert covers(parse(pattern), path)


@pytest.mark.parametrize(("pattern", "path"), [
    (r"/a\*b", "/axb"), ("/a", "/ab"), ("/A", "/a"), ("/a/?", "/a"), ("/a/b", "/a"),
    ("/é", "/e\u0301"), ("/*", "/"),
])
def test_patterns_that_do_not(pattern: str, path: str) -> None:
    assert not covers(parse(pattern), path)


@pytest.mark.parametrize(("pattern", "reason"), [
    ("", "begins neither"), ("data", "begins neither"), ("*/a", "begins neither"),
    ("/a//b", "empty name"), ("/a/", "empty name"), ("/a/../b", "'..'"), ("/a**", "whole names"),
    ("/{home}", "{user}"), ("/{user", "{user}"), ("/a}", "{user}"), ("/a\\b", "stands before"),
    ("/" + "a" * 1000, "at most 1000"),
])
def test_patterns_that_are_none(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        parse(pattern)


def test_words_stand_for_one_name_as_it_is() -> None:
    glob = parse("/user/{user}/x", {"user": "a*", "hadoop_user": "b"})
    assert covers(glob, "/user/a*/x")
    assert not covers(glob, "/user/ab/x")
    assert not covers(parse("/user/{user}", {"user": "..", "hadoop_user": ""}), "/user")
    assert not covers(parse("/{user}", {"user": "a/b", "hadoop_user": ""}), "/a/b")


RULED = PathRules((Layer(
    ((parse("/data/*/in"), parse("/user/a")), (parse("/user/a"),)),
    ((parse("**/secret"),), (parse("**/secret"), parse("/user/a/kept"))), closed=True),))


@pytest.mark.parametrize(("path", "read", "write"), [
    ("/", "WAY", "WAY"),
    ("/data", "WAY", "DENIED"),
    ("/data/x/in/f", "ALLOWED", "DENIED"),
    ("/data/x/out", "DENIED", "DENIED"),
    ("/user/a/kept/f", "ALLOWED", "DENIED"),
    ("/user/a/b/secret/c", "DENIED", "DENIED"),
    ("/user/a/.snapshot/s1/b", "ALLOWED", "ALLOWED"),
    ("/data/x/.snapshot/s1/in/f", "ALLOWED", "DENIED"),
    ("/data/x/.snapshot/s1/in/secret", "DENIED", "DENIED"),
    ("/data/x/.snapshot/s1", "WAY", "DENIED"),
    ("/user/b/.Trash/Current/data/x/in/f", "ALLOWED", "DENIED"),
    ("/user/b/.Trash/230101000000/user/a/f", "ALLOWED", "ALLOWED"),
    ("/user/a/.Trash/Current/user/a/kept", "ALLOWED", "DENIED"),
    ("/user/a/.Trash/Current/other/secret", "DENIED", "DENIED"),
    ("/zone/.Trash/b/Current/user/a/f", "ALLOWED", "ALLOWED"),
    ("/user/b/.Trash/Current/etc", "DENIED", "DENIED"),
    ("/user/a/.Trash/Current/user/a/kept1700000000000/f", "ALLOWED", "DENIED"),
    ("/user/a/.Trash/Current/user/a/secret1700000000000", "DENIED", "DENIED"),
    ("/user/a/secret1700000000000", "ALLOWED", "ALLOWED"),
    ("/.reserved/raw/user/a", "DENIED", "DENIED"),
    ("/.reserved/.inodes/17", "DENIED", "DENIED"),
    ("/user/a/.httpfs-proxy-1", "ALLOWED", "ALLOWED"),
    ("/data/x/out/.httpfs-proxy-1/f", "DENIED", "DENIED"),
])
def test_what_paths_stand_for(path: str, read: str, write: str) -> None:
    assert (RULED.verdict(path, Right.READ).name, RULED.verdict(path, Right.WRITE).name) == (
        read, write)


@pytest.mark.parametrize(("path", "read", "write"), [
    ("/user/a", "UNKNOWN", "PARTLY"), ("/user/a/b", "UNKNOWN", "UNKNOWN"),
    ("/user/a/kept", "UNKNOWN", "PARTLY"), ("/user/a/secret", "PARTLY", "PARTLY"),
    ("/user/a/.Trash/Current", "UNKNOWN", "PARTLY"), ("/user/b/.Trash", "UNKNOWN", "UNKNOWN"),
])
def test_what_is_known_of_trees(path: str, read: str, write: str) -> None:
    assert (RULED.tree(path, Right.READ).name, RULED.tree(path, Right.WRITE).name) == (read, write)


def test_anything_may_have_its_place_in_a_trash() -> None:
    denied = (parse("/data/x"),)
    rules = PathRules((Layer(deny=(denied, ())),))
    for path in ("/user/a/.Trash", "/zone/.Trash/a"):
        assert rules.tree(path, Right.READ) is Tree.UNKNOWN
        assert rules.tree(path, Right.WRITE) is Tree.WHOLE
    assert rules.tree("/user/a", Right.READ) is Tree.WHOLE
    assert PathRules().tree("/user/a/.Trash", Right.READ) is Tree.WHOLE


def test_without_rules_everything_is_allowed() -> None:
    anybody = Principal("a", "a")
    anybody.require_read("/x")
    anybody.require_write("/.reserved/raw/x")
    anybody.require_whole("/")
    assert anybody.require_named(HdfsPath("/.httpfs-proxy-1")) == "/.httpfs-proxy-1"


def test_a_principal_with_rules() -> None:
    ruled = Principal("a", "a", rules=RULED)
    ruled.require_read("/data/x/in")
    for refused in (lambda: ruled.require_write("/data/x/in"), lambda: ruled.require_read("/data"),
                    lambda: ruled.require_named(HdfsPath("/user/a/.httpfs-proxy-1")),
                    lambda: ruled.require_whole("/user/a/b")):
        with pytest.raises(PathForbidden):
            refused()
