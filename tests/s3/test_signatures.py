"""Signatures over the wire: what boto3 signs in each version comes in, what is wrong is told."""

from __future__ import annotations

from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
import requests
from botocore.auth import HmacV1Auth, S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.s3.conftest import REGION, code_of, fresh_bucket

if TYPE_CHECKING:
    from tests.s3.conftest import World

pytestmark = pytest.mark.gunicorn
ODD_KEYS = ["a b+c", "é/☃/😀", "50%/%41", "q?a=b&c#d", "(x)!*'$;,=@~", "a//b", "trailing/"]


@pytest.mark.parametrize("version", ["s3v4", "s3"])
@pytest.mark.parametrize("style", ["path", "virtual", "prefix"])
def test_odd_keys_are_signed_in_each_version_and_style(
    s3: World, version: str, style: str,
) -> None:
    client = s3.client(style=style, signature_version=version)
    name = fresh_bucket(client)
    for key in ODD_KEYS:
        body = b"" if key.endswith("/") else key.encode()
        client.put_object(Bucket=name, Key=key, Body=body, Metadata={"a": "two  words"})
        got = client.get_object(Bucket=name, Key=key, ResponseContentType="text/x-odd; a=b")
        assert got["Body"].read() == body
        assert got["ContentType"] == "text/x-odd; a=b"
        assert got["Metadata"] == {"a": "two  words"}
    found = client.list_objects_v2(Bucket=name, Prefix="a b+")
    assert [each["Key"] for each in found["Contents"]] == ["a b+c"]


@pytest.mark.parametrize("version", ["s3v4", "s3"])
@pytest.mark.parametrize("style", ["path", "prefix"])
def test_presigned_urls_need_nothing_else(s3: World, version: str, style: str) -> None:
    client = s3.client(style=style, signature_version=version)
    name = fresh_bucket(client)
    for key in ODD_KEYS[:-1]:
        where = {"Bucket": name, "Key": key}
        put = requests.put(client.generate_presigned_url("put_object", where), b"body", timeout=60)
        assert put.status_code == 200, put.text
        url = client.generate_presigned_url(
            "get_object", where | {"ResponseContentDisposition": 'attachment; filename="ü x"'})
        got = requests.get(url, timeout=60)
        assert (got.status_code, got.content) == (200, b"body")
        assert requests.delete(url, timeout=60).status_code == 403
        assert code_of(requests.get(url.replace("attachment", "inline"), timeout=60)) == (
            403, "SignatureDoesNotMatch")


def refused(s3: World, signer: Any, path: str = "/", **headers: str) -> tuple[int, str]:
    """Return what a request is answered whose headers are set after signing."""
    request = AWSRequest("GET", s3.url + path)
    signer.add_auth(request)
    named = {**dict(request.headers), **{n.replace("_", "-"): v for n, v in headers.items()}}
    return code_of(requests.get(request.url, headers=named, timeout=60))


def test_what_is_wrong_has_amazons_words(s3: World) -> None:
    right = Credentials(*s3.key_of["someone"])
    wrong = Credentials(right.access_key, "x" * 40)
    nobody = Credentials("NOSUCHKEY00000000000", right.secret_key)
    for signer, told in [
        (S3SigV4Auth(wrong, "s3", REGION), (403, "SignatureDoesNotMatch")),
        (S3SigV4Auth(nobody, "s3", REGION), (403, "InvalidAccessKeyId")),
        (S3SigV4Auth(right, "s3", "eu-west-1"), (400, "AuthorizationHeaderMalformed")),
        (S3SigV4Auth(right, "iam", REGION), (400, "AuthorizationHeaderMalformed")),
        (S3SigV4QueryAuth(wrong, "s3", REGION), (403, "SignatureDoesNotMatch")),
        (S3SigV4QueryAuth(right, "s3", REGION, expires=604_801),
         (400, "AuthorizationQueryParametersError")),
        (S3SigV4QueryAuth(right, "s3", "eu-west-1"), (400, "AuthorizationQueryParametersError")),
        (HmacV1Auth(wrong), (403, "SignatureDoesNotMatch")),
        (HmacV1Auth(nobody), (403, "InvalidAccessKeyId")),
    ]:
        assert refused(s3, signer) == told, signer


@pytest.mark.parametrize(("headers", "told"), [
    ({"Authorization": "AWS HAHAHA"}, (400, "InvalidArgument")),
    ({"Authorization": "AWS4-HMAC-SHA256 HAHAHA"}, (400, "AuthorizationHeaderMalformed")),
    ({"Authorization": "Bearer x"}, (400, "InvalidArgument")),
    ({"Authorization": ""}, (403, "AccessDenied")),
    ({"x_amz_date": "Bad Date"}, (403, "AccessDenied")),
    ({"x_amz_date": "20100707T215304Z"}, (400, "AuthorizationHeaderMalformed")),
    ({"x_amz_acl": "private"}, (403, "AccessDenied")),
    ({"x_amz_content_sha256": "x"}, (400, "InvalidArgument")),
    ({"x_amz_security_token": "x"}, (400, "AuthorizationHeaderMalformed"))])
def test_headers_that_were_changed_after_signing(
    s3: World, headers: dict[str, str], told: tuple[int, str],
) -> None:
    signer = S3SigV4Auth(Credentials(*s3.key_of["someone"]), "s3", REGION)
    assert refused(s3, signer, **headers) == told


@pytest.mark.parametrize(("date", "told"), [
    ("Bad Date", (403, "AccessDenied")), ("", (403, "AccessDenied")),
    (formatdate(1_278_539_584, usegmt=True), (403, "RequestTimeTooSkewed")),
    ("Tue, 07 Jul 9999 21:53:04 GMT", (403, "RequestTimeTooSkewed")),
    ("Tue, 07 Jul 1950 21:53:04 GMT", (403, "AccessDenied"))])
def test_dates_of_version_2(s3: World, date: str, told: tuple[int, str]) -> None:
    signer = HmacV1Auth(Credentials(*s3.key_of["someone"]))
    assert refused(s3, signer, Date=date) == told


def test_two_ways_at_once_are_one_too_many(s3: World) -> None:
    signer = S3SigV4QueryAuth(Credentials(*s3.key_of["someone"]), "s3", REGION)
    assert refused(s3, signer, Authorization="Basic c29tZW9uZTp4") == (400, "InvalidArgument")
