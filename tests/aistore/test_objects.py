"""Objects over HTTP: put, get, head."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import xxhash

if TYPE_CHECKING:
    from tests.aistore.conftest import AIStore

CONTENT = b"some words in an object"


def test_an_object_is_put_and_read_back(everywhere: AIStore) -> None:
    ais = everywhere
    put = ais.object("PUT", "bck", "dir/obj", data=CONTENT)
    assert (put.status_code, put.content) == (200, b"")
    got = ais.object("GET", "bck", "dir/obj")
    assert (got.status_code, got.content) == (200, CONTENT)
    assert got.headers["Content-Length"] == str(len(CONTENT))
    assert got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["ETag"] == put.headers["ETag"] == f'"{hashlib.md5(CONTENT).hexdigest()}"'
    digest = xxhash.xxh64_hexdigest(CONTENT)
    for kind, value, size in (("Objcksumtype", "Objcksumval", "Objsize"),
                              ("Checksum.type", "Checksum.value", "Size")):
        assert (got.headers[kind], got.headers[value]) == ("xxhash", digest)
        assert got.headers[size] == str(len(CONTENT))
