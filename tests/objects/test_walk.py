"""Listings of a bucket: as S3 tells them of a plain list of keys, and what they cost."""

from __future__ import annotations

import uuid
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors import AccessDenied
from app.core.objects import DOT, EMPTY
from app.core.paths import HdfsPath, child_of
from app.embedded.server import create_server
from app.fs.flavors import HTTPFS
from app.fs.walk import walk
from app.fs.webhdfs import WebHdfsBackend
from app.settings import BackendSettings
from tests.objects.trees import (
    ROOT,
    Told,
    Tree,
    few,
    is_marker,
    keys_of,
    listed,
    somewhere,
    trees,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.model import FileStatus, ListingPage
    from app.fs.filesystem import WebHdfsFileSystem
    from app.fs.port import FileSystem

delimiters = st.sampled_from(["", "/", "/", "-", "a", "/a", "é", "//", ":", "0/"])
Made = tuple[dict[str, object], set[HdfsPath]]


def told(fs: object, root: HdfsPath = ROOT, **options: object) -> list[Told]:
    found = walk(fs, root, is_marker=is_marker, **options)  # type: ignore[arg-type]
    return [Told(entry.key, entry.status is not None) for entry in found]


@st.composite
def questions(draw: st.DrawFn, keys: list[str]) -> tuple[str, str, str]:
    """Return prefix, delimiter and what to begin after; mostly such as have to do with `keys`."""
    near = somewhere
    if keys:
        cut = st.builds(lambda key, i: key[:i], st.sampled_from(keys), st.integers(0, 9))
        near = st.one_of(somewhere, st.sampled_from(keys), cut, cut.map(lambda key: f"{key}/"))
    beginning = st.one_of(st.just(""), st.text(few | st.just("/"), max_size=2), near)
    return draw(beginning), draw(delimiters), draw(near)


@settings(max_examples=500, deadline=None)
@given(made=trees(), page=st.integers(1, 7), keep=st.integers(1, 12), tells=st.booleans(),
       data=st.data())
def test_listings_are_those_of_a_plain_list_of_keys(
    made: Made, page: int, keep: int, tells: bool, data: st.DataObject,
) -> None:
    tree, markers = made
    keys = keys_of(tree, markers)
    fs = Tree(tree, page=page, markers=markers, tells_children=tells)
    prefix, delimiter, after = data.draw(questions(keys))
    assert told(fs, prefix=prefix, delimiter=delimiter, after=after, keep=keep) == listed(
        keys, prefix, delimiter, after)


@settings(max_examples=100, deadline=None)
@given(made=trees(), data=st.data())
def test_pages_of_every_size_make_the_whole(made: Made, data: st.DataObject) -> None:
    tree, markers = made
    keys = keys_of(tree, markers)
    fs = Tree(tree, page=2, markers=markers)
    prefix, delimiter, _ = data.draw(questions(keys))
    whole = listed(keys, prefix, delimiter, "")
    for limit in range(1, len(whole) + 1):
        pages: list[Told] = []
        while page := [Told(entry.key, entry.status is not None) for entry in islice(walk(
                fs, ROOT, prefix=prefix, delimiter=delimiter, is_marker=is_marker,  # type: ignore[arg-type]
                after=pages[-1].key if pages else ""), limit)]:
            pages += page
        assert pages == whole


@settings(max_examples=50, deadline=None)
@given(made=trees(), data=st.data())
def test_a_server_without_batches_tells_the_same(made: Made, data: st.DataObject) -> None:
    tree, markers = made
    keys = keys_of(tree, markers)
    prefix, delimiter, after = data.draw(questions(keys))
    fs = Tree(tree, markers=markers, flavor=HTTPFS)
    assert told(fs, prefix=prefix, delimiter=delimiter, after=after) == listed(
        keys, prefix, delimiter, after)


def test_a_file_that_stands_for_its_directory_where_children_are_not_told() -> None:
    fs = Tree({"0": {EMPTY: None}}, tells_children=False)
    assert told(fs, delimiter="/") == [Told("0/", is_key=False)]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebHdfsFileSystem]:
    """Yield the embedded backend with pages of three entries."""
    server = create_server(tmp_path_factory.mktemp("embedded"), superuser="alice", listing_page=3)
    backend = WebHdfsBackend(BackendSettings(url=("embedded:",)), wsgi=server)
    yield backend.as_user("alice")
    backend.close()


def plant(fs: FileSystem, path: HdfsPath, tree: dict[str, object], markers: set[HdfsPath],
          modelled: HdfsPath = ROOT) -> None:
    fs.mkdirs(path, "777" if modelled in markers else "755")
    for name, below in tree.items():
        where = child_of(path, name)
        if isinstance(below, dict):
            plant(fs, where, below, markers, child_of(modelled, name))
        else:
            fs.create(where, ())


@settings(max_examples=40, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=trees(), data=st.data())
def test_listings_of_the_embedded_backend(
    embedded: WebHdfsFileSystem, made: Made, data: st.DataObject,
) -> None:
    tree, markers = made
    root = HdfsPath(f"/{uuid.uuid4().hex}")
    plant(embedded, root, tree, markers)
    keys = keys_of(tree, markers)
    assert told(embedded, root) == listed(keys, "", "", "")
    for _ in range(3):
        prefix, delimiter, after = data.draw(questions(keys))
        assert told(embedded, root, prefix=prefix, delimiter=delimiter, after=after) == listed(
            keys, prefix, delimiter, after)


def test_directories_count_with_their_slash() -> None:
    tree: dict[str, object] = {name: {"x": None} for name in ("a", "a-b", "a.b", "a0")}
    tree |= dict.fromkeys(("a!", "a\uf03a", "a1", "aé"))
    assert [one.key for one in told(Tree(tree))] == [
        "a!", "a-b/x", "a.b/x", "a/x", "a0/x", "a1", "a:", "aé"]


def test_a_file_stands_for_the_key_of_its_directory_once() -> None:
    fs = Tree({"d": {EMPTY: None, "x": None}, DOT: None, EMPTY: {DOT * 2: None}},
              markers=["/bucket/d"])
    found = list(walk(fs, ROOT, is_marker=is_marker))  # type: ignore[arg-type]
    assert [entry.key for entry in found] == [".", "/..", "d/", "d/x"]
    assert found[2].path == f"/bucket/d/{EMPTY}"
    assert found[2].status
    assert not found[2].status.is_directory


def test_a_marker_names_its_directory() -> None:
    fs = Tree({"d": {"e": {"x": None}, "f": {}}},
              markers=["/bucket/d", "/bucket/d/e", "/bucket/d/f"])
    for prefix in ("", "d", "d/"):
        found = list(walk(fs, ROOT, prefix=prefix, is_marker=is_marker))  # type: ignore[arg-type]
        assert [(entry.key, entry.path) for entry in found] == [
            ("d/", "/bucket/d"), ("d/e/", "/bucket/d/e"), ("d/e/x", "/bucket/d/e/x"),
            ("d/f/", "/bucket/d/f")]


def test_a_file_that_would_have_no_key_is_not_told() -> None:
    assert told(Tree({EMPTY: None})) == []


def test_keys_longer_than_keys_may_be_are_left_out() -> None:
    tree: dict[str, object] = {"x": None, "y" * 24: None, "z" * 25: None, "é" * 12: None,
                               "é" * 13: None}
    for _ in range(4):
        tree = {"d" * 249: tree}
    base = f"{'d' * 249}/" * 4
    assert [one.key[len(base):] for one in told(Tree(tree))] == ["x", "y" * 24, "é" * 12]


@pytest.mark.parametrize(("prefix", "calls"), [
    ("no/such/", 1), ("no/such/x", 1), ("a/b/c", 1), (f"{DOT}/x", 0), ("x" * 300 + "/", 0),
    (".httpfs-proxy-x/", 0), ("a\0/", 0), ("\ud800/x", 0), ("d/" * 600, 0), ("nothing", 2)])
def test_a_prefix_that_leads_nowhere_lists_nothing(prefix: str, calls: int) -> None:
    fs = Tree({"a": {"x": None}, "b": None})
    assert told(fs, prefix=prefix) == []
    assert len(fs.calls) <= calls


def test_a_prefix_leads_straight_to_its_directory() -> None:
    fs = Tree({"a": {f"{i}": {f"{j}": None for j in range(9)} for i in range(50)}})
    assert [one.key for one in told(fs, prefix="a/7/3")] == ["a/7/3"]
    assert [path for path, _ in fs.calls] == ["/bucket/a/7"]


def test_through_a_regular_file_there_is_nothing(
    alice: WebHdfsFileSystem, directory: HdfsPath,
) -> None:
    alice.create(child_of(directory, "file"), ())
    for prefix in ("file/", "file/x", "file/x/"):
        assert told(alice, directory, prefix=prefix) == []
        assert told(alice, directory, prefix=prefix, after=f"{prefix}a/b/c") == []
    assert told(alice, directory, after="file/a/b") == []


def test_nothing_is_hidden_by_what_may_not_be_listed() -> None:
    class Closed(Tree):
        def list_page(self, path: HdfsPath, start_after: str | None = None) -> ListingPage:
            if path == "/bucket/b":
                raise AccessDenied(path)
            return super().list_page(path, start_after)

    fs = Closed({"a": None, "b": {"x": None}, "c": None})
    with pytest.raises(AccessDenied):
        told(fs)
    assert told(fs, delimiter="/") == [("a", True), ("b/", False), ("c", True)]


def test_what_vanishes_meanwhile_is_passed_over() -> None:
    fs = Tree({"a": {"x": None}, "b": {"c": {"y": None}}, "d": None}, markers=["/bucket/a"])
    fs.remove(HdfsPath("/bucket/a"))
    fs.remove(HdfsPath("/bucket/b/c"))
    assert told(fs) == [("d", True)]
    assert told(fs, after="b/c/x") == [("d", True)]


def test_a_place_deep_in_directories_that_never_were_costs_little() -> None:
    fs = Tree({"b": None})
    assert told(fs, after="a/" * 511 + "a") == [("b", True)]
    assert len(fs.calls) <= 14


# --- what it costs


def test_a_directory_is_a_common_prefix_without_a_look() -> None:
    fs = Tree({f"{i:04}": {"x": None, "y": {}} for i in range(1000)})
    asked: list[HdfsPath] = []

    def never(path: HdfsPath, _: FileStatus) -> bool:
        asked.append(path)
        return False

    found = list(walk(fs, ROOT, delimiter="/", is_marker=never))  # type: ignore[arg-type]
    assert len(found) == 1000
    assert len(fs.calls) == 1
    assert asked == []


def test_an_empty_directory_is_told_if_it_is_a_key() -> None:
    fs = Tree({"a": {}, "b": {}}, markers=["/bucket/b"])
    assert told(fs, delimiter="/") == [("b/", False)]
    assert told(fs) == [("b/", True)]


@pytest.mark.parametrize("delimiter", ["-", "0-"])
def test_the_rest_of_a_common_prefix_is_passed_over_by_seeking(delimiter: str) -> None:
    fs = Tree({f"{i}0-{j:05}": None for i in range(3) for j in range(30_000)})
    assert [one.key for one in told(fs, delimiter=delimiter)] == ["00-", "10-", "20-"]
    assert len(fs.calls) <= 15


def test_directories_of_a_common_prefix_are_not_looked_into() -> None:
    fs = Tree({"a-b": {"x": None}, "a-c": {"d": {"x": None}}, "b": {"-": None, "c": {"x": None}}})
    assert told(fs, delimiter="-") == [("a-", False), ("b/-", False), ("b/c/x", True)]
    assert not any("a-" in path for path, _ in fs.calls)


def test_a_common_prefix_that_one_begins_after_is_not_looked_into() -> None:
    fs = Tree({"a": {"x": None}, "b": {"x": None}})
    assert told(fs, delimiter="/", after="a/") == [("b/", False)]
    assert {path for path, _ in fs.calls} == {"/bucket"}
    assert told(fs, delimiter="/", after="a/w") == [("a/", False), ("b/", False)]


def test_going_down_and_up_again_costs_a_call_for_each_directory() -> None:
    tree = {f"{i}": {f"{j}": {f"{k}": None for k in range(5)} for j in range(10)}
            for i in range(10)}
    fs = Tree(tree)
    assert len(told(fs)) == 500
    assert len(fs.calls) == 111


def test_a_deep_tree_is_read_on_where_it_was_let_go() -> None:
    tree: dict[str, object] = {"z": None}
    for _ in range(30):
        tree = {"d": tree, "e": {"x": None}, "f": None}
    fs = Tree(tree)
    assert [one.key for one in told(fs)] == keys_of(tree)
    assert len(fs.calls) <= 31 + 30 + 2 * 30
