"""Cross-origin rules: kept with the bucket, answered in preflights and on actual answers."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.s3.conftest import BUCKET_ROOTS, code_of, refusal

if TYPE_CHECKING:
    import requests

    from tests.s3.conftest import World

pytestmark = pytest.mark.gunicorn
RULES = [
    {"ID": "first", "AllowedOrigins": ["https://app.example.net", "https://*.example.org"],
     "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["content-type", "x-amz-*"],
     "ExposeHeaders": ["ETag", "x-amz-request-id"], "MaxAgeSeconds": 3000},
    {"AllowedOrigins": ["*"], "AllowedMethods": ["HEAD"]},
]


@pytest.fixture
def shared(client: Any, bucket: str) -> str:
    client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": RULES})
    client.put_object(Bucket=bucket, Key="key", Body=b"x")
    return bucket


def preflight(
    s3: World, bucket: str, origin: str, method: str, headers: str = "",
) -> requests.Response:
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers:
        asked["Access-Control-Request-Headers"] = headers
    return s3.send("OPTIONS", f"/{bucket}/some/key", user=None, headers=asked)


def test_rules_come_back_and_go(any_client: Any) -> None:
    name = "with-rules"
    any_client.create_bucket(Bucket=name)
    assert refusal(any_client.get_bucket_cors, Bucket=name) == (404, "NoSuchCORSConfiguration")
    any_client.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": RULES})
    assert any_client.get_bucket_cors(Bucket=name)["CORSRules"] == RULES
    any_client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert any_client.get_bucket_cors(Bucket=name)["CORSRules"] == RULES
    any_client.delete_bucket_cors(Bucket=name)
    assert refusal(any_client.get_bucket_cors, Bucket=name) == (404, "NoSuchCORSConfiguration")
    assert any_client.get_bucket_tagging(Bucket=name)["TagSet"]
    any_client.delete_bucket_cors(Bucket=name)


def test_a_preflight_that_is_allowed(s3: World, shared: str) -> None:
    told = preflight(s3, shared, "https://app.example.net", "PUT", "Content-Type, X-Amz-Date")
    assert told.status_code == 200
    assert told.content == b""
    headers = told.headers
    assert headers["Access-Control-Allow-Origin"] == "https://app.example.net"
    assert headers["Access-Control-Allow-Methods"] == "GET, PUT"
    assert headers["Access-Control-Allow-Headers"] == "content-type, x-amz-date"
    assert headers["Access-Control-Expose-Headers"] == "ETag, x-amz-request-id"
    assert headers["Access-Control-Max-Age"] == "3000"
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert "Origin" in headers["Vary"]
    anybody = preflight(s3, shared, "https://anywhere", "HEAD").headers
    assert anybody["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in anybody
    assert preflight(s3, shared, "https://a.b.example.org", "GET").status_code == 200


@pytest.mark.parametrize(("origin", "method", "headers"), [
    ("https://evil.example.net", "GET", ""), ("https://app.example.net", "DELETE", ""),
    ("https://app.example.net", "PUT", "authorization"), ("https://.example.org.evil", "GET", ""),
    ("http://app.example.net", "GET", ""), ("https://anywhere", "HEAD", "x-any")])
def test_a_preflight_that_is_not(
    s3: World, shared: str, origin: str, method: str, headers: str,
) -> None:
    told = preflight(s3, shared, origin, method, headers)
    assert code_of(told) == (403, "AccessForbidden")
    assert "Access-Control-Allow-Origin" not in told.headers


def test_a_preflight_without_rules_or_without_words(s3: World, bucket: str) -> None:
    told = preflight(s3, bucket, "https://app.example.net", "GET")
    assert code_of(told) == (403, "AccessForbidden")
    assert b"not enabled" in told.content
    assert code_of(preflight(s3, "no-such-bucket", "https://x", "GET"))[0] == 403
    assert code_of(preflight(s3, bucket, "https://x", "PATCH")) == (400, "BadRequest")
    assert code_of(s3.send("OPTIONS", f"/{bucket}/key", user=None)) == (400, "BadRequest")


def test_no_preflight_is_allowed_when_the_rules_are_gone(
    s3: World, client: Any, shared: str,
) -> None:
    client.delete_bucket_cors(Bucket=shared)
    assert preflight(s3, shared, "https://app.example.net", "GET").status_code == 403


def test_rules_go_with_a_bucket_that_gets_another_name(
    s3: World, client: Any, shared: str,
) -> None:
    """AIStore's dialect has the operation; a preflight has but the name to go by."""
    new = f"{shared}-new"
    origin = "https://app.example.net"
    done = s3.gateway.request(
        "POST", f"/v1/buckets/{shared}", json={"action": "renamelb", "name": new})
    assert done.status_code == 200, done.text
    assert client.get_object(Bucket=new, Key="key")["Body"].read() == b"x"
    assert preflight(s3, new, origin, "GET").status_code == 200
    gone = preflight(s3, shared, origin, "GET")
    assert code_of(gone) == (403, "AccessForbidden")
    assert b"not enabled" in gone.content
    assert client.get_bucket_cors(Bucket=new)["CORSRules"] == RULES
    client.delete_object(Bucket=new, Key="key")
    client.delete_bucket(Bucket=new)
    assert preflight(s3, new, origin, "GET").status_code == 403


def test_rules_of_a_bucket_that_was_moved_past_s3_are_known_once_they_are_asked_for(
    s3: World, client: Any, shared: str,
) -> None:
    new, origin = f"{shared}-moved", "https://app.example.net"
    root = BUCKET_ROOTS["someone"]
    moved = s3.gateway.request("PUT", "/f/name", params={
        "path": f"{root}/{shared}", "destination": f"{root}/{new}"})
    assert moved.ok, moved.text
    assert preflight(s3, new, origin, "GET").status_code == 403
    assert client.get_bucket_cors(Bucket=new)["CORSRules"] == RULES
    assert preflight(s3, new, origin, "GET").status_code == 200


def test_actual_answers(s3: World, shared: str) -> None:
    origin = {"Origin": "https://app.example.net"}
    told = s3.send("GET", f"/{shared}/key", headers=origin)
    assert told.headers["Access-Control-Allow-Origin"] == origin["Origin"]
    assert told.headers["Access-Control-Expose-Headers"] == "ETag, x-amz-request-id"
    missing = s3.send("GET", f"/{shared}/missing", headers=origin)
    assert missing.headers["Access-Control-Allow-Origin"] == origin["Origin"]
    evil = {"Origin": "https://evil.example.com"}
    for method, headers in (("DELETE", origin), ("GET", evil), ("GET", {})):
        other = s3.send(method, f"/{shared}/missing", headers=headers)
        assert "Access-Control-Allow-Origin" not in other.headers


def rule(inside: str) -> bytes:
    return f"<CORSConfiguration><CORSRule>{inside}</CORSRule></CORSConfiguration>".encode()


ORIGIN, METHOD = "<AllowedOrigin>*</AllowedOrigin>", "<AllowedMethod>GET</AllowedMethod>"


@pytest.mark.parametrize(("body", "code"), [
    (rule(ORIGIN), "MalformedXML"), (rule(METHOD), "MalformedXML"),
    (rule(f"{ORIGIN}{METHOD}<MaxAgeSeconds>soon</MaxAgeSeconds>"), "MalformedXML"),
    (b"<CORSConfiguration/>", "MalformedXML"), (b"<CORSConfiguration><Other/></CORSConfiguration>",
                                                "MalformedXML"),
    (rule("") * 2, "MalformedXML"),
    (rule(f"{ORIGIN}<AllowedMethod>PATCH</AllowedMethod>"), "InvalidRequest"),
    (rule(f"{METHOD}<AllowedOrigin>*.*</AllowedOrigin>"), "InvalidRequest"),
    (rule(f"{ORIGIN}{METHOD}<AllowedHeader>*x*</AllowedHeader>"), "InvalidRequest"),
    (rule(f"{ORIGIN}{METHOD}<ExposeHeader>a\r\nb</ExposeHeader>"), "InvalidRequest"),
    (b"<CORSConfiguration>" + f"<CORSRule>{ORIGIN}{METHOD}</CORSRule>".encode() * 101
     + b"</CORSConfiguration>", "MalformedXML"),
])
def test_rules_that_are_none(s3: World, bucket: str, body: bytes, code: str) -> None:
    assert code_of(s3.send("PUT", f"/{bucket}?cors", data=body)) == (400, code)
    assert code_of(s3.send("GET", f"/{bucket}?cors")) == (404, "NoSuchCORSConfiguration")


def test_who_may_not(s3: World, shared: str) -> None:
    reader = s3.client("reader")
    assert reader.get_bucket_cors(Bucket=shared)["CORSRules"] == RULES
    assert refusal(reader.delete_bucket_cors, Bucket=shared) == (403, "AccessDenied")
    assert preflight(s3, shared, "https://app.example.net", "GET").status_code == 200


def test_another_s_rules_do_not_let_a_page_write_by_a_remembered_password(s3: World) -> None:
    name, page = "of-two-users", "https://page.example.net"
    rules = [{"AllowedOrigins": [page], "AllowedMethods": ["PUT", "POST"],
              "AllowedHeaders": ["*"]}]
    for user in ("someone", "other"):
        s3.client(user).create_bucket(Bucket=name)
    s3.client("other").put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": rules})
    assert preflight(s3, name, page, "PUT").status_code == 200  # some bucket's rules allow it

    def put(origin: str, method: str = "PUT", target: str = "key") -> requests.Response:
        return s3.send(method, f"/{name}/{target}", user=None, data=b"x", headers={
            "Origin": origin, "Authorization": "Basic c29tZW9uZTpzZWNyZXQ="})

    for origin in (page, "null", f"{s3.url}.example.net"):
        assert code_of(put(origin)) == (403, "AccessForbidden")
        assert code_of(put(origin, "POST", "key?uploads")) == (403, "AccessForbidden")
    assert put(page, "GET").status_code == 404
    assert put(s3.url).status_code == 200
    assert s3.send("PUT", f"/{name}/key", headers={"Origin": page}).status_code == 200
    s3.client().put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": rules})
    assert put(page).status_code == 200


@pytest.mark.parametrize("rules", [
    5, [5], [{"x": 1}], [{"origins": 5, "methods": [], "headers": [], "expose": []}],
    [{"origins": ["*"], "methods": ["GET"], "headers": [], "expose": ["a\r\nb"]}],
    [{"origins": ["*"], "methods": ["GET"], "headers": [5], "expose": []}],
    [{"origins": ["*"], "methods": ["GET"], "headers": [], "expose": [], "max_age": 5}],
])
def test_rules_that_somebody_made_up_are_none(s3: World, bucket: str, rules: Any) -> None:
    record = base64.b64encode(json.dumps({"cors": rules}).encode()).decode()
    made = s3.gateway.request("PUT", "/f/file/xattrs", params={
        "path": f"s3/{bucket}", "name": "user.httpfs-proxy.bucket", "value": record})
    assert made.ok, made.text
    told = s3.send("GET", f"/{bucket}", headers={"Origin": "https://app.example.net"})
    assert told.status_code == 200
    assert "Access-Control-Allow-Origin" not in told.headers
    assert code_of(s3.send("GET", f"/{bucket}?cors")) == (404, "NoSuchCORSConfiguration")
