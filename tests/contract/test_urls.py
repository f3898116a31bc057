"""URLs and methods that are not served, and what every answer carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.client import CONTENT, OCTETS, errors_of

if TYPE_CHECKING:
    from tests.contract.client import Files

METHODS = {
    "/f/home-directory": {"GET"}, "/f/file/status": {"GET"}, "/f/file/checksum": {"GET"},
    "/f/listing": {"GET"}, "/f/file/summary": {"GET"}, "/f/directory": {"PUT"},
    CONTENT: {"GET", "HEAD", "PUT", "POST", "DELETE"}, "/f/name": {"PUT"}, "/f/file": {"DELETE"},
    "/f/file/permission": {"PUT"}, "/f/file/replication": {"PUT"}, "/f/archive": {"GET"},
}


@pytest.mark.parametrize("url", [
    "/f", "/f/", "/f/nothing", "/f/file/", "/f/file/content/", "/f/file/contents", "/f//listing",
    "/f/file/status/x", "/F/listing", "/f/%2e%2e/listing", "/f/listing;x", "/nothing", "/f/\u00e9",
])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_urls_that_are_not_served(files: Files, method: str, url: str) -> None:
    answer = files.call(method, url, 404, path="x")
    assert "no such URL" in errors_of(answer)
    files.by(None).call(method, url, 404, path="x")


@pytest.mark.parametrize("url", METHODS)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE",
                                    "PROPFIND"])
def test_methods_that_are_not_served(files: Files, url: str, method: str) -> None:
    if method in METHODS[url]:
        return
    answer = files.call(method, url, 405, path=files.at("x"))
    allowed = set(answer.headers["Allow"].split(", "))
    assert METHODS[url] <= allowed
    assert method not in allowed


def test_a_body_where_none_is_wanted_does_not_matter(files: Files) -> None:
    files.call("PUT", "/f/directory", 201, path=files.at("d"), data=b"body", headers=OCTETS)
    files.call("GET", "/f/listing", path=files.at("d"), data=b"body")
    files.call("DELETE", "/f/file", 204, path=files.at("d"), data=b"x" * 500_000)
    assert files.names() == []


def test_unknown_parameters_do_not_matter(files: Files) -> None:
    files.put("f", b"x", colour="blue")
    assert files.status("f")["length"] == 1


def test_json_is_compressed_where_it_is_long_and_asked_for(files: Files) -> None:
    answer = files.call(
        "GET", "/f/home-directory", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers


def test_request_ids_differ(files: Files) -> None:
    answers = [files.call("GET", "/f/home-directory") for _ in range(3)]
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == 3


def test_nothing_is_kept_by_caches(files: Files) -> None:
    files.put("f", b"x")
    for answer in (files.get("f"), files.call("GET", "/f/listing", path=files.directory)):
        assert "no-cache" in answer.headers["Cache-Control"]
        assert "private" in answer.headers["Cache-Control"]
