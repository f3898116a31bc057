"""PostObject over the wire: forms that boto3 signs, sent as browsers send them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from defusedxml.ElementTree import fromstring

from tests.gateway import wait_for
from tests.s3.conftest import code_of, fresh_bucket
from tests.s3.wire import connect, names_in, send_head

if TYPE_CHECKING:
    from tests.s3.conftest import World

pytestmark = pytest.mark.gunicorn
CONTENT = b"from a browser" * 1000
TAGGING = "<Tagging><TagSet><Tag><Key>t</Key><Value>1</Value></Tag></TagSet></Tagging>"


def signed_form(
    client: Any, bucket: str, key: str = "key", *, conditions: list[Any] | None = None,
    **fields: str,
) -> tuple[str, dict[str, str]]:
    """Return where to post and the fields of a form whose policy allows just these."""
    given = {name.replace("_", "-"): value for name, value in fields.items()}
    made = client.generate_presigned_post(
        bucket, key, given, [*({name: value} for name, value in given.items()),
                             *(conditions or [])])
    return made["url"], made["fields"]


def post(
    s3: World, url: str, fields: dict[str, str], content: bytes = CONTENT, *,
    filename: str = "a file.txt",
) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.post(
            url, data=fields, files={"file": (filename, content, "text/html")}, timeout=60,
            allow_redirects=False,
            verify=str(s3.certificate.file) if s3.certificate else True)


@pytest.mark.parametrize("version", ["s3", "s3v4"])
@pytest.mark.parametrize("world", ["s3", "tls_s3"])
def test_a_form(request: pytest.FixtureRequest, world: str, version: str) -> None:
    """A form of boto3 is signed in the old way unless told otherwise."""
    made: World = request.getfixturevalue(world)
    client = made.client(signature_version=version)
    bucket = fresh_bucket(client)
    url, fields = signed_form(
        client, bucket, "dir/${filename}", Content_Type="text/plain", acl="private",
        x_amz_meta_a="ü", tagging=TAGGING, Cache_Control="no-store")
    answer = post(made, url, fields)
    assert answer.status_code == 204, answer.text
    assert answer.headers["ETag"] == f'"{hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()}"'
    assert answer.headers["Location"] == f"{made.url}/{bucket}/dir/a%20file.txt"
    got = client.get_object(Bucket=bucket, Key="dir/a file.txt")
    assert got["Body"].read() == CONTENT
    assert (got["ContentType"], got["CacheControl"]) == ("text/plain", "no-store")
    assert got["Metadata"] == {"a": "ü".encode().decode("latin-1")}
    assert client.get_object_tagging(Bucket=bucket, Key="dir/a file.txt")["TagSet"] == [
        {"Key": "t", "Value": "1"}]


def test_an_empty_file(s3: World, client: Any, bucket: str) -> None:
    assert post(s3, *signed_form(client, bucket), content=b"").status_code == 204
    assert client.head_object(Bucket=bucket, Key="key")["ContentLength"] == 0


def test_statuses(s3: World, client: Any, bucket: str) -> None:
    for status, expected in (("200", 200), ("201", 201), ("204", 204), ("404", 204)):
        assert post(s3, *_with_status(client, bucket, status)).status_code == expected
    answer = post(s3, *_with_status(client, bucket, "201"))
    tree = fromstring(answer.content)
    assert tree.tag == "PostResponse"
    assert {node.tag: node.text for node in tree} == {
        "Location": f"{s3.url}/{bucket}/a%26b", "Bucket": bucket, "Key": "a&b",
        "ETag": answer.headers["ETag"]}


def _with_status(client: Any, bucket: str, status: str) -> tuple[str, dict[str, str]]:
    made = client.generate_presigned_post(
        bucket, "a&b", {"success_action_status": status}, [{"success_action_status": status}])
    return made["url"], made["fields"]


def test_a_redirect(s3: World, client: Any, bucket: str) -> None:
    target = "https://example.net/done?a=b"
    for name in ("success_action_redirect", "redirect"):
        made = client.generate_presigned_post(bucket, "key", {name: target}, [{name: target}])
        answer = post(s3, made["url"], made["fields"])
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith(f"{target}&")
        assert parse_qs(urlsplit(answer.headers["Location"]).query) == {
            "a": ["b"], "bucket": [bucket], "key": ["key"], "etag": [answer.headers["ETag"]]}
    bad = "javascript:alert(1)"
    made = client.generate_presigned_post(bucket, "key", {"redirect": bad}, [{"redirect": bad}])
    assert post(s3, made["url"], made["fields"]).status_code == 204


@pytest.mark.parametrize(("content", "expected"), [
    (b"1234", (400, "EntityTooSmall")), (b"12345", None), (b"1234567890", None),
    (b"12345678901", (400, "EntityTooLarge")), (b"x" * 1_000_000, (400, "EntityTooLarge")),
])
def test_the_length_of_the_file(
    s3: World, client: Any, bucket: str, content: bytes, expected: tuple[int, str] | None,
) -> None:
    url, fields = signed_form(client, bucket, conditions=[["content-length-range", 5, 10]])
    answer = post(s3, url, fields, content)
    if expected is None:
        assert answer.status_code == 204
    else:
        assert code_of(answer) == expected
        assert names_in(s3, bucket) == 0


def test_checksums(s3: World, client: Any, bucket: str) -> None:
    good = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    url, fields = signed_form(client, bucket, x_amz_checksum_sha256=good)
    answer = post(s3, url, fields)
    assert answer.status_code == 204
    assert answer.headers["x-amz-checksum-sha256"] == good
    assert code_of(post(s3, url, fields, b"other")) == (400, "BadDigest")
    assert client.get_object(Bucket=bucket, Key="key")["Body"].read() == CONTENT


def without(fields: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name.lower() not in names}


def test_what_the_policy_does_not_allow(s3: World, client: Any, bucket: str) -> None:
    url, fields = signed_form(client, bucket, "dir/key")
    denied = (403, "AccessDenied")
    assert code_of(post(s3, url, fields | {"key": "other"})) == denied
    assert code_of(post(s3, url, fields | {"acl": "private"})) == denied
    other = fresh_bucket(client)
    assert code_of(post(s3, url.replace(bucket, other), fields)) == denied
    expired = client.generate_presigned_post(bucket, "key", ExpiresIn=-5)
    assert code_of(post(s3, expired["url"], expired["fields"])) == denied
    assert code_of(post(s3, url, {"key": "dir/key"})) == denied
    assert names_in(s3, bucket) == names_in(s3, other) == 0


def test_signatures(s3: World, bucket: str) -> None:
    url, fields = signed_form(s3.client(signature_version="s3v4"), bucket)
    wrong = "0" * 64
    for changed, expected in (
        (fields | {"x-amz-signature": wrong}, (403, "SignatureDoesNotMatch")),
        (fields | {"policy": base64.b64encode(b"{}").decode()}, (403, "SignatureDoesNotMatch")),
        (fields | {"x-amz-credential": fields["x-amz-credential"].replace(
            s3.key_of["someone"][0], "AKIAAAAAAAAAAAAAAAAA")}, (403, "InvalidAccessKeyId")),
        (without(fields, "policy"), (400, "InvalidArgument")),
        (without(fields, "x-amz-credential"), (400, "InvalidArgument")),
        (without(fields, "key"), (400, "InvalidArgument")),
    ):
        assert code_of(post(s3, url, changed)) == expected
    assert code_of(post(s3, url, fields | {"x-amz-meta-a": "b"})) == (403, "AccessDenied")
    reader = s3.client("reader")
    assert code_of(post(s3, *signed_form(reader, bucket))) == (403, "AccessDenied")


def test_a_policy_written_by_hand(s3: World, bucket: str) -> None:
    key_id, secret = s3.key_of["someone"]
    policy = base64.b64encode(json.dumps({
        "expiration": f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        "conditions": [{"bucket": bucket}, ["starts-with", "$key", ""]]}).encode())
    signature = base64.b64encode(hmac.new(secret.encode(), policy, "sha1").digest()).decode()
    fields = {"key": "key", "AWSAccessKeyId": key_id, "policy": policy.decode(),
              "signature": signature}
    answer = post(s3, f"{s3.url}/{bucket}", fields)
    assert answer.status_code == 204, answer.text


def test_fields_that_cannot_be_headers(s3: World, client: Any, bucket: str) -> None:
    for fields, expected in (
        ({"x_amz_meta_a": "b\r\nSet-Cookie: c=d"}, (400, "InvalidArgument")),
        ({"x_amz_meta_a": "b" * 3000}, (400, "MetadataTooLarge")),
        ({"tagging": "<Tagging>"}, (400, "MalformedXML")),
        ({"acl": "public-read"}, (400, "AccessControlListNotSupported")),
        ({"x_amz_checksum_crc32": "!"}, (400, "BadDigest")),
        ({"x_amz_server_side_encryption": "AES256"}, (501, "NotImplemented")),
    ):
        assert code_of(post(s3, *signed_form(client, bucket, **fields))) == expected
    assert names_in(s3, bucket) == 0


def test_bodies_that_are_no_form(s3: World, bucket: str) -> None:
    for kind, data, expected in (
        ("text/plain", b"x", (412, "PreconditionFailed")),
        ("multipart/form-data", b"x", (400, "MalformedPOSTRequest")),
        ("multipart/form-data; boundary=b", b"x", (400, "MalformedPOSTRequest")),
        ("multipart/form-data; boundary=b", b"--b--\r\n", (400, "InvalidArgument")),
    ):
        answer = s3.send("POST", f"/{bucket}", user=None, data=data, headers={"Content-Type": kind})
        assert code_of(answer) == expected


def test_a_connection_cut_in_the_file_leaves_nothing(s3: World, client: Any, bucket: str) -> None:
    url, fields = signed_form(client, bucket)
    prepared = requests.Request("POST", url, data=fields, files={
        "file": ("a", bytes(1_000_000))}).prepare()
    assert isinstance(prepared.body, bytes)
    with connect(s3) as connection:
        send_head(connection, "POST", f"/{bucket}", {"Host": urlsplit(s3.url).netloc, **{
            name: str(value) for name, value in prepared.headers.items()}})
        connection.sendall(prepared.body[:600_000])
        wait_for("the staged file", lambda: names_in(s3, bucket) == 1)
    wait_for("the staged file gone", lambda: names_in(s3, bucket) == 0)
