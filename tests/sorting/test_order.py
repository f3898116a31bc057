"""The order of records, and where output shards end."""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sorting.spark_errors import SortError, told
from app.sorting.spark_order import (
    Piece,
    Record,
    compression,
    content_key,
    cuts,
    merged,
    read_order,
    sort_key,
)


def record(name: str, key: object = None, place: tuple[int, int] = (0, 0)) -> Record:
    return merged(name, [Piece(place, ".txt", 10, key)])


def in_order(records: list[Record], kind: str, **more: str) -> list[str]:
    algorithm = {"kind": kind, "seed": "", "extension": ".cls", **more}
    return [one.name for one in sorted(records, key=lambda one: sort_key(one, algorithm))]


def test_names_are_ordered_by_their_bytes() -> None:
    names = ["b", "a10", "a2", "B", "é", "\U0001f600", "\uffee", "a"]
    expected = sorted(names, key=lambda name: name.encode())
    assert in_order([record(name) for name in names], "alphanumeric") == expected


def test_md5_none_and_shuffle() -> None:
    names = [f"r{number}" for number in range(50)]
    records = [record(name, place=(number // 7, number % 7)) for number, name in enumerate(names)]
    mixed = random.Random(5).sample(records, len(records))
    assert in_order(mixed, "none") == names
    assert in_order(mixed, "md5") == sorted(
        names, key=lambda name: hashlib.md5(name.encode()).hexdigest())
    one, same = in_order(mixed, "shuffle", seed="1"), in_order(records, "shuffle", seed="1")
    assert one == same
    assert sorted(one) == sorted(names)
    assert one != in_order(records, "shuffle", seed="2")


def test_content_is_a_number_or_a_text() -> None:
    assert content_key("x", b" -12\n", "int") == -12
    assert content_key("x", b"1e3\n", "float") == 1000.0
    assert content_key("x", b" a\n", "string") == b" a\n"
    for data, format_type, text in (
            (b"12a", "int", "no integer"), (b"", "int", "no integer"),
            (b"1.5", "int", "no integer"),
            (b"x", "float", "no number"), (b"nan", "float", "no number"),
            (b"x" * 70000, "string", "at most 65536")):
        with pytest.raises(SortError, match=text):
            content_key("dir/x.cls", data, format_type)
    records = [record("a", 10), record("b", 9), record("c", 10)]
    assert in_order(records, "content") == ["b", "a", "c"]
    with pytest.raises(SortError, match=r"record 'd' has no file \.cls"):
        in_order([record("d")], "content")


def test_files_of_one_name_are_one_record_wherever_they_come_from() -> None:
    pieces = [Piece((2, 0), ".cls", 5, 7), Piece((0, 3), ".txt", 10, None),
              Piece((1, 1), ".txt", 99, None)]
    found = merged("a", pieces)
    assert (found.key, found.size, found.duplicates) == (7, 15, ("a.txt",))
    assert [piece.place for piece in found.pieces] == [(0, 3), (2, 0)]


def test_a_shard_ends_with_the_record_that_fills_it() -> None:
    sizes = [("", size) for size in (4, 4, 4, 20, 1, 1)]
    assert [one.first for one in cuts(sizes, 10, most=None)] == [0, 3, 4]
    assert list(cuts([], 10, most=None)) == []
    with pytest.raises(SortError, match="more output shards are needed than the 2 names"):
        list(cuts(sizes, 10, most=2))


def test_shards_end_with_their_group_and_are_counted_in_it() -> None:
    sizes = [("x", 6), ("x", 6), ("x", 1), ("y", 1), ("y", 1)]
    assert [tuple(one) for one in cuts(sizes, 10, most=None)] == [
        (0, "x", 0), (2, "x", 1), (3, "y", 0)]


@given(st.lists(st.integers(1, 50), min_size=1), st.integers(1, 200))
def test_every_shard_but_the_last_is_full_and_none_by_more_than_a_record(
    sizes: list[int], limit: int,
) -> None:
    firsts = [one.first for one in cuts([("", size) for size in sizes], limit, most=None)]
    parts = [sizes[first:end] for first, end in zip(firsts, [*firsts[1:], None], strict=True)]
    assert [size for part in parts for size in part] == sizes
    assert all(sum(part) >= limit for part in parts[:-1])
    assert all(sum(part[:-1]) < limit for part in parts)


def test_an_order_file_names_the_shards_of_records() -> None:
    order, malformed = read_order(
        ["a\tone-%d\n", "\n", "b\ttwo-%d\r\n", "c", "d\tx\ty", "\tz"], "\t", most=6)
    assert order == {"a": "one-%d", "b": "two-%d"}
    assert malformed == [4, 5, 6]


def test_an_order_file_has_no_more_lines_than_there_is_memory_for() -> None:
    with pytest.raises(SortError, match=r"more than 2 lines.*sort\.memory"):
        read_order(iter(lambda: "\n", ""), "\t", most=2)


def test_compression_is_over_all_shards() -> None:
    assert compression([(10, 100), (30, 100)]) == 0.2
    assert compression([]) == 1.0


def test_what_a_worker_raised_is_found_in_sparks_words() -> None:
    text = ('An error occurred while calling o1.x.\n: org.apache.spark.SparkException: Job aborted'
            '\nTraceback (most recent call last):\n  File "x.py", line 1, in f\n'
            "app.sorting.spark_errors.SortError: shard a.tar cannot be read\n\n\tat java.lang.X\n")
    assert told(RuntimeError(text)) == "shard a.tar cannot be read"
    assert told(SortError("as it is")) == "as it is"
    assert told(ValueError("one\ntwo")) == "ValueError: one"
