"""Checksums of objects: those of the bucket's kind, those that a client promises."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import TYPE_CHECKING

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from app.aistore.bucket_props import RECORD, Access, BucketProps, to_record
from app.aistore.digests import KINDS, Digests, Promise, known_digest
from app.core.model import FileStatus, FileType
from app.core.objects import ObjectInfo, ObjectMeta
from app.core.paths import HdfsPath
from app.fs.object_meta import BUCKET, decode, derived_etag, encode, packed
from tests.aistore.conftest import ROOT, error_of

if TYPE_CHECKING:
    from tests.aistore.conftest import AIStore

CONTENT = b"some words to be summed up"
MD5 = hashlib.md5(CONTENT).hexdigest()
FILE = FileStatus(FileType.FILE, "", "644", 5, 1, 1, 1000, "alice", "staff", 1, 17)


def summed(kind: str, content: bytes) -> str:
    """Return a checksum as the library that everybody uses makes it."""
    if kind == "xxhash":
        return str(xxhash.xxh64_hexdigest(content))
    return hashlib.new(kind, content).hexdigest()


def set_props(ais: AIStore, props: BucketProps) -> None:
    """Set what is kept for the bucket `bck`."""
    record = packed({RECORD: to_record(props)})
    done = ais.gateway.request("PUT", "/f/file/xattrs", params={
        "path": f"{ROOT}/bck", "name": BUCKET, "value": base64.b64encode(record).decode()})
    assert done.status_code == 204, done.text


@given(st.lists(st.binary(max_size=100), max_size=5))
def test_digests_of_pieces_are_those_of_the_whole(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    for kind in ("xxhash", "md5", "sha256", "sha512"):
        digests = Digests(kind, Promise())
        for piece in pieces:
            digests.update(piece)
        digests.verify()
        assert digests.etag == hashlib.md5(whole).hexdigest()
        assert digests.kept == ({} if kind == "md5" else {kind: summed(kind, whole)})


def test_crc32c_is_castagnoli() -> None:
    made = KINDS["crc32c"]()
    for piece in (b"1234", b"56789"):
        made.update(piece)
    assert made.hexdigest() == "e3069283"  # the check value of CRC-32/ISCSI
    assert made.hexdigest() != f"{zlib.crc32(b'123456789'):08x}"
    assert KINDS["crc32c"]().hexdigest() == "00000000"


@pytest.mark.parametrize("digests", [{}, {"xxhash": "26c7827d889f6da3"}, {"sha512": "a" * 128}])
def test_what_is_kept_is_what_is_told(digests: dict[str, str]) -> None:
    meta = ObjectMeta(MD5, digests=digests)
    assert decode(encode(meta, FILE), FILE) == meta


@pytest.mark.parametrize("digests", [
    [], "x", {"xxhash": 5}, {"xxhash": "zz"}, {"a\nb": "26c7827d889f6da3"}, {"xxhash": ["a"]},
    {"x": "26c7827d889f6da3\r\nSet-Cookie: a=b"}, {"xxhash": "a" * 500},
])
def test_what_others_made_up_is_not_told(digests: object) -> None:
    raw = packed({"of": [17, 5, 1000], "etag": MD5, "digests": digests})
    assert decode(raw, FILE).digests == {}


def test_the_digest_that_is_known_for_certain() -> None:
    def known(etag: str, **digests: str) -> tuple[str, str]:
        meta = ObjectMeta(etag, digests=digests)
        return known_digest(ObjectInfo("k", HdfsPath("/k"), FILE, meta))

    assert known(MD5, xxhash="26c7827d889f6da3") == ("xxhash", "26c7827d889f6da3")
    assert known(MD5) == ("md5", MD5)
    assert known(f"{MD5}-5") == ("", "")
    assert known(derived_etag(FILE)) == ("", "")


@pytest.mark.parametrize("kind", ["none", "xxhash", "md5", "crc32c", "sha256", "sha512"])
def test_the_checksum_of_the_bucket(ais: AIStore, kind: str) -> None:
    set_props(ais, BucketProps(checksum=kind))
    ais.put("bck", "obj", CONTENT)
    expected = KINDS[kind]() if kind != "none" else hashlib.md5()
    expected.update(CONTENT)
    for method in ("GET", "HEAD"):
        headers = ais.object(method, "bck", "obj").headers
        told = "md5" if kind == "none" else kind  # the ETag that S3 shows is known all the same
        assert (headers["Objcksumtype"], headers["Objcksumval"]) == (told, expected.hexdigest())
        assert headers["ETag"] == f'"{MD5}"'


@pytest.mark.parametrize("names", [
    ("ObjCksumType", "ObjCksumVal"), ("Checksum.type", "Checksum.value")])
@pytest.mark.parametrize("kind", ["xxhash", "md5", "sha256", "sha512"])
def test_a_promise_that_is_kept_and_one_that_is_not(
    ais: AIStore, names: tuple[str, str], kind: str,
) -> None:
    value = summed(kind, CONTENT)
    right = {names[0]: kind, names[1]: value.upper()}
    ais.put("bck", "obj", CONTENT, headers=right)
    wrong = ais.object("PUT", "bck", "obj", data=CONTENT + b"!", headers=right)
    assert value in error_of(wrong, 400)
    assert ais.get("bck", "obj") == CONTENT
    assert ais.object("HEAD", "bck", "obj").headers["Objcksumtype"] == "xxhash"
    error_of(ais.object("PUT", "bck", "new", data=b"!", headers=right), 400)
    error_of(ais.object("HEAD", "bck", "new"), 404)


def test_promises_that_are_none(ais: AIStore) -> None:
    for kind, value in (("xxhash", "zz"), ("md5", "abc"), ("rot13", "26c7827d889f6da3"),
                        ("sha256", MD5)):
        refused = ais.object("PUT", "bck", "obj", data=CONTENT, headers={
            "ObjCksumType": kind, "ObjCksumVal": value})
        error_of(refused, 400)
    error_of(ais.object("HEAD", "bck", "obj"), 404)
    # Without a value nothing is promised; without a type it is of the bucket's.
    ais.put("bck", "obj", CONTENT, headers={"ObjCksumType": "md5"})
    ais.put("bck", "obj", CONTENT, headers={"ObjCksumType": "none", "ObjCksumVal": "x"})
    ais.put("bck", "obj", CONTENT, headers={"ObjCksumVal": summed("xxhash", CONTENT)})
    error_of(ais.object("PUT", "bck", "obj", data=b"!", headers={
        "ObjCksumVal": summed("xxhash", CONTENT)}), 400)


def test_the_digests_of_http_count_too(ais: AIStore) -> None:
    md5 = base64.b64encode(hashlib.md5(CONTENT).digest()).decode()
    sha = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    for headers in ({"Content-MD5": md5}, {"Content-Digest": f"sha-256=:{sha}:"},
                    {"Repr-Digest": f"sha-256=:{sha}:"}):
        ais.put("bck", "obj", CONTENT, headers=headers)
        error_of(ais.object("PUT", "bck", "obj", data=b"other", headers=headers), 400)
        assert ais.get("bck", "obj") == CONTENT


def test_bytes_are_stored_as_they_are_sent(ais: AIStore) -> None:
    packed_up = zlib.compress(CONTENT)
    for coding in ("gzip", "zstd"):
        ais.put("bck", "obj", packed_up, headers={"Content-Encoding": coding})
        got = ais.object("GET", "bck", "obj")
        assert got.content == packed_up
        assert got.headers["Objcksumval"] == summed("xxhash", packed_up)


def test_a_read_only_bucket(ais: AIStore) -> None:
    ais.put("bck", "obj", CONTENT)
    set_props(ais, BucketProps(access=Access.GET | Access.HEAD | Access.LIST))
    for method, message in (("PUT", None), ("DELETE", None), ("DELETE", {"action": "delete"}),
                            ("POST", {"action": "renameobj", "name": "other"})):
        refused = ais.object(method, "bck", "obj", message)
        assert "access" in error_of(refused, 403)
    assert ais.get("bck", "obj") == CONTENT
    assert ais.object("HEAD", "bck", "obj").status_code == 200
    assert ais.object("DELETE", "bck", "obj", {"action": "evictobj"}).status_code == 200
    set_props(ais, BucketProps(access=Access.PUT))
    error_of(ais.object("GET", "bck", "obj"), 403)
    error_of(ais.object("HEAD", "bck", "obj"), 403)
    ais.put("bck", "obj", b"written blindly")
