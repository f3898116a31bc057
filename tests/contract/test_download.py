"""Downloads: parts, conditions, HEAD, compression, lengths."""

from __future__ import annotations

import gzip
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from tests.contract.client import CONTENT, errors_of

if TYPE_CHECKING:
    from tests.contract.client import Files

DIGITS = b"0123456789"


@pytest.mark.parametrize(("parameters", "expected"), [
    ({"offset": "0"}, DIGITS), ({"offset": "3"}, DIGITS[3:]), ({"length": "4"}, DIGITS[:4]),
    ({"offset": "3", "length": "4"}, DIGITS[3:7]), ({"offset": "9"}, b"9"),
    ({"offset": "10"}, b""), ({"offset": "10", "length": "5"}, b""), ({"length": "0"}, b""),
    ({"offset": "5", "length": "0"}, b""), ({"offset": "8", "length": "100"}, b"89"),
    ({"length": "9223372036854775807"}, DIGITS),
])
def test_offset_and_length(files: Files, parameters: dict[str, str], expected: bytes) -> None:
    files.put("f", DIGITS)
    answer = files.get("f", **parameters)
    assert answer.content == expected
    assert answer.headers["Content-Length"] == str(len(expected))


@pytest.mark.parametrize("parameters", [{"offset": "11"}, {"offset": "9000000000000000000"},
                                        {"offset": "11", "length": "0"}])
def test_an_offset_past_the_end(files: Files, parameters: dict[str, str]) -> None:
    files.put("f", DIGITS)
    answer = files.get("f", 416, **parameters)
    assert "10" in errors_of(answer)
    assert answer.headers["Content-Range"] == "bytes */10"


@pytest.mark.parametrize(("asked", "expected", "said"), [
    ("bytes=0-", DIGITS, "0-9"), ("bytes=0-0", b"0", "0-0"), ("bytes=3-6", DIGITS[3:7], "3-6"),
    ("bytes=8-100", b"89", "8-9"), ("bytes=-3", b"789", "7-9"), ("bytes=-100", DIGITS, "0-9"),
    ("bytes=9-9", b"9", "9-9"),
    ("bytes=8-18446744073709551615", b"89", "8-9"), (f"bytes=-{'9' * 5000}", DIGITS, "0-9"),
])
def test_ranges(files: Files, asked: str, expected: bytes, said: str) -> None:
    files.put("f", DIGITS)
    answer = files.get("f", 206, headers={"Range": asked})
    assert answer.content == expected
    assert answer.headers["Content-Range"] == f"bytes {said}/10"
    assert answer.headers["Content-Length"] == str(len(expected))


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99-",
                                   "bytes=99999999999999999999-", f"bytes={'9' * 5000}-"])
def test_ranges_that_hold_no_byte(files: Files, asked: str) -> None:
    files.put("f", DIGITS)
    answer = files.get("f", 416, headers={"Range": asked})
    assert answer.headers["Content-Range"] == "bytes */10"


@pytest.mark.parametrize("asked", [
    "bytes=6-3", "lines=1-2", "bytes=a-b", "bytes=-", "bytes=0-1,3-4", "nonsense",
    f"bytes=1-{' ' * 8000}x"])
def test_ranges_that_are_ignored(files: Files, asked: str) -> None:
    files.put("f", DIGITS)
    assert files.get("f", headers={"Range": asked}).content == DIGITS


def test_range_and_parameters_together_are_refused(files: Files) -> None:
    files.put("f", DIGITS)
    files.get("f", 400, headers={"Range": "bytes=1-2"}, offset="1")


def test_an_empty_file(files: Files) -> None:
    files.put("empty", b"")
    answer = files.get("empty")
    assert answer.content == b""
    assert answer.headers["Content-Length"] == "0"
    files.get("empty", 416, headers={"Range": "bytes=0-"})
    files.get("empty", 416, headers={"Range": "bytes=-0"})
    last = files.get("empty", 200, headers={"Range": "bytes=-1"})
    assert (last.content, last.headers["Content-Length"]) == (b"", "0")
    assert files.get("empty", offset="0").content == b""
    files.get("empty", 416, offset="1")


def test_head_tells_what_get_would(files: Files) -> None:
    files.put("f", DIGITS * 1000)
    same = ("Content-Length", "Content-Type", "ETag", "Last-Modified", "Accept-Ranges")
    for more in ({}, {"offset": "5", "length": "7"}):
        head = files.call("HEAD", CONTENT, path=files.at("f"), **more)
        got = files.get("f", **more)
        assert head.content == b""
        assert {k: head.headers[k] for k in same} == {k: got.headers[k] for k in same}
    part = files.call("HEAD", CONTENT, 206, path=files.at("f"), headers={"Range": "bytes=2-4"})
    assert part.headers["Content-Range"] == "bytes 2-4/10000"
    assert part.headers["Content-Length"] == "3"
    files.call("HEAD", CONTENT, 416, path=files.at("f"), offset="10001")


@pytest.mark.parametrize("wish", ["gzip", "gzip, deflate, br", "deflate, gzip;q=1.0, *;q=0.5",
                                  "GZIP", "x-gzip", "*"])
def test_compressed_downloads(files: Files, wish: str) -> None:
    content = b"compress me, " * 10_000
    files.put("f", content)
    answer = files.gateway.request(
        "GET", CONTENT, params={"path": files.at("f")}, headers={"Accept-Encoding": wish},
        stream=True)
    assert answer.status_code == 200
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]
    raw = answer.raw.read(decode_content=False)
    assert len(raw) < len(content) // 10
    assert gzip.decompress(raw) == content


@pytest.mark.parametrize("wish", [
    "identity", "", "gzip;q=0", "br", "*;q=0", "gzip;q=0.0, identity"])
def test_downloads_that_are_not_compressed(files: Files, wish: str) -> None:
    files.put("f", DIGITS)
    answer = files.get("f", headers={"Accept-Encoding": wish})
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Content-Length"] == "10"


def test_compressed_and_plain_content_have_different_etags(files: Files) -> None:
    files.put("f", DIGITS * 1000)
    plain = files.get("f").headers["ETag"]
    packed = files.get("f", headers={"Accept-Encoding": "gzip"}).headers["ETag"]
    assert plain != packed
    files.get("f", 304, headers={"Accept-Encoding": "gzip", "If-None-Match": packed})


def test_a_part_can_be_compressed_by_parameters(files: Files) -> None:
    files.put("f", DIGITS * 1000)
    answer = files.get("f", headers={"Accept-Encoding": "gzip"}, offset="10", length="5000")
    assert answer.content == (DIGITS * 1000)[10:5010]


def test_etags_name_contents(files: Files) -> None:
    files.put("f", b"first")
    first = files.get("f").headers["ETag"]
    assert files.get("f").headers["ETag"] == first
    assert first.startswith('"')
    files.append("f", b"!")
    second = files.get("f").headers["ETag"]
    files.put("f", b"first", overwrite="true")
    third = files.get("f").headers["ETag"]
    assert len({first, second, third}) == 3


def test_reads_under_conditions(files: Files) -> None:
    files.put("f", DIGITS)
    answer = files.get("f")
    etag, modified = answer.headers["ETag"], answer.headers["Last-Modified"]
    past, future = formatdate(1_000_000_000, usegmt=True), formatdate(4_000_000_000, usegmt=True)
    for headers in ({"If-None-Match": etag}, {"If-None-Match": f'"x", {etag}'},
                    {"If-None-Match": "*"}, {"If-None-Match": f"W/{etag}"},
                    {"If-Modified-Since": modified}, {"If-Modified-Since": future}):
        unchanged = files.get("f", 304, headers=headers)
        assert unchanged.headers["ETag"] == etag
        files.call("HEAD", CONTENT, 304, headers=headers, path=files.at("f"))
    for headers in ({"If-None-Match": '"x"'}, {"If-Modified-Since": past},
                    {"If-Modified-Since": "no date"}, {"If-Match": etag}, {"If-Match": "*"},
                    {"If-Unmodified-Since": modified}, {"If-Unmodified-Since": future},
                    {"If-None-Match": '"x"', "If-Modified-Since": future}):
        assert files.get("f", headers=headers).content == DIGITS
    for headers in ({"If-Match": '"x"'}, {"If-Match": f"W/{etag}"}, {"If-Unmodified-Since": past}):
        files.get("f", 412, headers=headers)


def test_if_range(files: Files) -> None:
    files.put("f", DIGITS)
    answer = files.get("f")
    etag, modified = answer.headers["ETag"], answer.headers["Last-Modified"]
    for good in (etag, modified):
        part = files.get("f", 206, headers={"Range": "bytes=1-2", "If-Range": good})
        assert part.content == b"12"
    for bad in ('"x"', f"W/{etag}", formatdate(1_000_000_000, usegmt=True)):
        whole = files.get("f", headers={"Range": "bytes=1-2", "If-Range": bad})
        assert whole.content == DIGITS


def test_a_file_of_several_pieces(files: Files) -> None:
    content = bytes(range(256)) * 20_000
    files.put("big", content)
    assert files.get("big").content == content
    assert files.get("big", offset="1000000", length="3000000").content == (
        content[1_000_000:4_000_000])
    last = files.get("big", 206, headers={"Range": "bytes=-1000001"})
    assert last.content == content[-1_000_001:]


def test_only_the_file_that_was_asked_for_may_be_read(files: Files) -> None:
    files.put("private", b"x", permission="600")
    files.call("PUT", "/f/file/permission", 204, path=files.directory, permission="755")
    answer = files.by("other").get("private", 403)
    assert files.at("private") in errors_of(answer)
    files.by("other").call("HEAD", CONTENT, 403, path=files.at("private"))
