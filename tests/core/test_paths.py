"""Whatever a user writes, no path leaves their root."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import InvalidPath
from app.core.identity import Principal
from app.core.paths import (
    MAX_NAME_BYTES,
    MAX_PATH_CHARS,
    MAX_PATH_DEPTH,
    ROOT,
    HdfsPath,
    absolute,
    check_name,
    child_of,
    is_inside,
    name_of,
    parent_of,
    resolve,
)

HOME = HdfsPath("/user/alice")
NAMES = st.text(
    st.characters(exclude_characters="/:\0", exclude_categories=("Cs",)), min_size=1, max_size=60,
).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(NAMES, max_size=6).map(lambda names: HdfsPath("/" + "/".join(names)))
SEGMENTS = st.one_of(NAMES, st.sampled_from(["", ".", "..", "a:b", "\0", "x" * 256, "\ud800"]))


@pytest.mark.parametrize(("text", "path"), [
    ("", "/user/alice"), (".", "/user/alice"), ("a", "/user/alice/a"), ("a/", "/user/alice/a"),
    ("./a//b/.", "/user/alice/a/b"), ("..", "/user"), ("../..", "/"), ("../bob/x", "/user/bob/x"),
    ("/", "/"), ("//", "/"), ("///a", "/a"), ("/a/../b", "/b"), ("/a/b/../..", "/"),
    ("#LATEST", "/user/alice/#LATEST"), ("~", "/user/alice/~"), ("/%2e%2e", "/%2e%2e"),
    ("/a b+c%;?\\\"'\n\U0001f40b", "/a b+c%;?\\\"'\n\U0001f40b"), ("/...", "/..."),
])
def test_where_a_path_leads(text: str, path: str) -> None:
    assert resolve(text, root=ROOT, home=HOME) == path


@pytest.mark.parametrize(("text", "reason"), [
    ("../../..", "leaves the root"), ("/..", "leaves the root"), ("/a/../../a", "leaves the root"),
    ("a\0b", "NUL"), ("a:b", "':'"), ("/x/\ud800", "Unicode"),
    ("é" * 128, "has 256"), ("a/" * (MAX_PATH_DEPTH + 1), "1000 names"),
    (f"{'x' * 200}/" * 41, f"{MAX_PATH_CHARS} characters"),
])
def test_what_cannot_be_a_path(text: str, reason: str) -> None:
    with pytest.raises(InvalidPath, match=reason) as caught:
        resolve(text, root=ROOT, home=HOME)
    assert caught.value.value == text


def test_the_longest_name_and_the_deepest_path_are_allowed() -> None:
    assert check_name("é" * 127 + "e") == "é" * 127 + "e"
    assert len("é" * 127 + "e") * 2 - 1 == MAX_NAME_BYTES
    assert resolve("/a" * MAX_PATH_DEPTH, root=ROOT, home=HOME) == "/a" * MAX_PATH_DEPTH


@pytest.mark.parametrize(("text", "path"), [
    ("/", "/data/team"), ("x", "/data/team/x"), ("/x", "/data/team/x"), ("", "/data/team"),
    ("/data/team/x", "/data/team/data/team/x"), ("x/..", "/data/team"),
])
def test_a_confined_user_whose_home_is_elsewhere_starts_at_the_root(text: str, path: str) -> None:
    assert resolve(text, root=HdfsPath("/data/team"), home=HOME) == path


def test_a_confined_user_whose_home_is_inside_starts_there() -> None:
    root = HdfsPath("/user")
    assert resolve("x", root=root, home=HOME) == "/user/alice/x"
    assert resolve("../x", root=root, home=HOME) == "/user/x"
    with pytest.raises(InvalidPath):
        resolve("../../x", root=root, home=HOME)
    # A name that merely begins like the root is not inside.
    assert resolve("x", root=HdfsPath("/user/al"), home=HOME) == "/user/al/x"


@settings(deadline=None)
@given(segments=st.lists(SEGMENTS, max_size=12), slash=st.booleans(), root=PATHS, home=PATHS)
def test_nothing_resolves_outside_the_root(
    segments: list[str], slash: bool, root: HdfsPath, home: HdfsPath,
) -> None:
    text = ("/" if slash else "") + "/".join(segments)
    try:
        path = resolve(text, root=root, home=home)
    except InvalidPath:
        return
    assert path == root or path.startswith(root.rstrip("/") + "/")
    assert path == "/" or not path.endswith("/")
    names = path.split("/")[1:] if path != "/" else []
    assert all(name and name not in (".", "..") and ":" not in name for name in names)


@settings(deadline=None)
@given(path=PATHS, root=PATHS, home=PATHS)
def test_a_resolved_path_resolves_to_itself(
    path: HdfsPath, root: HdfsPath, home: HdfsPath,
) -> None:
    real = resolve(path, root=root, home=home)
    assert real == (path if root == "/" else root if path == "/" else root + path)
    assert absolute(real) == real
    shown = Principal("alice", "alice", root=root).visible(real)
    assert shown == path
    assert resolve(shown, root=root, home=home) == real


@settings(deadline=None)
@given(directory=PATHS, name=NAMES)
def test_a_child_knows_its_name_and_parent(directory: HdfsPath, name: str) -> None:
    child = child_of(directory, name)
    assert name_of(child) == name
    assert parent_of(child) == directory
    assert is_inside(child, directory)
    assert not is_inside(directory, child)
    assert not is_inside(HdfsPath(child + "x"), child)
    assert check_name(name) == name


def test_the_root_is_its_own_parent() -> None:
    assert parent_of(ROOT) == ROOT
    assert name_of(ROOT) == ""
    assert child_of(ROOT, "") == ROOT


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a:b", "\0", "x" * 256])
def test_what_cannot_be_a_name(name: str) -> None:
    with pytest.raises(InvalidPath):
        check_name(name)


def test_a_configured_path_is_absolute() -> None:
    assert absolute("/a//b/") == "/a/b"
    with pytest.raises(InvalidPath, match="start with '/'"):
        absolute("a")


def test_what_lies_outside_is_not_shown() -> None:
    confined = Principal("alice", "alice", root=HdfsPath("/data/team"))
    assert confined.visible("/data/team") == "/"
    assert confined.visible("/data/team/x") == "/x"
    assert confined.visible("/data/teammates/x") == "/"
    assert confined.visible("/etc") == "/"
