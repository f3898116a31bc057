"""Content-Length wherever it is known, and the same headers for HEAD as for GET."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.client import CONTENT, OCTETS
from tests.contract.wire import Wire

if TYPE_CHECKING:
    from tests.contract.client import Files

FRAMING = ("Content-Length", "Content-Type", "Content-Encoding", "ETag", "Last-Modified", "Vary")


@pytest.mark.parametrize("url", [
    "/f/home-directory", "/f/file/status", "/f/listing", "/f/file/summary", "/f/file/content",
    "/f/file/acl", "/f/file/xattrs", "/users/me"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_head_says_what_get_says(files: Files, url: str, coding: str) -> None:
    files.put("f", b"content")
    told = [files.gateway.request(
        method, url, params={"path": files.at("f")}, headers={"Accept-Encoding": coding}).headers
        for method in ("GET", "HEAD")]
    for name in FRAMING:
        assert told[0].get(name) == told[1].get(name), name
    # What is compressed while it is read has a length that nobody knows.
    assert "Content-Length" in told[0] or (url, coding) == ("/f/file/content", "gzip")


def test_a_short_listing_has_a_length_whole_or_compressed(files: Files) -> None:
    for number in range(12):
        files.put(f"f{number}")
    plain = files.call("GET", "/f/listing", path=files.directory)
    assert int(plain.headers["Content-Length"]) == len(plain.content)
    packed = files.call("GET", "/f/listing", path=files.directory,
                        headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert 0 < int(packed.headers["Content-Length"]) < len(packed.content)
    assert packed.json() == plain.json()


def test_who_speaks_http_1_0_needs_a_length_for_a_body_only(files: Files) -> None:
    files.put("f", b"a")
    files.put("g", b"b")
    for query, status in (("", 411), ("&sources=g", 201)):
        with Wire(files.gateway) as wire:
            wire.send_head("POST", f"{CONTENT}?path={files.at('f')}{query}",
                           [] if query else [*OCTETS.items()], "HTTP/1.0")
            assert wire.answer().status == status
    assert files.read("f") == b"ab"
