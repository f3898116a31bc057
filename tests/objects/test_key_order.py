"""One directory in key order: as sorting would, wherever one begins, and what it costs."""

from __future__ import annotations

import hashlib
import tracemalloc
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.core.errors import UpstreamFault
from app.core.model import FileType, ListingPage
from app.core.objects import COLON, is_plain_name, part_of_name
from app.core.paths import HdfsPath, child_of
from app.fs.flavors import HTTPFS, NAMENODE
from app.fs.key_order import ordered
from tests.objects.trees import IN_NAMES, ROOT, Tree, few, names, order, somewhere, status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.fs.filesystem import WebHdfsFileSystem
    from app.fs.port import Flavor

directories = st.dictionaries(names, st.sampled_from([None, None, {}]), max_size=40)
beginnings = st.just("") | st.text(few | st.sampled_from(":/"), max_size=2)


def expected(tree: Mapping[str, object], after: str | None, prefix: str) -> list[str]:
    found = [part_of_name(name) + ("/" if below is not None else "")
             for name, below in tree.items() if is_plain_name(name)]
    return sorted(text for text in found
                  if text.startswith(prefix) and (after is None or text > after))


@settings(max_examples=500, deadline=None)
@given(tree=directories, after=st.none() | somewhere, prefix=beginnings,
       page=st.integers(1, 7), keep=st.integers(1, 12))
@example(tree={"é": None, "aé": {}, "a-": {}, "a": {}}, after=None, prefix="",
         page=1, keep=1)
def test_entries_come_as_sorting_would_have_them(
    tree: dict[str, object], after: str | None, prefix: str, page: int, keep: int,
) -> None:
    found = ordered(Tree(tree, page=page), ROOT, after=after, prefix=prefix, keep=keep)
    assert [text for text, _ in found] == expected(tree, after, prefix)


@settings(max_examples=100, deadline=None)
@given(tree=directories, after=st.none() | somewhere, prefix=beginnings)
def test_a_server_without_batches_is_asked_once(
    tree: dict[str, object], after: str | None, prefix: str,
) -> None:
    fs = Tree(tree, flavor=HTTPFS)
    found = [text for text, _ in ordered(fs, ROOT, after=after, prefix=prefix)]
    assert found == expected(tree, after, prefix)
    assert len(fs.calls) <= 1


def test_every_two_characters_of_ascii_and_some_more() -> None:
    tree = {first + second: None for first in IN_NAMES for second in IN_NAMES}
    del tree[".."]
    tree |= {one: {} for one in IN_NAMES if one != "."}
    fs = Tree(tree)
    for after in (None, "a", "a/", "-", "é", ":", "a:"):
        found = [text for text, _ in ordered(fs, ROOT, after=after, keep=500)]
        assert found == expected(tree, after, "")


def test_links_the_gateways_own_and_names_that_no_key_stands_for_are_left_out() -> None:
    class Odd(Tree):
        def list_page(self, path: HdfsPath, start_after: str | None = None) -> ListingPage:
            return ListingPage([
                status(".httpfs-proxy-1"), status("a:b"), status("b" * 256), status("é" * 128),
                status("link", FileType.SYMLINK), status("shown"), status("é\uf02f")], 0)

    assert [text for text, _ in ordered(Odd({}), ROOT)] == ["shown"]


def test_a_regular_file_has_no_entries() -> None:
    class File(Tree):
        def list_page(self, path: HdfsPath, start_after: str | None = None) -> ListingPage:
            return ListingPage([status("")], 0)

    assert list(ordered(File({}), ROOT)) == []


def test_a_server_that_does_not_get_on_is_a_fault() -> None:
    class Stuck(Tree):
        def list_page(self, path: HdfsPath, start_after: str | None = None) -> ListingPage:
            return ListingPage([status("a")], 1)

    with pytest.raises(UpstreamFault):
        list(ordered(Stuck({}), ROOT))


class Lazy:
    """A directory of so many files whose names are computed; `rank` says where one would be."""

    def __init__(self, size: int, name: Callable[[int], str], page: int = 1000) -> None:
        self.size = size
        self.name = name
        self.page = page
        self.calls = 0

    def flavor_of(self, _: HdfsPath) -> Flavor:
        return NAMENODE

    def list_page(self, _: HdfsPath, start_after: str | None = None) -> ListingPage:
        self.calls += 1
        low, high = 0, self.size
        while start_after is not None and low < high:
            middle = (low + high) // 2
            if order(self.name(middle)) <= order(start_after):
                low = middle + 1
            else:
                high = middle
        last = min(low + self.page, self.size)
        return ListingPage([status(self.name(i)) for i in range(low, last)], self.size - last)


COUNTERS = [
    pytest.param(lambda i: f"{i:07}", id="numbers"),
    pytest.param(lambda i: f"part-{i:07}.snappy.parquet", id="suffixes"),
    pytest.param(lambda i: f"项目报告文件-{i:07}", id="not ASCII"),
    pytest.param(lambda i: f"{i:07}{COLON}x", id="escapes"),
]
MILLION = 1_000_000


@pytest.mark.parametrize("name", COUNTERS)
@pytest.mark.parametrize("begin", [0, 1, 123_456, 499_999, 500_000, 987_654])
def test_a_page_costs_few_calls_wherever_it_begins(name: Callable[[int], str], begin: int) -> None:
    fs = Lazy(MILLION, name)
    found = ordered(fs, ROOT, after=part_of_name(name(begin)))
    texts = [text for text, _ in islice(found, 1001)]
    assert texts == [part_of_name(name(i)) for i in range(begin + 1, begin + 1002)]
    assert fs.calls <= (3 if begin == 123_456 else 7)
    before = fs.calls
    assert sum(1 for _ in islice(found, 10_000)) == 10_000
    assert fs.calls - before <= 14


@pytest.mark.parametrize("begin", [5, 40_000, 99_000])
def test_names_without_order_cost_few_calls(begin: int) -> None:
    sums = sorted(hashlib.sha256(str(i).encode()).hexdigest() for i in range(100_000))
    fs = Lazy(len(sums), sums.__getitem__)
    texts = [text for text, _ in islice(ordered(fs, ROOT, after=sums[begin]), 1001)]
    assert texts == sums[begin + 1:begin + 1002]
    assert fs.calls <= 6


@pytest.mark.parametrize("name", COUNTERS)
def test_a_large_directory_is_read_through_once(name: Callable[[int], str]) -> None:
    fs = Lazy(100_000, name)
    assert sum(1 for _ in ordered(fs, ROOT)) == 100_000
    assert fs.calls <= 100 + 8


def two_halves(i: int) -> str:
    """Return names that HDFS lists in the other order: not ASCII first, all of one beginning."""
    half, rest = divmod(i, 50_000)
    return f"report-{'é' if not half else 'e'}{rest:07}"


@pytest.mark.parametrize("name", [two_halves, lambda i: f"{i:07}é", lambda i: f"{i:07}"])
def test_memory_does_not_grow_with_the_directory(name: Callable[[int], str]) -> None:
    fs = Lazy(100_000, name)
    tracemalloc.start()
    try:
        told = ""
        for text, _ in ordered(fs, ROOT):
            assert text > told
            told = text
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * 1024 * 1024
    assert fs.calls <= 110


NASTY = [
    "a", "a-", "a-b", "a.b", "a0", "a b", "a!", "aé", "aéa", "aé中", "é", "éa", "é-", "中文", "😀",
    "\U0010fffd", "\ue000", "\ufffd", f"a{COLON}b", COLON, "\uf02e", "\uf02e\uf02e", "\uf02f",
    "a\x7f", "\x01", "A", "~", "a%41", "%", "+", "a+b", "a\nb", "\\", "e\u0301", "\x80", "#?&=;"]


def test_the_order_of_a_real_server_is_the_one_assumed(
    alice: WebHdfsFileSystem, directory: HdfsPath,
) -> None:
    for i, name in enumerate(NASTY):
        path = child_of(directory, name)
        if i % 4 == 0:
            alice.mkdirs(path)
        else:
            alice.create(path, ())
    tree = {name: {} if i % 4 == 0 else None for i, name in enumerate(NASTY)}
    told = [entry.path_suffix for entry in alice.list_page(directory).entries]
    assert told == sorted(NASTY, key=order)
    everything = expected(tree, None, "")
    assert [text for text, _ in ordered(alice, directory)] == everything
    for i, text in enumerate(everything):
        assert [one for one, _ in ordered(alice, directory, after=text)] == everything[i + 1:]
        assert [one for one, _ in ordered(alice, directory, prefix=text)] == [
            one for one in everything if one.startswith(text)]
    for after in ("a\0", "\ud800", "\U0010ffff" * 80, "a" * 900, "a/b", "a\uf03ab"):
        assert [one for one, _ in ordered(alice, directory, after=after)] == [
            one for one in everything if one > after]
