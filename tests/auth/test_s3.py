"""Who may come in by which way, and what everyone else is told."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.auth import HmacV1PostAuth, S3SigV4Auth, S3SigV4PostAuth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from app.auth import writer
from app.core.errors import (
    GatewayError,
    InsecureTransport,
    InvalidParameter,
    InvalidRequest,
    MissingParameter,
    NotAuthenticated,
)
from app.core.object_errors import (
    ClockSkew,
    ExpiredRequest,
    MalformedAuthorization,
    MalformedQueryAuthorization,
    SigningRuleBroken,
    UnknownAccessKey,
    WrongRegion,
    WrongSignature,
)

from .conftest import CHEAP, basic
from .signing import CREDENTIALS, EMPTY, KEY_ID, REGION, SECRET, S3World, bare, signed, write_keys
from .test_sigv4 import MANY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.auth.s3 import SignedRequest

NOW = "20130524T000000Z"
V4 = f"AWS4-HMAC-SHA256 Credential={KEY_ID}/20130524/us-east-1/s3/aws4_request"
URL = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Date": NOW, "X-Amz-Expires": "60",
       "X-Amz-Credential": f"{KEY_ID}%2F20130524%2Fus-east-1%2Fs3%2Faws4_request",
       "X-Amz-SignedHeaders": "host", "X-Amz-Signature": "0" * 64}


@pytest.fixture
def world(tmp_path: Path) -> S3World:
    return S3World(tmp_path)


@pytest.fixture
def in_2013(world: S3World) -> S3World:
    world.wall_clock.now = 1369353600.0
    return world


def by_header(**scope: str) -> SignedRequest:
    return signed(S3SigV4Auth(CREDENTIALS, scope.get("service", "s3"),
                              scope.get("region", REGION)))


def by_query(expires: int = 60) -> SignedRequest:
    return signed(S3SigV4QueryAuth(CREDENTIALS, "s3", REGION, expires=expires))


def url(**changed: str | None) -> SignedRequest:
    values = {**URL, **{f"X-Amz-{name.replace('_', '-')}": v for name, v in changed.items()}}
    return bare(target="/b/k?" + "&".join(f"{n}={v}" for n, v in values.items() if v is not None))


# --- nobody, passwords


def test_without_credentials_a_caller_is_anonymous(world: S3World) -> None:
    caller = world.authenticate(bare(target="/b/k?list-type=2&Expires=1&X-Amz-Date=x"))
    assert caller == (None, "anonymous", "", None, "")
    assert not caller.signed


def test_basic_credentials_are_checked_as_everywhere(world: S3World) -> None:
    caller = world.authenticate(bare(authorization=basic("alice", "right"),
                                     x_amz_content_sha256="UNSIGNED-PAYLOAD"))
    assert caller.principal is not None
    assert caller.principal.hadoop_user == "hdfs-alice"
    assert (caller.scheme, caller.signed, caller.payload_hash) == (
        "basic", False, "UNSIGNED-PAYLOAD")
    with pytest.raises(NotAuthenticated):
        world.authenticate(bare(authorization=basic("alice", "wrong")))


def test_a_password_is_not_taken_over_plain_http(world: S3World) -> None:
    with pytest.raises(InsecureTransport):
        world.authenticate(bare(authorization=basic("alice", "right"))._replace(confidential=False))


@pytest.mark.parametrize("authorization", [None, basic("alice", "right")])
def test_signed_chunks_need_a_signature_to_start_from(
    world: S3World, authorization: str | None,
) -> None:
    headers = {"authorization": authorization} if authorization else {}
    with pytest.raises(InvalidParameter) as caught:
        world.authenticate(bare(
            "PUT", x_amz_content_sha256="STREAMING-AWS4-HMAC-SHA256-PAYLOAD", **headers))
    assert caught.value.name == "x-amz-content-sha256"


# --- which keys


def test_a_disabled_key_is_unknown_within_a_second(world: S3World) -> None:
    assert world.authenticate(by_header()).signed
    write_keys(world.file, world.master, **{KEY_ID: ("alice", SECRET, False)})
    world.clock.now += 2
    with pytest.raises(UnknownAccessKey):
        world.authenticate(by_header())


def test_a_replaced_secret_does_not_sign_any_more(world: S3World) -> None:
    assert world.authenticate(by_header()).signed
    write_keys(world.file, world.master, **{KEY_ID: ("alice", "another", True)})
    world.clock.now += 2
    with pytest.raises(WrongSignature):
        world.authenticate(by_header())


def test_a_disabled_user_cannot_come_in_by_a_key(world: S3World) -> None:
    writer.set_fields(world.users_file, "alice", {"active": False})
    world.clock.now += 2
    for request in (by_header(), by_query()):
        with pytest.raises(UnknownAccessKey):
            world.authenticate(request)


def test_a_key_of_nobody_is_unknown(world: S3World) -> None:
    write_keys(world.file, world.master, **{KEY_ID: ("mallory", SECRET, True)})
    world.clock.now += 2
    with pytest.raises(UnknownAccessKey):
        world.authenticate(by_header())


def test_what_the_users_file_says_now_is_what_the_key_brings(world: S3World) -> None:
    writer.set_fields(world.users_file, "alice", {"read_only": True, "bucket_root": "/s3"})
    world.clock.now += 2
    principal = world.authenticate(by_header()).principal
    assert principal is not None
    assert (principal.read_only, principal.bucket_root) == (True, "/s3")


@pytest.mark.parametrize("credentials", [
    Credentials(KEY_ID, SECRET.lower()), Credentials(KEY_ID, SECRET + " ")])
def test_another_secret_is_refused(world: S3World, credentials: Credentials) -> None:
    for signer in (S3SigV4Auth, S3SigV4QueryAuth):
        with pytest.raises(WrongSignature):
            world.authenticate(signed(signer(credentials, "s3", REGION)))


def test_temporary_credentials_are_refused(world: S3World) -> None:
    credentials = Credentials(KEY_ID, SECRET, token="a token")
    for signer in (S3SigV4Auth, S3SigV4QueryAuth):
        with pytest.raises(MalformedAuthorization, match="no temporary credentials"):
            world.authenticate(signed(signer(credentials, "s3", REGION)))


# --- when and where


@pytest.mark.parametrize(("shift", "error"), [
    (-899, None), (899, None), (-902, ClockSkew), (902, ClockSkew), (-1e9, ClockSkew)])
def test_the_clock_skew(world: S3World, shift: float, error: type[Exception] | None) -> None:
    request = by_header()
    world.wall_clock.now = time.time() + shift
    if error is None:
        assert world.authenticate(request).signed
    else:
        with pytest.raises(error):
            world.authenticate(request)


@pytest.mark.parametrize(("expires", "shift", "error"), [
    (60, 57, None), (60, 61, ExpiredRequest), (0, 0.5, ExpiredRequest),
    (604_800, 604_700, None), (604_800, 604_801, ExpiredRequest), (60, -899, None),
    (60, -902, SigningRuleBroken), (604_801, 0, MalformedQueryAuthorization),
    (-7, 0, ExpiredRequest)])
def test_the_life_of_a_presigned_url(
    world: S3World, expires: int, shift: float, error: type[Exception] | None,
) -> None:
    request = by_query(expires)
    world.wall_clock.now = time.time() + shift
    if error is None:
        assert world.authenticate(request).signed
    else:
        with pytest.raises(error):
            world.authenticate(request)


@pytest.mark.parametrize(("scope", "told"), [
    ({"region": "eu-west-1"}, "the region 'eu-west-1' is wrong; expecting 'us-east-1'"),
    ({"service": "iam"}, "the service 'iam' is wrong; expecting 's3'")])
def test_the_scope_must_be_this_gateways(
    world: S3World, scope: dict[str, str], told: str,
) -> None:
    with pytest.raises(MalformedAuthorization, match=told) as caught:
        world.authenticate(by_header(**scope))
    assert isinstance(caught.value, WrongRegion) == ("region" in scope)
    signer = S3SigV4QueryAuth(CREDENTIALS, scope.get("service", "s3"), scope.get("region", REGION))
    with pytest.raises(MalformedQueryAuthorization, match=told):
        world.authenticate(signed(signer))


def test_the_scope_must_be_of_the_requests_day(in_2013: S3World) -> None:
    with pytest.raises(MalformedAuthorization, match=r"is '20130524', that .* is 20130523"):
        in_2013.authenticate(bare(
            authorization=f"{V4}, SignedHeaders=host, Signature=0", x_amz_content_sha256=EMPTY,
            x_amz_date="20130523T235959Z"))


@pytest.mark.parametrize("date", [
    "", "yesterday", "20130524", "20131324T000000Z", "19500707T000000Z", "20130524T000000Z,x",
    "20130524T000000", "٢0130524T000000Z", "Fri, 24 May 2013", "x" * 9000])
def test_without_a_date_it_is_refused(in_2013: S3World, date: str) -> None:
    with pytest.raises(SigningRuleBroken, match="valid Date or x-amz-date"):
        in_2013.authenticate(bare(
            authorization=f"{V4}, SignedHeaders=host, Signature=0", x_amz_content_sha256=EMPTY,
            x_amz_date=date))
    if "," not in date:
        with pytest.raises((SigningRuleBroken, MalformedQueryAuthorization)):
            in_2013.authenticate(url(Date=date))


def test_a_presigned_url_may_bind_the_body(world: S3World) -> None:
    signer = S3SigV4QueryAuth(CREDENTIALS, "s3", REGION)
    in_header = signed(signer, "PUT", headers={"X-Amz-Content-SHA256": EMPTY})
    assert world.authenticate(in_header).payload_hash == EMPTY

    class InQuery(S3SigV4QueryAuth):
        def payload(self, request: AWSRequest) -> str:
            return EMPTY

    in_query = signed(InQuery(CREDENTIALS, "s3", REGION), "PUT",
                      f"/bucket/key?X-Amz-Content-Sha256={EMPTY}")
    assert world.authenticate(in_query).payload_hash == EMPTY
    with pytest.raises(WrongSignature):
        world.authenticate(in_query._replace(
            raw_query=in_query.raw_query.replace(EMPTY, "UNSIGNED-PAYLOAD")))


# --- what cannot be read


@pytest.mark.parametrize("authorization", [
    "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=HAHAHA", "AWS4-HMAC-SHA512 x",
    "AWS4-ECDSA-P256-SHA256 x", f"{V4}", f"{V4}, SignedHeaders=host",
    f"{V4}, SignedHeaders=host, Signature=0, Signature=0",
    f"{V4}, SignedHeaders=host, Signature=0, Extra=1",
    f"{V4}, SignedHeaders=host, SignedHeaders=host",
    f"{V4}, SignedHeaders=Host, Signature=0", f"{V4}, SignedHeaders=host;host, Signature=0",
    f"{V4}, SignedHeaders=, Signature=0", f"{V4}, SignedHeaders=ho st, Signature=0",
    f"{V4}, SignedHeaders=hôst, Signature=0", f"{V4}/x, SignedHeaders=host, Signature=0",
    f"{V4[:-8]}request, SignedHeaders=host, Signature=0",
    f"{V4}, SignedHeaders=host, Signature=0,{V4}, SignedHeaders=host, Signature=0",
    f"{V4}, SignedHeaders=host;{'x' * 9000}, Signature=0"])
def test_an_unreadable_header(in_2013: S3World, authorization: str) -> None:
    with pytest.raises(MalformedAuthorization) as caught:
        in_2013.authenticate(bare(authorization=authorization, x_amz_date=NOW,
                                  x_amz_content_sha256=EMPTY))
    assert not isinstance(caught.value, MalformedQueryAuthorization)


@pytest.mark.parametrize("change", [
    *({name: None} for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders",
                                "Signature")),
    {"Algorithm": "AWS4-HMAC-SHA1"}, {"Credential": "HAHAHA"}, {"Credential": "%ff%2Fa"},
    {"Expires": "soon"}, {"Expires": "1e3"}, {"Expires": "604801"}, {"Expires": "--1"},
    {"Expires": "9" * 5000}, {"SignedHeaders": "Host"}, {"SignedHeaders": ""},
    {"Signature": "0&X-Amz-Signature=0"}, {"Expires": "60&X%2dAmz%2DExpires=600"},
    {"Date": f"{NOW}&X-Amz-Date={NOW}"}, {"Signature": "%c3%28"}])
def test_an_unreadable_presigned_url(in_2013: S3World, change: dict[str, str | None]) -> None:
    with pytest.raises(MalformedQueryAuthorization):
        in_2013.authenticate(url(**change))


@pytest.mark.parametrize("signature", ["", "0" * 64, "é" * 64, "A" * 4000, "x"])
def test_a_signature_that_cannot_be_one_is_wrong(in_2013: S3World, signature: str) -> None:
    with pytest.raises(WrongSignature):
        in_2013.authenticate(bare(
            authorization=f"{V4}, SignedHeaders=host;x-amz-date, Signature={signature}",
            x_amz_content_sha256=EMPTY, x_amz_date=NOW))


@pytest.mark.parametrize(("authorization", "error"), [
    ("", SigningRuleBroken), ("Bearer abc", InvalidParameter), ("HAHAHA", InvalidParameter),
    ("\xff\xfe", InvalidParameter)])
def test_other_headers(world: S3World, authorization: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        world.authenticate(bare(authorization=authorization))


@pytest.mark.parametrize(("headers", "error"), [
    ({}, InvalidRequest), ({"x_amz_content_sha256": "abc"}, InvalidParameter),
    ({"x_amz_content_sha256": f"{EMPTY},{EMPTY}"}, InvalidParameter),
    ({"x_amz_content_sha256": "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"}, InvalidParameter)])
def test_the_hash_of_the_body_must_be_there(
    in_2013: S3World, headers: dict[str, str], error: type[Exception],
) -> None:
    with pytest.raises(error, match="x-amz-content-sha256"):
        in_2013.authenticate(bare(
            authorization=f"{V4}, SignedHeaders=host;x-amz-date, Signature=0", x_amz_date=NOW,
            **headers))


def test_one_way_to_sign_only(world: S3World) -> None:
    header, presigned = by_header(), by_query()
    v2 = "AWSAccessKeyId=a&Signature=b&Expires=9999999999"
    for request in (
        presigned._replace(headers=header.headers),
        presigned._replace(headers={**presigned.headers, "authorization": basic("alice", "right")}),
        presigned._replace(raw_query=f"{presigned.raw_query}&{v2}"),
        header._replace(raw_query=v2),
    ):
        with pytest.raises(InvalidParameter, match="one way to sign") as caught:
            world.authenticate(request)
        assert KEY_ID not in str(caught.value)


@MANY
@given(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60),
       st.text(max_size=60),
       st.sampled_from(["", "AWS ", "AWS4-HMAC-SHA256 ", f"{V4}, ", "Basic "]))
def test_nothing_that_a_client_sends_is_an_internal_error(
    shared: S3World, text: str, other: str, scheme: str,
) -> None:
    for request in (
        bare(authorization=scheme + text, x_amz_date=NOW, x_amz_content_sha256=EMPTY),
        bare(authorization=f"{V4}, SignedHeaders=host;x-amz-date, Signature={text}",
             x_amz_date=NOW, x_amz_content_sha256=EMPTY, x_amz_meta_a=other),
        bare(authorization="AWS a:b", date=text),
        bare()._replace(raw_query=f"X-Amz-Algorithm={text}&{other}"),
        url(Signature=text)._replace(raw_path=f"/{text}{other}"),
        bare()._replace(raw_query=f"{other}&Signature={text}&Expires=1&AWSAccessKeyId={KEY_ID}"),
    ):
        with contextlib.suppress(GatewayError):
            assert not shared.authenticate(request).signed


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> S3World:
    world = S3World(tmp_path_factory.mktemp("s3"))
    world.wall_clock.now = 1369353600.0
    return world


# --- forms


def v4_form(**scope: str) -> dict[str, str]:
    return form(S3SigV4PostAuth(CREDENTIALS, scope.get("service", "s3"),
                                scope.get("region", REGION)))


def v2_form() -> dict[str, str]:
    return form(HmacV1PostAuth(CREDENTIALS))


def form(signer: Any) -> dict[str, str]:
    request = AWSRequest("POST", "http://gateway.test/bucket")
    request.context["s3-presign-post-policy"] = {
        "expiration": "2030-01-01T00:00:00Z", "conditions": [["starts-with", "$key", "ü"]]}
    signer.add_auth(request)
    return {n.lower(): v for n, v in request.context["s3-presign-post-fields"].items()}


@pytest.mark.parametrize("made", [v4_form, v2_form])
def test_the_policy_of_a_form(world: S3World, made: Callable[[], dict[str, str]]) -> None:
    fields = made()
    principal = world.s3.check_policy_signature(fields, fields["policy"])
    assert principal.name == "alice"
    with pytest.raises(WrongSignature):
        world.s3.check_policy_signature(fields, fields["policy"] + "=")
    with pytest.raises(WrongSignature):
        world.s3.check_policy_signature(fields, "é☃\ud800")
    name = "signature" if "signature" in fields else "x-amz-signature"
    with pytest.raises(WrongSignature):
        world.s3.check_policy_signature({**fields, name: "☃"}, fields["policy"])
    for missing in fields.keys() - {"policy"}:
        with pytest.raises(MissingParameter):
            world.s3.check_policy_signature({**fields, missing: ""}, fields["policy"])
    write_keys(world.file, world.master, **{KEY_ID: ("alice", SECRET, False)})
    world.clock.now += 2
    with pytest.raises(UnknownAccessKey):
        world.s3.check_policy_signature(fields, fields["policy"])


@pytest.mark.parametrize(("fields", "error"), [
    ({"key": "k"}, NotAuthenticated),
    ({**v4_form(region="eu-west-1")}, MalformedAuthorization),
    ({**v4_form(service="sts")}, MalformedAuthorization),
    ({**v4_form(), "x-amz-algorithm": "x"}, InvalidParameter),
    ({**v4_form(), "x-amz-date": "20200101T000000Z"}, MalformedAuthorization),
    ({**v4_form(), "x-amz-date": "soon"}, SigningRuleBroken),
    ({**v4_form(), "x-amz-security-token": "x"}, MalformedAuthorization)])
def test_a_form_that_is_wrong(
    world: S3World, fields: dict[str, str], error: type[Exception],
) -> None:
    with pytest.raises(error):
        world.s3.check_policy_signature(fields, fields.get("policy", ""))


def test_nobody_can_get_round_the_check_by_naming_both(world: S3World) -> None:
    fields = {**v2_form(), "x-amz-signature": "0" * 64}
    with pytest.raises(MissingParameter):
        world.s3.check_policy_signature(fields, fields["policy"])


def test_what_is_kept_of_a_user_outlives_nothing(world: S3World) -> None:
    writer.add_user(world.users_file, "bob", {"password": CHEAP.hash("x"), "hadoop_user": "bob"})
    write_keys(world.file, world.master, **{KEY_ID: ("bob", SECRET, True)})
    world.clock.now += 2
    principal = world.authenticate(by_header()).principal
    assert principal is not None
    assert principal.name == "bob"
