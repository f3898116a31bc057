"""Entries: trees of any depth and size, read as they are asked for, and changed one by one."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from app.core.errors import AccessDenied, NotADirectory, PathNotFound
from app.core.lifetimes import Lifetime, TtlAction
from app.core.model import FileStatus, FileType, ListingPage
from app.core.paths import HdfsPath, is_inside, parent_of
from app.fs.entries import below, missing_parent
from app.fs.entry_changes import EntryChange, EntryChanges

PAGE = 10
ROOT = HdfsPath("/")


def status(name: str, *, folder: bool) -> FileStatus:
    kind = FileType.DIRECTORY if folder else FileType.FILE
    return FileStatus(kind, name, "755", 0, 0, 0, 0, "alice", "staff", 3, 7)


class Tree:
    """A file system of directories that all hold the same; it counts what it is asked.

    Directories above `depth` have `width` directories (d0, d1, …) and a file each.
    """

    user = "alice"

    def __init__(self, width: int, depth: int) -> None:
        self.width = width
        self.depth = depth
        self.pages = 0
        self.changed: list[str] = []
        self.forbidden = ""
        self.gone: set[str] = set()

    def status(self, path: HdfsPath) -> FileStatus:
        if path in self.gone or path.endswith("missing"):
            raise PathNotFound(path)
        return status("", folder=not path.endswith("file"))

    def list_page(self, path: HdfsPath, start_after: str | None = None) -> ListingPage:
        self.pages += 1
        if path in self.gone:
            raise PathNotFound(path)
        if path.count("/") - (path == "/") >= self.depth:
            return ListingPage([], 0)
        names = [f"d{number:06}" for number in range(self.width)] + ["file"]
        first = names.index(start_after) + 1 if start_after else 0
        shown = names[first:first + PAGE]
        return ListingPage([status(name, folder=name != "file") for name in shown],
                           len(names) - first - len(shown))

    def set_permission(self, path: HdfsPath, _permission: str) -> None:
        if path == self.forbidden:
            raise AccessDenied(path, "not yours")
        self.changed.append(path)

    def set_replication(self, path: HdfsPath, replication: int) -> bool:
        self.changed.append(f"{path}={replication}")
        return True


def paths(tree: Any, *, recursive: bool = True) -> list[str]:
    return [path for path, _ in below(tree, ROOT, recursive=recursive)]


def test_a_tree_is_told_in_order() -> None:
    assert paths(Tree(2, 2)) == [
        "/d000000", "/d000000/d000000", "/d000000/d000001", "/d000000/file",
        "/d000001", "/d000001/d000000", "/d000001/d000001", "/d000001/file", "/file"]
    assert paths(Tree(2, 2), recursive=False) == ["/d000000", "/d000001", "/file"]


def test_no_more_is_read_than_is_asked_for() -> None:
    tree: Any = Tree(1_000_000, 1)
    found = below(tree, ROOT, recursive=False)
    assert tree.pages == 1
    assert len(list(islice(found, 25))) == 25
    assert tree.pages == 3


def test_any_depth() -> None:
    # As deep as HDFS allows.
    assert len(paths(Tree(1, 1000))) == 2 * 1000


def test_what_vanishes_holds_nothing() -> None:
    tree = Tree(1, 3)
    tree.gone = {"/d000000/d000000"}
    assert paths(tree) == ["/d000000", "/d000000/d000000", "/d000000/file", "/file"]


@pytest.mark.parametrize(("path", "root", "missing"), [
    ("/a/b", "/", None), ("/missing/a/b/c", "/", "/missing"), ("/a", "/", None), ("/", "/", None),
    ("/a/missing/missing/x", "/", "/a/missing"), ("/missing/a", "/missing", "/missing"),
    ("/missing", "/missing", None), ("/missing/missing/b", "/missing/missing", "/missing/missing")])
def test_the_first_name_that_is_missing(path: str, root: str, missing: str | None) -> None:
    tree: Any = Tree(0, 0)

    def look(asked: HdfsPath) -> FileStatus:
        assert is_inside(asked, HdfsPath(root))
        if "missing" in asked:
            raise PathNotFound(asked)
        return status("", folder=True)

    tree.status = look
    assert missing_parent(tree, HdfsPath(path), HdfsPath(root)) == missing


def test_a_file_in_the_way() -> None:
    tree: Any = Tree(0, 0)
    look = tree.status

    def below_a_file(path: HdfsPath) -> FileStatus:
        if "file/" in path:
            raise PathNotFound(path)
        return look(path)  # type: ignore[no-any-return]

    tree.status = below_a_file
    with pytest.raises(NotADirectory) as refused:
        missing_parent(tree, HdfsPath("/a/file/b/c"), ROOT)
    assert refused.value.path == "/a/file"


# --- changes


def changed(tree: Tree, change: EntryChange, *, recursive: bool = True) -> list[str]:
    lifetimes: Any = None
    fs: Any = tree
    EntryChanges(fs, lifetimes, "alice").make(ROOT, change, recursive=recursive)
    return tree.changed


def test_directories_come_first_unless_they_could_not_be_entered_then() -> None:
    def order(mode: str) -> list[str]:
        return changed(Tree(2, 2), EntryChange(permission=mode))

    opening, closing = order("700"), order("644")
    assert sorted(opening) == sorted(closing)
    assert len(opening) == len(set(opening)) == 10
    for found, is_first in ((opening, True), (closing, False)):
        for path in found:
            if path != "/":
                parent = found.index(parent_of(HdfsPath(path)))
                assert (parent < found.index(path)) == is_first, (path, found)


@pytest.mark.parametrize("mode", ["755", "000"])
def test_a_deep_tree_is_changed(mode: str) -> None:
    assert len(changed(Tree(1, 1000), EntryChange(permission=mode))) == 2001


def test_one_alone() -> None:
    assert changed(Tree(2, 2), EntryChange(permission="700"), recursive=False) == ["/"]
    assert changed(Tree(2, 2), EntryChange(), recursive=True) == []


def test_what_fails_says_how_far_it_came() -> None:
    tree = Tree(2, 2)
    tree.forbidden = "/d000001"
    with pytest.raises(AccessDenied, match="not yours; 5 were changed before") as refused:
        changed(tree, EntryChange(permission="755"))
    assert refused.value.path == "/d000001"
    assert len(tree.changed) == 5


def test_what_vanishes_is_passed_over_and_what_was_named_is_not() -> None:
    tree = Tree(1, 2)
    tree.gone = {"/d000000"}
    assert changed(tree, EntryChange(permission="755")) == ["/", "/d000000", "/file"]
    tree.gone = {"/"}
    with pytest.raises(PathNotFound):
        changed(tree, EntryChange(permission="755"))


def test_only_files_have_replicas() -> None:
    assert changed(Tree(1, 1), EntryChange(least=5)) == ["/file=5"]
    assert changed(Tree(1, 1), EntryChange(least=1, most=3)) == []


@pytest.mark.parametrize(("change", "before", "after"), [
    (EntryChange(least=2), 1, 2), (EntryChange(least=2), 3, 3), (EntryChange(most=2), 3, 2),
    (EntryChange(most=2), 1, 1), (EntryChange(least=0, most=0), 3, 1),
    (EntryChange(least=2, most=2), 1, 2), (EntryChange(), 3, 3)])
def test_factors(change: EntryChange, before: int, after: int) -> None:
    assert change.factor(before) == after


OLD = Lifetime(5, TtlAction.DELETE, 100, pinned=True)


@pytest.mark.parametrize(("change", "before", "after"), [
    (EntryChange(pinned=False), OLD, OLD._replace(pinned=False)),
    (EntryChange(ttl=7), OLD, Lifetime(7, TtlAction.DELETE, 900, pinned=True)),
    (EntryChange(ttl=7, action=TtlAction.FREE), OLD, Lifetime(7, TtlAction.FREE, 900, pinned=True)),
    (EntryChange(action=TtlAction.FREE), OLD, OLD._replace(action=TtlAction.FREE)),
    (EntryChange(ttl=-1, action=TtlAction.DELETE), OLD, Lifetime(pinned=True)),
    (EntryChange(ttl=-5, pinned=False), OLD, Lifetime()),
    (EntryChange(ttl=0), Lifetime(), Lifetime(0, TtlAction.FREE, 900))])
def test_lifetimes(change: EntryChange, before: Lifetime, after: Lifetime) -> None:
    assert change.lifetime(before, 900) == after
