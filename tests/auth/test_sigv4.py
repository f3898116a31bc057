"""Version 4: what botocore signs is taken, whatever it looks like, and nothing else."""

from __future__ import annotations

import string
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.auth import sigv4
from app.core.object_errors import SigningRuleBroken, WrongSignature

from .signing import CREDENTIALS, EMPTY, HOST, KEY_ID, REGION, SECRET, S3World, bare, signed

if TYPE_CHECKING:
    from pathlib import Path

    from app.auth.s3 import SignedRequest

MANY = settings(max_examples=300, deadline=None,
                suppress_health_check=[HealthCheck.function_scoped_fixture])
PLAIN = "/:@!$&'()*+,;=-._~"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
KEYS = st.one_of(TEXT, st.text("a/ +%=&?#.é☃😀", max_size=16))
PATHS = st.one_of(
    KEYS.map(lambda key: "/bucket/" + quote(key, safe="/~")),
    KEYS.map(lambda key: "/bucket/" + quote(key, safe=PLAIN)),
    st.lists(st.sampled_from(["/", "//", "%2F", "%2f", "a", "%c3%a9", "%C3%A9", "+", "%20", "~",
                              "%7E", "*", "..", ".", "%25", "%"]), max_size=8)
    .map(lambda parts: "/bucket/" + "".join(parts)))
PAIRS = st.one_of(
    st.tuples(TEXT.map(lambda t: quote(t, safe="")), TEXT.map(lambda t: quote(t, safe="")))
    .map("=".join),
    st.sampled_from(["a", "a=", "a=1", "a=2", "uploads", "prefix=a/b", "prefix=a+b", "b=x=y", "",
                     "list-type=2", "a-b=1", "x=%e2%98%83", "A=1", "="]))
QUERIES = st.lists(PAIRS, max_size=5).map("&".join)
VISIBLE = st.characters(exclude_categories=["C", "Z"])
VALUES = st.lists(st.text(VISIBLE, min_size=1, max_size=6), max_size=4).flatmap(
    lambda words: st.sampled_from([" ", "   ", "\t", " \t "]).map(lambda gap: gap.join(words)))
HEADERS = st.dictionaries(
    st.one_of(st.sampled_from(["content-type", "content-md5", "range", "x-amz-acl"]),
              st.text(string.ascii_lowercase, min_size=1, max_size=8)
              .map(lambda name: f"x-amz-meta-{name}")), VALUES, max_size=4)
METHODS = st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE"])
HOSTS = st.sampled_from([HOST, "bucket.s3.example.net", "localhost", "127.0.0.1:9000", "[::1]:81"])
SENT = st.fixed_dictionaries({
    "method": METHODS, "target": st.tuples(PATHS, QUERIES).map("?".join),
    "headers": HEADERS, "host": HOSTS})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> S3World:
    return S3World(tmp_path_factory.mktemp("s3"))


def by_header() -> S3SigV4Auth:
    return S3SigV4Auth(CREDENTIALS, "s3", REGION)


def by_query(expires: int = 60) -> S3SigV4QueryAuth:
    return S3SigV4QueryAuth(CREDENTIALS, "s3", REGION, expires=expires)


@MANY
@given(SENT, st.binary(max_size=8))
def test_what_botocore_signs_in_the_header_is_taken(
    world: S3World, sent: dict[str, Any], data: bytes,
) -> None:
    caller = world.authenticate(signed(by_header(), **sent, data=data))
    assert caller.principal is not None
    assert (caller.principal.name, caller.scheme, caller.signed) == ("alice", "v4", True)
    assert caller.payload_hash == sha256(data).hexdigest()
    assert caller.chunks is None


@MANY
@given(SENT)
def test_what_botocore_presigns_is_taken(world: S3World, sent: dict[str, Any]) -> None:
    caller = world.authenticate(signed(by_query(), **sent))
    assert caller.principal is not None
    assert (caller.principal.name, caller.scheme, caller.signed) == ("alice", "v4-query", True)
    assert caller.payload_hash == ""


@MANY
@given(KEYS, KEYS)
def test_who_signs_canonically_may_send_another_spelling(
    world: S3World, key: str, prefix: str,
) -> None:
    request = signed(by_header(), target=(
        f"/bucket/{quote(key, safe='/-_.~')}?delimiter=%2F&prefix={quote(prefix, safe='')}"))
    sent = request._replace(
        raw_path="/bucket/" + quote(key, safe=PLAIN),
        raw_query=f"prefix={quote(prefix, safe='/ :').replace(' ', '+')}&delimiter=/")
    assert world.authenticate(sent).signed


def test_a_slash_may_be_signed_as_such_and_sent_encoded(world: S3World) -> None:
    request = signed(by_header(), target="/bucket/a/b")
    assert world.authenticate(request._replace(raw_path="/bucket/a%2Fb")).signed


@MANY
@given(SENT, st.booleans(), st.data())
def test_whatever_is_altered_is_refused(
    world: S3World, sent: dict[str, Any], in_header: bool, data: Any,
) -> None:
    sent = {**sent, "method": "PUT", "host": HOST,
            "headers": {**sent["headers"], "x-amz-meta-kept": "value"}}
    request = signed(by_header() if in_header else by_query(), **sent)
    altered = data.draw(st.sampled_from(alterations(request)))
    with pytest.raises(WrongSignature) as caught:
        world.authenticate(altered)
    assert caught.value.canonical.startswith(altered.method + "\n")
    assert caught.value.string_to_sign.startswith("AWS4-HMAC-SHA256\n")
    assert SECRET not in repr(caught.value)


def alterations(request: SignedRequest) -> list[SignedRequest]:
    headers = request.headers
    altered = [
        request._replace(method="GET"),
        request._replace(raw_path=request.raw_path + "x"),
        request._replace(raw_path=request.raw_path + "/"),
        request._replace(raw_path="/" + request.raw_path),
        request._replace(raw_query=request.raw_query + "&acl"),
        request._replace(raw_query=request.raw_query + "&a=3"),
        request._replace(host="gateway.test"),
        request._replace(host="gateway.test:8082"),
        request._replace(headers={**headers, "x-amz-meta-kept": "other"}),
        request._replace(headers={k: v for k, v in headers.items() if k != "x-amz-meta-kept"}),
    ]
    if "authorization" in headers:
        altered.append(request._replace(headers={**headers, "x-amz-content-sha256": EMPTY[::-1]}))
        altered.append(request._replace(headers={**headers, "x-amz-content-sha256":
                                                 "UNSIGNED-PAYLOAD"}))
    else:
        altered.append(request._replace(raw_query=request.raw_query.replace(
            "X-Amz-Expires=60", "X-Amz-Expires=61")))
    return altered


@pytest.mark.parametrize("name", ["x-amz-acl", "x-amz-meta-added", "x-amz-copy-source"])
@pytest.mark.parametrize("signer", [by_header, by_query])
def test_every_header_of_amazons_must_be_signed(world: S3World, signer: Any, name: str) -> None:
    request = signed(signer())
    with pytest.raises(SigningRuleBroken, match=f"were not signed: {name}"):
        world.authenticate(request._replace(headers={**request.headers, name: "x"}))


def test_other_headers_may_be_added_on_the_way(world: S3World) -> None:
    request = signed(by_header())
    assert world.authenticate(request._replace(
        headers={**request.headers, "via": "1.1 proxy", "x-amzn-trace-id": "Root=1"})).signed


def test_the_host_must_be_signed(world: S3World) -> None:
    request = signed(by_header())
    without = request.headers["authorization"].replace("SignedHeaders=host;", "SignedHeaders=")
    with pytest.raises(SigningRuleBroken, match="not signed: host"):
        world.authenticate(request._replace(headers={**request.headers, "authorization": without}))


def test_a_header_sent_twice_is_signed_as_one(world: S3World) -> None:
    class Twice(S3SigV4Auth):
        def add_auth(self, request: Any) -> None:
            request.headers.add_header("x-amz-meta-a", "one")
            request.headers.add_header("x-amz-meta-a", "two  words")
            super().add_auth(request)

    request = signed(Twice(CREDENTIALS, "s3", REGION))
    assert request.headers["x-amz-meta-a"] == "one,two  words"
    assert world.authenticate(request).signed


def test_the_date_header_does_where_there_is_no_other(world: S3World) -> None:
    request = signed(by_header(), headers={"Date": "to be replaced"})
    assert "x-amz-date" not in request.headers
    assert world.authenticate(request).signed


def test_fields_may_stand_in_any_order_and_without_spaces(world: S3World) -> None:
    request = signed(by_header())
    algorithm, _, fields = request.headers["authorization"].partition(" ")
    shuffled = ",".join(reversed(fields.split(", ")))
    assert world.authenticate(request._replace(
        headers={**request.headers, "authorization": f"{algorithm} {shuffled}"})).signed


@pytest.mark.parametrize("payload_hash", [
    "UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"])
def test_bodies_that_are_not_hashed_as_a_whole(world: S3World, payload_hash: str) -> None:
    # The base class signs the header that is there; the one for S3 makes its own.
    request = signed(SigV4Auth(CREDENTIALS, "s3", REGION), "PUT",
                     headers={"X-Amz-Content-SHA256": payload_hash})
    caller = world.authenticate(request)
    assert caller.payload_hash == payload_hash
    assert (caller.chunks is not None) == payload_hash.startswith("STREAMING-AWS4")


# --- the examples of the S3 API Reference


@pytest.fixture
def in_2013(tmp_path: Path) -> S3World:
    world = S3World(tmp_path)
    world.wall_clock.now = 1369353600 + 60
    return world


def example(signed_headers: str, signature: str) -> str:
    return (f"AWS4-HMAC-SHA256 Credential={KEY_ID}/20130524/us-east-1/s3/aws4_request,"
            f"SignedHeaders={signed_headers},Signature={signature}")


def chunked(kind: str, signature: str, **more: str) -> SignedRequest:
    headers = {
        "host": "s3.amazonaws.com", "x_amz_date": "20130524T000000Z",
        "x_amz_storage_class": "REDUCED_REDUNDANCY", "content_encoding": "aws-chunked",
        "x_amz_content_sha256": kind, "x_amz_decoded_content_length": "66560", **more}
    names = ";".join(sorted(name.replace("_", "-") for name in headers))
    return bare("PUT", "/examplebucket/chunkObject.txt",
                authorization=example(names, signature), **headers)


BIG, SMALL = sha256(b"a" * 65536).hexdigest(), sha256(b"a" * 1024).hexdigest()


def test_the_published_example_of_a_get(in_2013: S3World) -> None:
    assert in_2013.authenticate(bare(
        "GET", "/test.txt", host="examplebucket.s3.amazonaws.com", range="bytes=0-9",
        x_amz_content_sha256=EMPTY, x_amz_date="20130524T000000Z", authorization=example(
            "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"))).signed


def test_the_published_example_of_a_presigned_url(in_2013: S3World) -> None:
    assert in_2013.authenticate(bare(
        "GET", "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
        host="examplebucket.s3.amazonaws.com")).signed


def test_the_published_example_of_66560_octets_in_chunks(in_2013: S3World) -> None:
    chunks = in_2013.authenticate(chunked(
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        content_length="66824")).chunks
    assert chunks is not None
    assert [chunks.chunk(BIG), chunks.chunk(SMALL), chunks.chunk(EMPTY)] == [
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"]


def test_the_published_example_with_a_trailer(in_2013: S3World) -> None:
    chunks = in_2013.authenticate(chunked(
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
        x_amz_trailer="x-amz-checksum-crc32c")).chunks
    assert chunks is not None
    assert [chunks.chunk(BIG), chunks.chunk(SMALL), chunks.chunk(EMPTY)] == [
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"]
    assert chunks.trailer(b"x-amz-checksum-crc32c:sOO8/Q==\n") == (
        "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435")


def test_signing_keys_are_made_once_and_their_number_is_bounded(world: S3World) -> None:
    sigv4.signing_key.cache_clear()
    for _ in range(10):
        world.authenticate(signed(by_header()))
    assert sigv4.signing_key.cache_info().misses <= 2  # midnight may fall in between
    assert sigv4.signing_key.cache_info().maxsize == sigv4.CACHED_KEYS
