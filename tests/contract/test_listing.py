"""Listings: pages, order, limits, files."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.client import errors_of

if TYPE_CHECKING:
    from tests.contract.client import Files

NAMES = ["a", "b", "b2", "c", "d", "e"]


@pytest.fixture
def filled(files: Files) -> Files:
    """Return a directory with the NAMES in it."""
    for name in NAMES:
        files.mkdir(name)
    return files


def listing(files: Files, expect: int = 200, **more: Any) -> Any:
    """Return the result of a listing."""
    answer = files.call("GET", "/f/listing", expect, path=files.directory, **more)
    return answer.json()["result"] if expect == 200 else answer


def names_of(result: Any) -> list[str]:
    """Return the names in a result."""
    return [entry["pathSuffix"] for entry in result["statuses"]]


def test_a_file_lists_as_itself(files: Files) -> None:
    files.put("f", b"x")
    result = files.call("GET", "/f/listing", path=files.at("f")).json()["result"]
    assert result["statuses"] == [files.status("f")]
    assert result["statuses"][0]["pathSuffix"] == ""
    for after in ("a", "z"):
        assert files.call(
            "GET", "/f/listing", path=files.at("f"), start_after=after).json()["result"] == result


@pytest.mark.parametrize(("limit", "expected", "following"), [
    (1, NAMES[:1], "a"), (2, NAMES[:2], "b"), (5, NAMES[:5], "d"), (6, NAMES, None),
    (7, NAMES, None), (1_000_000_000, NAMES, None),
])
def test_limits(filled: Files, limit: int, expected: list[str], following: str | None) -> None:
    result = listing(filled, limit=str(limit))
    assert set(result) == {"statuses", "next"}
    assert names_of(result) == expected
    assert result["next"] == following


@pytest.mark.parametrize(("after", "expected"), [
    ("a", NAMES[1:]), ("b", NAMES[2:]), ("b1", NAMES[2:]), ("e", []), ("zzz", []), ("A", NAMES),
])
def test_start_after(filled: Files, after: str, expected: list[str]) -> None:
    assert names_of(listing(filled, start_after=after)) == expected


def test_walking_by_pages(filled: Files) -> None:
    seen: list[str] = []
    result = listing(filled, limit="4")
    while True:
        seen += names_of(result)
        if result["next"] is None:
            break
        result = listing(filled, limit="4", start_after=result["next"])
    assert seen == NAMES


def test_walking_over_odd_names_in_the_order_of_hdfs(files: Files) -> None:
    # HDFS compares bytes with a sign: what is not ASCII comes first.
    odd = ["\U0001f600", "é", "日本", " b", "#LATEST", "%41", "A", "a", "a b", "~"]
    for name in odd:
        files.mkdir(name)
    ordered = files.names()
    assert sorted(ordered) == sorted(odd)
    assert ordered == sorted(odd, key=lambda name: name.encode().translate(
        bytes(byte ^ 0x80 for byte in range(256))))
    seen: list[str] = []
    result = listing(files, limit="1")
    for _ in odd:
        seen += names_of(result)
        if result["next"] is not None:
            result = listing(files, limit="1", start_after=result["next"])
    assert seen == ordered


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5", ""])
def test_limits_that_are_none(filled: Files, limit: str) -> None:
    answer = listing(filled, 400, limit=limit)
    assert "'limit'" in errors_of(answer)


def test_more_entries_than_a_page_of_hdfs(files: Files) -> None:
    names = [f"dir-{i:04}" for i in range(1100)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(files.mkdir, names))
    assert files.names() == names
    result = listing(files, limit="1050", start_after="dir-0009")
    assert names_of(result) == names[10:1060]
    assert result["next"] == "dir-1059"
    result = listing(files, limit="1000")
    assert (names_of(result), result["next"]) == (names[:1000], "dir-0999")


def test_long_listings_are_compressed_where_asked_for(filled: Files) -> None:
    plain = listing(filled)
    answer = filled.call("GET", "/f/listing", path=filled.directory,
                         headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert answer.json()["result"] == plain


def test_listings_that_are_not_allowed(files: Files) -> None:
    files.mkdir("private", permission="700")
    answer = files.by("other").call("GET", "/f/listing", 403, path=files.at("private"))
    assert files.at("private") in errors_of(answer)
    files.by("other").call("GET", "/f/file/status", 403, path=files.at("private/x"))
