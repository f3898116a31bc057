"""Version 2: what botocore signs is taken, and what the signature covers cannot be altered."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.auth import HmacV1Auth, HmacV1QueryAuth
from hypothesis import given
from hypothesis import strategies as st

from app.auth.s3_request import moment_of
from app.core.errors import InvalidParameter
from app.core.object_errors import (
    ClockSkew,
    ExpiredRequest,
    SigningRuleBroken,
    UnknownAccessKey,
    WrongSignature,
)

from .signing import CREDENTIALS, S3World, bare, signed
from .test_sigv4 import HEADERS, MANY, METHODS, PATHS

if TYPE_CHECKING:
    from pathlib import Path

    from app.auth.s3 import SignedRequest

PARTS = st.sampled_from([
    "acl", "uploads", "uploads=", "uploadId=a%2Bb", "partNumber=1", "prefix=a", "delete", "x=1",
    "response-content-type=text%2Fplain%3B%20x", "response-content-disposition=%22%E2%98%83%22",
    "response-expires=", "tagging", "versionId=null"])
QUERIES = st.lists(PARTS, max_size=4, unique_by=lambda part: part.partition("=")[0]).map("&".join)
SENT = st.fixed_dictionaries({
    "method": METHODS, "target": st.tuples(PATHS, QUERIES).map("?".join), "headers": HEADERS})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> S3World:
    return S3World(tmp_path_factory.mktemp("s3"))


@MANY
@given(SENT)
def test_what_botocore_signs_in_the_header_is_taken(world: S3World, sent: dict[str, Any]) -> None:
    caller = world.authenticate(signed(HmacV1Auth(CREDENTIALS), **sent))
    assert caller.principal is not None
    assert (caller.principal.name, caller.scheme, caller.signed) == ("alice", "v2", True)


@MANY
@given(SENT)
def test_what_botocore_presigns_is_taken(world: S3World, sent: dict[str, Any]) -> None:
    caller = world.authenticate(signed(HmacV1QueryAuth(CREDENTIALS, expires=60), **sent))
    assert caller.principal is not None
    assert (caller.principal.name, caller.scheme, caller.signed) == ("alice", "v2-query", True)


@MANY
@given(SENT, st.sampled_from([HmacV1Auth, HmacV1QueryAuth]), st.data())
def test_whatever_is_altered_is_refused(
    world: S3World, sent: dict[str, Any], signer: Any, data: Any,
) -> None:
    headers = {**sent["headers"], "x-amz-meta-kept": "value"}
    request = signed(signer(CREDENTIALS), **{**sent, "method": "PUT", "headers": headers})
    with pytest.raises(WrongSignature) as caught:
        world.authenticate(data.draw(st.sampled_from(alterations(request))))
    assert caught.value.string_to_sign.partition("\n")[0] in ("PUT", "GET")


def alterations(request: SignedRequest) -> list[SignedRequest]:
    headers = request.headers
    return [
        request._replace(method="GET"),
        request._replace(resource=request.resource + "x"),
        request._replace(raw_query=request.raw_query + "&cors"),
        request._replace(raw_query=request.raw_query + "&%63ors"),
        request._replace(raw_query=request.raw_query + "&%75ploadId=x"),
        request._replace(headers={**headers, "content-type": "other/type"}),
        request._replace(headers={**headers, "content-md5": "b3RoZXI="}),
        request._replace(headers={**headers, "x-amz-meta-kept": "other"}),
        request._replace(headers={**headers, "x-amz-meta-added": "1"}),
    ]


def test_an_empty_value_may_be_signed_without_its_equals_sign(world: S3World) -> None:
    request = signed(HmacV1Auth(CREDENTIALS), target="/bucket/key?uploads")
    assert world.authenticate(request._replace(raw_query="uploads=")).signed


def test_a_bucket_alone_may_be_signed_with_a_slash_behind(world: S3World) -> None:
    request = signed(HmacV1Auth(CREDENTIALS), target="/bucket/")
    assert world.authenticate(request._replace(raw_path="/bucket", resource="/bucket")).signed
    with pytest.raises(WrongSignature):
        world.authenticate(signed(HmacV1Auth(CREDENTIALS), target="/bucket/key/")._replace(
            raw_path="/bucket/key", resource="/bucket/key"))


@pytest.mark.parametrize("target", ["/bucket/key", "/prefix/bucket/key"])
def test_a_prefix_of_the_gateways_own_may_be_signed_or_not(world: S3World, target: str) -> None:
    request = signed(HmacV1Auth(CREDENTIALS), target=target)
    assert world.authenticate(request._replace(
        raw_path="/prefix/bucket/key", resource="/bucket/key")).signed


def test_a_signature_for_one_bucket_is_none_for_the_host_of_another(world: S3World) -> None:
    request = signed(HmacV1Auth(CREDENTIALS), target="/bucket/key")
    with pytest.raises(WrongSignature):
        world.authenticate(request._replace(resource="/other/bucket/key"))


@pytest.fixture
def in_2007(tmp_path: Path) -> S3World:
    world = S3World(tmp_path)
    world.wall_clock.now = 1175024202.0
    return world


@pytest.mark.parametrize(("line", "time_of_day", "signature", "headers"), [
    ("GET /photos/puppy.jpg", "19:36:42", "bWq2s1WEIj+Ydj0vQ697zp+IXMU=", {}),
    ("PUT /photos/puppy.jpg", "21:15:45", "MyyxeRY7whkBe+bq8fHCL/2kKUg=",
     {"content_type": "image/jpeg", "content_length": "94328"}),
    ("GET /?prefix=photos&max-keys=50&marker=puppy", "19:42:41",
     "htDYFYduRNen8P9ZfE/s9SuKy0U=", {}),
    ("GET /?acl", "19:44:46", "c2WLPFtWHVgbEmeEG93a4cG37dM=", {})])
def test_the_published_examples(
    in_2007: S3World, line: str, time_of_day: str, signature: str, headers: dict[str, str],
) -> None:
    method, target = line.split()
    request = bare(method, target, authorization=f"AWS AKIAIOSFODNN7EXAMPLE:{signature}",
                   date=f"Tue, 27 Mar 2007 {time_of_day} +0000", **headers)
    in_2007.wall_clock.now = moment_of(request.headers["date"]).seconds
    request = request._replace(resource=f"/johnsmith{request.raw_path}")
    assert in_2007.authenticate(request).signed


def test_the_published_example_of_a_presigned_url(in_2007: S3World) -> None:
    presigned = bare("GET", "/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE"
                     "&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620")
    assert in_2007.authenticate(presigned._replace(
        resource="/johnsmith/photos/puppy.jpg")).scheme == "v2-query"


def test_amazons_date_takes_the_place_of_the_other(in_2007: S3World) -> None:
    request = bare("DELETE", "/awsexamplebucket1/photos/puppy.jpg",
                   date="Tue, 27 Mar 2007 21:20:27 +0000",
                   x_amz_date="Tue, 27 Mar 2007 19:36:42 +0000",
                   authorization="AWS AKIAIOSFODNN7EXAMPLE:x")
    with pytest.raises(WrongSignature) as caught:
        in_2007.authenticate(request)
    assert caught.value.string_to_sign == (
        "DELETE\n\n\n\nx-amz-date:Tue, 27 Mar 2007 19:36:42 +0000\n"
        "/awsexamplebucket1/photos/puppy.jpg")


@pytest.mark.parametrize("shift", [-901, 901])
def test_a_time_too_far_off_is_refused(world: S3World, shift: int) -> None:
    request = signed(HmacV1Auth(CREDENTIALS))
    now, world.wall_clock.now = world.wall_clock.now, time.time() + shift
    try:
        with pytest.raises(ClockSkew):
            world.authenticate(request)
    finally:
        world.wall_clock.now = now


def test_a_presigned_url_ends(world: S3World) -> None:
    with pytest.raises(ExpiredRequest):
        world.authenticate(signed(HmacV1QueryAuth(CREDENTIALS, expires=-60)))


@pytest.mark.parametrize("header", ["AWS", "AWS x", "AWS :", "AWS a:b c", "AWS a:" + "x" * 9999,
                                    "AWS é:", "AWS a:b,AWS a:b c"])
def test_an_unreadable_header_is_an_invalid_argument(world: S3World, header: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        world.authenticate(bare(authorization=header, date="Tue, 27 Mar 2007 21:20:27 +0000"))
    assert caught.value.name == "Authorization"


@pytest.mark.parametrize("date", ["", "Bad Date", "Tue, 07 Jul 1950 21:53:04 +0000", "0" * 5000])
def test_without_a_date_it_is_refused(world: S3World, date: str) -> None:
    with pytest.raises(SigningRuleBroken):
        world.authenticate(bare(authorization="AWS a:b", date=date))


@pytest.mark.parametrize("query", [
    "AWSAccessKeyId=a", "AWSAccessKeyId=a&Signature=b", "Signature=b&Expires=1",
    "AWSAccessKeyId=a&Signature=b&Expires=soon", "AWSAccessKeyId=a&Signature=b&Expires=-1",
    "AWSAccessKeyId=a&Signature=&Expires=1"])
def test_parameters_that_are_missing_or_wrong(world: S3World, query: str) -> None:
    with pytest.raises(SigningRuleBroken):
        world.authenticate(bare(target=f"/b/k?{query}"))


def test_an_unknown_key(world: S3World) -> None:
    with pytest.raises(UnknownAccessKey):
        world.authenticate(bare(target="/b/k?AWSAccessKeyId=a&Signature=b&Expires=99999999999"))
