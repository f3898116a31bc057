"""Bodies on their way in: chunked, compressed, checked, empty, broken."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import os
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.contract.client import CONTENT, OCTETS, errors_of, visible_and_hidden, zipped
from tests.contract.wire import Wire
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.client import Files

GZIP = {"Content-Encoding": "gzip"}
OLD = b"what was there before"
TEXT = b"some content, and again: " * 4000


def b64(algorithm: str, content: bytes) -> str:
    """Return the base64 of a digest."""
    return base64.b64encode(hashlib.new(algorithm, content).digest()).decode()


def test_an_empty_file(files: Files) -> None:
    files.put("length-zero", b"", headers={"Content-Length": "0"})
    files.put("no-chunks", iter(()))
    with Wire(files.gateway) as wire:
        neither = wire.ask("PUT", f"{CONTENT}?path={quote(files.at('neither'))}")
    assert neither.status == 201
    files.put("gzip", zipped(b""), headers=GZIP)
    assert files.names() == ["gzip", "length-zero", "neither", "no-chunks"]
    for name in files.names():
        assert files.status(name)["length"] == 0
        assert files.read(name) == b""
    files.put("full", b"x")
    files.put("full", b"", overwrite="true")
    assert files.read("full") == b""


def test_a_chunked_body(files: Files) -> None:
    files.put("f", iter([b"one", b"two" * 100_000, b"three"]))
    assert files.read("f") == b"one" + b"two" * 100_000 + b"three"


def test_a_body_without_a_content_type(files: Files) -> None:
    files.call("PUT", CONTENT, 201, path=files.at("f"), data=b"x")
    files.put("g", b"x", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert files.read("f") == files.read("g") == b"x"


def test_form_uploads_are_refused(files: Files) -> None:
    files.put("f", b"--b\r\n", 415, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert files.names() == []


def test_a_body_over_http_1_0_has_a_length(files: Files) -> None:
    target = f"{CONTENT}?path={files.at('f')}"
    with Wire(files.gateway) as wire:
        wire.send_head("PUT", target, version="HTTP/1.0")
        answer = wire.answer()
    assert answer.status == 411
    assert "Content-Length" in answer.errors
    with Wire(files.gateway) as wire:
        wire.send_head("PUT", target, [("Content-Length", "1")], version="HTTP/1.0")
        wire.socket.sendall(b"x")
        assert wire.answer().status == 201
    assert files.read("f") == b"x"


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP"])
def test_a_compressed_body(files: Files, coding: str) -> None:
    files.put("f", zipped(TEXT), headers={"Content-Encoding": coding})
    assert files.read("f") == TEXT


def test_a_compressed_body_in_tiny_chunks(files: Files) -> None:
    packed = zipped(TEXT)
    files.put("f", (packed[i:i + 7] for i in range(0, len(packed), 7)), headers=GZIP)
    assert files.read("f") == TEXT


def test_a_compressed_body_of_several_members(files: Files) -> None:
    files.put("f", zipped(b"one") + zipped(b"") + zipped(TEXT), headers=GZIP)
    assert files.read("f") == b"one" + TEXT


def test_a_compressed_body_much_smaller_than_its_content(files: Files) -> None:
    files.put("f", zipped(bytes(20_000_000)), headers=GZIP)
    assert files.status("f")["length"] == 20_000_000


@pytest.mark.parametrize("breakage", [
    lambda packed: packed[:-1], lambda packed: packed[:-8],
    lambda packed: packed[:len(packed) // 2], lambda packed: packed[:5],
    lambda _: b"", lambda _: b"not gzip at all",
    lambda packed: packed + b"trailing garbage",
    lambda packed: packed[:-8] + bytes(4) + packed[-4:],
    lambda packed: packed[:-4] + b"\1\1\1\1",
    lambda packed: packed + packed[:-3],
], ids=["one-byte-short", "no-trailer", "half", "header", "empty", "no-gzip", "garbage-behind",
        "wrong-crc", "wrong-size", "second-member-short"])
def test_a_broken_compressed_body_changes_nothing(
    files: Files, breakage: Callable[[bytes], bytes],
) -> None:
    broken = breakage(gzip.compress(os.urandom(300_000)))
    files.put("old", OLD)
    for answer in (
        files.put("old", broken, 400, headers=GZIP, overwrite="true"),
        files.append("old", iter([broken]), 400, headers=GZIP),
        files.put("made/for/it", iter([broken]), 400, headers=GZIP),
    ):
        assert "gzip" in errors_of(answer)
    assert files.read("old") == OLD
    assert files.names() == ["old"]


def test_codings_that_are_not_known(files: Files) -> None:
    for coding in ("br", "deflate", "gzip, gzip", "zstd"):
        answer = files.put("f", b"x", 415, headers={"Content-Encoding": coding})
        assert "gzip" in errors_of(answer)
    files.put("f", b"x", headers={"Content-Encoding": "identity"})
    assert files.read("f") == b"x"


@pytest.mark.parametrize("call", ["put", "append"])
def test_digests_that_match(files: Files, call: str) -> None:
    send = getattr(files, call)
    packed = zipped(TEXT)
    files.put("f", b"")
    for headers, body in [
        ({"Content-MD5": b64("md5", TEXT)}, TEXT),
        ({"Content-MD5": b64("md5", packed), **GZIP}, packed),
        ({"Repr-Digest": f"sha-256=:{b64('sha256', TEXT)}:"}, TEXT),
        ({"Repr-Digest": f"sha-256=:{b64('sha256', TEXT)}:", **GZIP}, packed),
        ({"Repr-Digest": f"sha-256=:{b64('sha256', TEXT)}:;a;b=2, x=:AA==:;c"}, TEXT),
        ({"Content-Digest": f"sha-512=:{b64('sha512', packed)}:", **GZIP}, packed),
        ({"Content-Digest": f"sha-512=:{b64('sha512', packed)}:",
          "Repr-Digest": f"sha-256=:{b64('sha256', TEXT)}:, unixsum=:AAA=:", **GZIP}, packed),
    ]:
        send("f", body, headers=headers, **({"overwrite": "true"} if call == "put" else {}))
    assert files.read("f") == TEXT * (1 if call == "put" else 7)


@pytest.mark.parametrize("call", ["put", "append"])
def test_digests_that_do_not_match_change_nothing(files: Files, call: str) -> None:
    send = getattr(files, call)
    more = {"overwrite": "true"} if call == "put" else {}
    files.put("f", OLD)
    packed = zipped(TEXT)
    for headers, body in [
        ({"Content-MD5": b64("md5", b"other")}, TEXT),
        ({"Content-MD5": b64("md5", TEXT), **GZIP}, packed),
        ({"Repr-Digest": f"sha-256=:{b64('sha256', b'other')}:"}, TEXT),
        ({"Repr-Digest": f"sha-256=:{b64('sha256', b'other')}:;a=1"}, TEXT),
        ({"Repr-Digest": f"sha-256=:{b64('sha256', packed)}:", **GZIP}, packed),
        ({"Content-Digest": f"sha-256=:{b64('sha256', TEXT)}:", **GZIP}, packed),
    ]:
        answer = send("f", body, 400, headers=headers, **more)
        assert next(iter(headers)) in errors_of(answer)
    assert files.read("f") == OLD
    assert files.names() == ["f"]


@pytest.mark.parametrize("headers", [
    {"Content-MD5": "not base64!"}, {"Content-MD5": "AAAA"}, {"Repr-Digest": "sha-256=AAAA"},
    {"Repr-Digest": "sha-256=:AAAA:"}, {"Repr-Digest": "crc=:AAAA:"}, {"Content-Digest": "sha-256"},
])
def test_digests_that_are_none(files: Files, headers: dict[str, str]) -> None:
    answer = files.put("f", b"x", 400, headers=headers)
    assert next(iter(headers)) in errors_of(answer)
    assert files.names() == []


def test_conditional_writes(files: Files) -> None:
    files.put("f", b"one", headers={"If-None-Match": "*"})
    files.put("f", b"two", 412, headers={"If-None-Match": "*"}, overwrite="true")
    etag = files.get("f").headers["ETag"]
    files.put("f", b"two", 412, headers={"If-Match": '"x"'}, overwrite="true")
    files.put("new", b"two", 412, headers={"If-Match": "*"})
    files.put("f", b"two", headers={"If-Match": etag}, overwrite="true")
    files.put("f", b"three", 412, headers={"If-Match": etag}, overwrite="true")
    files.append("f", b"!", 412, headers={"If-Match": etag})
    files.call("DELETE", CONTENT, 412, path=files.at("f"), headers={"If-Match": etag})
    files.append("f", b"!", headers={"If-Match": files.get("f").headers["ETag"]})
    assert files.read("f") == b"two!"
    assert files.names() == ["f"]


def test_a_large_upload_of_random_content(files: Files) -> None:
    content = os.urandom(20_000_000)
    files.put("plain", io.BytesIO(content))
    files.put("chunked", (content[i:i + 999_999] for i in range(0, len(content), 999_999)))
    for name in ("plain", "chunked"):
        assert hashlib.sha256(files.read(name)).digest() == hashlib.sha256(content).digest()


def upload_head(files: Files, name: str, *headers: tuple[str, str]) -> tuple[str, str, list[
        tuple[str, str]]]:
    """Return what to send as the head of an overwriting upload."""
    target = f"{CONTENT}?path={files.at(name)}&overwrite=true"
    return "PUT", target, [*OCTETS.items(), *headers]


def test_a_client_that_breaks_off_changes_nothing(files: Files) -> None:
    files.put("old", OLD)
    for name in ("old", "made/for/it"):
        with Wire(files.gateway) as wire:
            wire.send_head(*upload_head(files, name, ("Content-Length", "1000000")))
            wire.socket.sendall(bytes(300_000))
        with Wire(files.gateway) as wire:
            wire.send_head(*upload_head(files, name, ("Transfer-Encoding", "chunked")))
            wire.send_chunk(bytes(300_000))
    wait_for("only the old file", lambda: visible_and_hidden(files) == ["old"], seconds=60)
    assert files.read("old") == OLD


@pytest.mark.parametrize("framing", [b"zz\r\nabc\r\n0\r\n\r\n", b"3\r\nabcX\r\n0\r\n\r\n",
                                     b"-3\r\nabc\r\n0\r\n\r\n", b"3 ;x\r\nab"])
def test_chunks_that_are_none(files: Files, framing: bytes) -> None:
    files.put("old", OLD)
    with Wire(files.gateway) as wire:
        wire.send_head(*upload_head(files, "old", ("Transfer-Encoding", "chunked")))
        wire.send_chunk(b"begin")
        wire.socket.sendall(framing)
        if framing.endswith(b"ab"):
            wire.socket.shutdown(1)
        answer = wire.answer()
    assert answer.status == 400
    assert answer.errors
    wait_for("only the old file", lambda: visible_and_hidden(files) == ["old"])
    assert files.read("old") == OLD


def test_length_and_chunks_together_are_refused(files: Files) -> None:
    files.put("old", OLD)
    with Wire(files.gateway) as wire:
        wire.send_head(*upload_head(
            files, "old", ("Content-Length", "3"), ("Transfer-Encoding", "chunked")))
        wire.socket.sendall(b"3\r\nabc\r\n0\r\n\r\n")
        assert wire.answer().status == 400
    assert files.read("old") == OLD


def test_several_uploads_over_one_connection(files: Files) -> None:
    with Wire(files.gateway) as wire:
        for i in range(3):
            head = upload_head(files, f"f{i}", ("Transfer-Encoding", "chunked"))
            wire.send_head(*head)
            wire.send_chunk(b"content %d" % i)
            wire.send_chunk(b"")
            assert wire.answer().status == 201
        for i in range(3):
            answer = wire.ask("GET", f"{CONTENT}?path={files.at(f'f{i}')}")
            assert answer.body == b"content %d" % i
