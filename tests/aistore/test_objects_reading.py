"""Parts of objects, conditions, and what a browser may make of an object."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
import xxhash

from tests.aistore.conftest import error_of

if TYPE_CHECKING:
    from tests.aistore.conftest import AIStore

CONTENT = b"0123456789abcdefghijklmnopqrstuvwxyz"
SIZE = len(CONTENT)
ETAG = f'"{hashlib.md5(CONTENT).hexdigest()}"'
LATER, EARLIER = "Fri, 01 Jan 2100 00:00:00 GMT", "Sat, 01 Jan 2000 00:00:00 GMT"


@pytest.fixture
def there(ais: AIStore) -> AIStore:
    """Return a client whose bucket has the object `obj`."""
    ais.put("bck", "obj", CONTENT)
    return ais


PARTS: list[tuple[int | str | None, int | str | None, bytes]] = [
    (0, 5, CONTENT[:5]), (10, 5, CONTENT[10:15]), (30, 500, CONTENT[30:]), (0, SIZE, CONTENT),
    (SIZE - 1, 1, CONTENT[-1:]), (SIZE, 7, b""), (700, 7, b""), (2**62, 2**62, b""),
    (10, None, CONTENT[10:]), (None, 5, CONTENT[:5]), ("", "", CONTENT),
]


def test_offset_and_length(everywhere: AIStore) -> None:
    """Past the end there is nothing, and that is no error: so AIStore of 2020 has it."""
    everywhere.put("bck", "obj", CONTENT)
    for offset, length, expected in PARTS:
        got = everywhere.object("GET", "bck", "obj", offset=offset, length=length)
        assert (got.status_code, got.content) == (200, expected)
        assert got.headers["Content-Length"] == str(len(expected))
        assert "Content-Range" not in got.headers
        assert got.headers["Objsize"] == str(SIZE)
        digest = xxhash.xxh64_hexdigest(CONTENT) if expected == CONTENT else None
        assert got.headers.get("Objcksumval") == got.headers.get("Checksum.value") == digest


@pytest.mark.parametrize("query", [
    {"offset": -1, "length": 5}, {"offset": 0, "length": 0}, {"offset": "x"}, {"length": "1.5"},
    {"offset": 0, "length": -3}, {"offset": 10**30},
])
def test_what_is_no_part(there: AIStore, query: dict[str, object]) -> None:
    error_of(there.object("GET", "bck", "obj", **query), 400)


RANGES = [
    ("bytes=0-4", 0, CONTENT[:5]), ("bytes=10-", 10, CONTENT[10:]),
    ("bytes=-6", SIZE - 6, CONTENT[-6:]), ("bytes=-600", 0, CONTENT),
    ("bytes=30-600", 30, CONTENT[30:]), ("bytes=0-0", 0, CONTENT[:1]),
]


def test_ranges(everywhere: AIStore) -> None:
    everywhere.put("bck", "obj", CONTENT)
    for header, first, expected in RANGES:
        got = everywhere.object("GET", "bck", "obj", headers={"Range": header})
        assert (got.status_code, got.content) == (206, expected), header
        assert got.headers["Content-Range"] == f"bytes {first}-{first + len(expected) - 1}/{SIZE}"
        assert ("Objcksumval" in got.headers) == (expected == CONTENT)


@pytest.mark.parametrize("header", ["bytes=36-", "bytes=700-800", "bytes=-0"])
def test_a_range_past_the_end(there: AIStore, header: str) -> None:
    answer = there.object("GET", "bck", "obj", headers={"Range": header})
    error_of(answer, 416)
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize("header", ["lines=1-2", "bytes=5-2", "bytes=1-2,4-5", "bytes=x"])
def test_a_range_that_does_not_count(there: AIStore, header: str) -> None:
    got = there.object("GET", "bck", "obj", headers={"Range": header})
    assert (got.status_code, got.content) == (200, CONTENT)


def test_ranges_and_other_things(there: AIStore) -> None:
    part = {"Range": "bytes=0-4"}
    error_of(there.object("GET", "bck", "obj", headers=part, offset=1, length=2), 400)
    told = there.object("HEAD", "bck", "obj", headers=part)  # Range is for GET (RFC 9110, 14.2)
    assert (told.status_code, told.headers["Content-Length"]) == (200, str(SIZE))
    same = there.object("GET", "bck", "obj", headers={**part, "If-Range": ETAG})
    assert (same.status_code, same.content) == (206, CONTENT[:5])
    other = there.object("GET", "bck", "obj", headers={**part, "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, CONTENT)
    there.put("bck", "empty", b"")
    error_of(there.object("GET", "bck", "empty", headers=part), 416)
    assert there.get("bck", "empty", offset=0, length=9) == b""
    for name in ("archpath", "uuid"):
        error_of(there.object("GET", "bck", "obj", **{name: "x"}), 501)


@pytest.mark.parametrize(("headers", "status"), [
    ({"If-None-Match": ETAG}, 304), ({"If-None-Match": "*"}, 304),
    ({"If-None-Match": '"other"'}, 200), ({"If-Modified-Since": LATER}, 304),
    ({"If-Modified-Since": EARLIER}, 200), ({"If-Match": ETAG}, 200), ({"If-Match": "*"}, 200),
    ({"If-Match": '"other"'}, 412), ({"If-Unmodified-Since": EARLIER}, 412),
    ({"If-Unmodified-Since": LATER}, 200),
])
def test_conditions_on_reading(there: AIStore, headers: dict[str, str], status: int) -> None:
    for method in ("GET", "HEAD"):
        answer = there.object(method, "bck", "obj", headers=headers)
        assert answer.status_code == status, method
        if status == 304:
            assert (answer.content, answer.headers["ETag"]) == (b"", ETAG)
        if status == 412:
            error_of(answer, 412)


@pytest.mark.parametrize(("headers", "status"), [
    ({"If-None-Match": "*"}, 412), ({"If-None-Match": ETAG}, 412),
    ({"If-None-Match": '"other"'}, 200), ({"If-Match": ETAG}, 200),
    ({"If-Match": '"other"'}, 412), ({"If-Unmodified-Since": EARLIER}, 412),
])
def test_conditions_on_changes(there: AIStore, headers: dict[str, str], status: int) -> None:
    put = there.object("PUT", "bck", "obj", data=b"new", headers=headers)
    assert put.status_code == status
    assert there.get("bck", "obj") == (b"new" if status == 200 else CONTENT)
    there.put("bck", "obj", CONTENT)
    gone = there.object("DELETE", "bck", "obj", headers=headers)
    assert gone.status_code == status
    assert there.object("HEAD", "bck", "obj").status_code == (404 if status == 200 else 200)


def test_conditions_on_what_is_not_there(ais: AIStore) -> None:
    error_of(ais.object("PUT", "bck", "new", data=b"x", headers={"If-Match": "*"}), 412)
    error_of(ais.object("DELETE", "bck", "new", headers={"If-Match": "*"}), 412)
    error_of(ais.object("HEAD", "bck", "new"), 404)
    ais.put("bck", "new", b"x", headers={"If-None-Match": "*"})
    assert ais.get("bck", "new") == b"x"


def test_a_page_among_the_objects_does_not_act(there: AIStore) -> None:
    """Its type is never its own, even where S3 was told one."""
    page = b"<script>fetch('/v1/objects/bck/obj', {method: 'DELETE'})</script>"
    made = there.gateway.request("PUT", "/api/v1/s3/bck/page.html", data=page, headers={
        "Content-Type": "text/html", "Content-Encoding": "gzip",
        "Content-Disposition": "inline"})
    assert made.status_code == 200, made.text
    for method in ("GET", "HEAD"):
        got = there.object(method, "bck", "page.html")
        assert got.status_code == 200
        assert got.headers["Content-Type"] == "application/octet-stream"
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert got.headers["Content-Security-Policy"] == "sandbox"
        assert "private" in got.headers["Cache-Control"]
        assert "Content-Encoding" not in got.headers
        assert "Content-Disposition" not in got.headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
def test_a_page_of_another_origin_changes_nothing(there: AIStore, method: str) -> None:
    for headers in ({"Origin": "https://evil.example.net"}, {"Sec-Fetch-Site": "cross-site"}):
        message = {"action": "rename", "name": "x"} if method == "POST" else None
        error_of(there.object(method, "bck", "obj", message, headers=headers), 403)
    assert there.get("bck", "obj") == CONTENT
    foreign = {"Origin": "https://evil.example.net"}
    assert there.object("GET", "bck", "obj", headers=foreign).status_code == 200
