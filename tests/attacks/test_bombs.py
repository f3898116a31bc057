"""Little that becomes much: heads, compressed bodies, XML, JSON, ranges, queries."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.attacks.conftest import HEAD, MIB, said, statuses, unharmed
from tests.gateway import PASSWORD

if TYPE_CHECKING:
    from tests.gateway import Gateway

pytestmark = pytest.mark.gunicorn

CONTENT = "/f/file/content?overwrite=true&path=/user/alice/"
AUTH = ("someone", PASSWORD)
GZIP = {"Content-Type": "application/octet-stream", "Content-Encoding": "gzip"}


@pytest.mark.parametrize(("head", "status"), [
    pytest.param(b"X: y\r\n" * 10_000, 431, id="many-headers"),
    pytest.param(b"".join(b"X%d: y\r\n" % i for i in range(65)), 431, id="one-too-many"),
    pytest.param(b"X: " + b"y" * 2 * MIB + b"\r\n", 431, id="long-header"),
    pytest.param(b"x" * MIB + b": y\r\n", 431, id="long-name"),
    pytest.param(b"X: y" + b"\r\n y" * 10_000 + b"\r\n", 400, id="folded-lines"),
])
def test_heads(victim: Gateway, head: bytes, status: int) -> None:
    request = b"GET /f/home-directory HTTP/1.1\r\n" + HEAD + head + b"\r\n"
    with unharmed(victim):
        for _ in range(5):
            assert statuses(said(victim, request)) in ([status], [])


def test_endless_heads(victim: Gateway) -> None:
    """A head, a request line, a chunk's size and a trailer that never end are not collected."""
    upload = b"PUT /f/file/content?path=/user/alice/x HTTP/1.1\r\n" + HEAD + (
        b"Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    with unharmed(victim):
        for beginning in (b"GET /", b"GET / HTTP/1.1\r\nX: ",
                          upload + b"1;x=", upload + b"0\r\nX: "):
            answers = said(victim, beginning + b"y" * 32 * MIB)
            assert set(statuses(answers)) <= {400, 414, 431}, answers[:300]


# --- gzip


def uploaded(gateway: Gateway, name: str, body: Any) -> requests.Response:
    return requests.put(gateway.url + CONTENT + name, data=body, auth=AUTH, headers=GZIP,
                        timeout=120)


def squeezed(size: int, level: int = 9) -> bytes:
    """Return `size` zeros as one gzip member."""
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(size // MIB)) + packer.flush()


def test_a_gzip_body_that_becomes_too_much(victim: Gateway) -> None:
    """256 MiB of zeros come as 256 KiB; the old file stays."""
    assert uploaded(victim, "bomb", gzip.compress(b"old")).status_code == 201
    bomb = squeezed(256 * MIB)
    with unharmed(victim):
        for body in (bomb, iter([bomb[i:i + 10_000] for i in range(0, len(bomb), 10_000)])):
            refused = uploaded(victim, "bomb", body)
            assert refused.status_code == 413
            assert "200 times" in refused.json()["error"][0]
    assert victim.request("GET", "/f/file/content?path=/user/alice/bomb").content == b"old"


def test_a_gzip_body_that_is_well_packed_is_taken(victim: Gateway) -> None:
    """Up to 64 MiB may be what they like; above that, what real content can be."""
    assert uploaded(victim, "zeros", squeezed(60 * MIB)).status_code == 201
    text = b"".join(b"2024-01-01 00:%06d INFO all is well\n" % i for i in range(2_000_000))
    assert uploaded(victim, "log", gzip.compress(text, 6)).status_code == 201
    length = victim.request("GET", "/f/file/status?path=/user/alice/log").json()
    assert length["result"]["status"]["length"] == len(text)


def test_gzip_within_gzip_is_opened_once(victim: Gateway) -> None:
    inner = squeezed(64 * MIB)
    with unharmed(victim):
        assert uploaded(victim, "nested", gzip.compress(inner)).status_code == 201
    plain = victim.request("GET", "/f/file/content?path=/user/alice/nested", headers={
        "Accept-Encoding": "identity"})
    assert plain.content == inner


def test_gzip_bodies_of_many_members(victim: Gateway) -> None:
    """Empty ones are no content, and small ones cost no more than their bytes."""
    empty, tiny = gzip.compress(b""), gzip.compress(b"x")
    with unharmed(victim):
        refused = uploaded(victim, "empty", empty * 200_000)
        assert refused.status_code == 400
        assert "empty members" in refused.json()["error"][0]
        assert uploaded(victim, "tiny", tiny * 100_000).status_code == 201
        blocks = b"".join([gzip.compress(b"block"), empty] * 3)
        assert uploaded(victim, "blocks", blocks).status_code == 201
    assert victim.request("GET", "/f/file/content?path=/user/alice/tiny").content == b"x" * 100_000


# --- documents


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE Delete [<!ENTITY a "ha">%b]>
<Delete><Object><Key>&a9;</Key></Object></Delete>""" % b"".join(
    b'<!ENTITY a%d "%b">' % (i, b"&a%d;" % (i - 1) * 10 if i > 1 else b"&a;" * 10)
    for i in range(1, 10))
XML = {
    "entities": LAUGHS,
    "external": b'<!DOCTYPE Delete [<!ENTITY a SYSTEM "file:///etc/passwd">]><Delete>&a;</Delete>',
    "deep": b"<Delete>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</Delete>",
    "wide": b"<Delete>" + b"<a/>" * 1_000_000 + b"</Delete>",
    "attributes": b"<Delete " + b" ".join(b'a%d=""' % i for i in range(500_000)) + b"/>",
    "utf-7": b'<?xml version="1.0" encoding="utf-7"?>+ADw-Delete/+AD4-',
    "unending": b"<Delete>" + b"x" * 20 * MIB,
}


@pytest.mark.parametrize("bomb", XML)
def test_xml(victim: Gateway, bomb: str) -> None:
    with unharmed(victim):
        for _ in range(3):
            answer = requests.post(
                f"{victim.url}/api/v1/s3/user?delete", data=XML[bomb], auth=AUTH, timeout=60,
                headers={"Content-Type": "application/xml"})
            assert answer.status_code == 400, answer.text[:300]
            assert "root:" not in answer.text


JSON = {
    "deep": b"[" * 900_000,
    "deep-map": b'{"a":' * 150_000 + b"1" + b"}" * 150_000,
    "number": b'{"action":' + b"9" * 900_000 + b"}",
    "exponent": b'{"action":1e999999999}',
    "wide": b'{"action":[' + b"[]," * 300_000 + b"[]]}",
    "maps": b'{"action":[' + b'{"a":1},' * 100_000 + b"{}]}",
    "names": b"{" + b",".join(b'"%d":1' % i for i in range(60_000)) + b"}",
    "not-utf-8": b'{"action":"\xff"}',
    "surrogate": b'{"action":"\\ud800"}',
    "nan": b'{"ttl":NaN}',
}


@pytest.mark.parametrize("bomb", JSON)
def test_json(victim: Gateway, bomb: str) -> None:
    with unharmed(victim):
        for method, path in (("POST", "/v1/buckets/some-bucket"),
                             ("POST", "/api/v1/paths//user/alice/create-directory")):
            for _ in range(3):
                answer = requests.request(
                    method, victim.url + path, data=JSON[bomb], auth=AUTH, timeout=60,
                    headers={"Content-Type": "application/json"})
                assert 400 <= answer.status_code <= 501, answer.text[:300]
                # Alluxio answers 500 to what it does not know; nothing of it is our own fault.
                assert "internal error" not in answer.text


def test_names_with_brackets_are_no_bomb(victim: Gateway) -> None:
    names = {"action": "delete", "value": {"objnames": ["part[1]{2}.csv"] * 30_000}}
    answer = requests.delete(f"{victim.url}/v1/buckets/no-such-bucket", data=json.dumps(names),
                             auth=AUTH, timeout=60)
    assert answer.status_code == 404, answer.text


# --- ranges, queries


@pytest.mark.parametrize("ranges", [
    "bytes=" + ",".join(f"{i}-{i}" for i in range(1000)), "bytes=" + "0-," * 1300,
    "bytes=0-18446744073709551616", "bytes=-99999999999999999999999", "bytes=" + "9" * 4000 + "-",
    "bytes=0-0,-1", "bytes=\N{ARABIC-INDIC DIGIT ONE}-".encode().decode("latin-1"),
], ids=["many", "overlapping", "large", "suffix", "digits", "two", "unicode"])
def test_ranges(victim: Gateway, ranges: str) -> None:
    """Nothing is multiplied: one range, the whole file, or none."""
    with unharmed(victim):
        for path in ("/f/file/content?path=/user/alice/large", "/api/v1/s3/user/alice/large"):
            with requests.get(victim.url + path, auth=AUTH, headers={
                    "Range": ranges, "Accept-Encoding": "identity"}, stream=True,
                    timeout=60) as answer:
                assert answer.status_code in (200, 206, 400, 404, 416)
                assert "multipart" not in answer.headers["Content-Type"]
                received = sum(map(len, answer.iter_content(MIB)))
                assert received <= 32 * MIB


@pytest.mark.parametrize(("query", "status"), [
    ("path=/&" + "a=1&" * 1000, 400), ("path=/" + "&path=/x" * 200, 400),
    ("path=/" + "a/" * 3900, 400), ("path=/" + "%61" * 2000, 400), ("path=/" + "a" * 9000, 414),
    ("path=/%00", 400), ("path=/%ff", 400), ("offset=" + "9" * 4000, 400),
    ("path=/&offset=" + "9" * 4000, 400),
], ids=["many", "repeated", "deep", "escaped", "long", "nul", "no-utf-8", "number",
        "offset"])
def test_queries(victim: Gateway, query: str, status: int) -> None:
    with unharmed(victim):
        answer = requests.get(f"{victim.url}/f/file/content?{query}", auth=AUTH, timeout=60)
    assert answer.status_code == status, answer.text[:300]
    assert len(answer.content) < 4000


def test_forms_with_many_fields(victim: Gateway) -> None:
    """S3's POST of a form reads fields into memory before the file, within a bound."""
    def field(number: int) -> bytes:
        return b'--b\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n%b\r\n' % (
            number, b"y" * 1000)

    form = io.BytesIO(b"".join(map(field, range(20_000))) + b"--b--\r\n")
    with unharmed(victim):
        answer = requests.post(f"{victim.url}/api/v1/s3/user", data=form, auth=AUTH, timeout=60,
                               headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert answer.status_code in (400, 403), answer.text
