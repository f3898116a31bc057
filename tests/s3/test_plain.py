"""The REST API of Alluxio 1.x under the prefix, for callers who do not sign: curl's lines."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.s3.conftest import PREFIX, code_of

if TYPE_CHECKING:
    import requests

    from tests.gateway import Gateway
    from tests.s3.conftest import World

pytestmark = pytest.mark.gunicorn
CONTENT = b"x" * 26847
TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"


def listing(inside: str) -> str:
    return f'<ListBucketResult xmlns=""><Name>/testbucket</Name>{inside}</ListBucketResult>'


def contents(*keys: str) -> str:
    return "".join(
        f"<Contents><Key>{key}</Key><LastModified>TIME</LastModified><ETag></ETag><Size>26847"
        "</Size><StorageClass>STANDARD</StorageClass></Contents>" for key in keys)


class Curl:
    """curl -u someone, below the prefix."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        return self._gateway.request(method, f"{PREFIX}/testbucket{path}", **options)

    def listed(self, query: str = "") -> tuple[str, int]:
        answer = self("GET", query)
        assert answer.headers["Content-Type"] == "application/xml"
        assert answer.headers["Content-Length"] == str(len(answer.content))
        text, times = re.subn(TIME, "TIME", answer.text)
        assert times == answer.text.count("<Contents>")
        return text, len(answer.content)


def test_the_lines_of_its_documentation(s3: World) -> None:
    curl = Curl(s3.gateway)
    made = curl("PUT", "")
    assert (made.status_code, made.content) == (200, b"")
    assert made.headers["Content-Length"] == "0"
    assert curl.listed() == (listing(
        "<Prefix/><ContinuationToken/><NextContinuationToken/><KeyCount>0</KeyCount>"
        "<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>"), 200)
    put = curl("PUT", "/testobject", data=CONTENT)
    etag = f'"{hashlib.md5(CONTENT).hexdigest()}"'
    assert (put.status_code, put.headers["ETag"]) == (200, etag)
    got = curl("GET", "/testobject")
    assert (got.content, got.headers["Content-Type"]) == (CONTENT, "application/xml")
    assert curl.listed() == (listing(
        "<Prefix/><ContinuationToken/><NextContinuationToken/><KeyCount>1</KeyCount>"
        "<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>" + contents("testobject")), 363)
    for key in ("key1", "key2", "key3"):
        curl("PUT", f"/{key}", data=CONTENT)
    assert curl.listed("?max-keys=2") == (listing(
        "<Prefix/><ContinuationToken/><NextContinuationToken>key3</NextContinuationToken>"
        "<KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><IsTruncated>true</IsTruncated>"
        + contents("key1", "key2")), 537)
    assert curl.listed("?max-keys=2&continuation-token=key3") == (listing(
        "<Prefix/><ContinuationToken>key3</ContinuationToken><NextContinuationToken/>"
        "<KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><IsTruncated>false</IsTruncated>"
        + contents("key3", "testobject")), 540)
    for key in ("key1", "key2", "key3", "testobject"):
        assert curl("DELETE", f"/{key}").status_code == 204
    assert curl("DELETE", "").status_code == 204
    assert code_of(curl("GET", "")) == (404, "NoSuchBucket")


def test_a_token_is_a_key_and_pages_go_on_from_it(s3: World) -> None:
    name = f"{PREFIX}/plain-pages"
    gateway = s3.gateway
    gateway.request("PUT", name)
    keys = ["a-b", "a/b", "a/c", "a0", "z\N{SNAKE}", "ü"]
    for key in keys:
        gateway.request("PUT", f"{name}/{key}")
    for limit in (1, 2, 5):
        found, token = [], ""
        while True:
            params = {"max-keys": str(limit)} | ({"continuation-token": token} if token else {})
            text = gateway.request("GET", name, params=params).text
            found += re.findall("<Key>(.*?)</Key>", text)
            following = re.search("<NextContinuationToken>(.*?)</NextContinuationToken>", text)
            if not following:
                break
            token = following[1]
            assert token in keys
        assert found == sorted(keys, key=str.encode)
    text = gateway.request("GET", name, params={"prefix": "a/", "max-keys": "1"}).text
    assert "<Prefix>a/</Prefix>" in text
    assert "<NextContinuationToken>a/c<" in text
    text = gateway.request("GET", name, params={"delimiter": "/"}).text
    assert "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>" in text
    text = gateway.request("GET", name, params={"max-keys": "0"}).text
    assert "<KeyCount>0</KeyCount>" in text


def test_who_signs_gets_the_form_of_aws_under_the_prefix_too(s3: World) -> None:
    client = s3.client(style="prefix")
    client.create_bucket(Bucket="signed-here")
    client.put_object(Bucket="signed-here", Key="key", Body=CONTENT)
    page = client.list_objects(Bucket="signed-here")
    assert page["Name"] == "signed-here"
    assert page["Contents"][0]["ETag"] != ""
    plain = s3.gateway.request("GET", f"{PREFIX}/signed-here").text
    assert "<Name>/signed-here</Name>" in plain


def test_a_password_at_the_root_of_the_port_gets_the_form_of_aws(s3: World) -> None:
    s3.client().create_bucket(Bucket="at-the-root")
    told = s3.send("GET", "/at-the-root", user=None, headers={
        "Authorization": "Basic c29tZW9uZTpzZWNyZXQ="})
    assert "<Name>at-the-root</Name>" in told.text


def test_a_wrong_password(s3: World) -> None:
    told = s3.gateway.request("GET", f"{PREFIX}/x", auth=("someone", "wrong"))
    assert code_of(told) == (401, "AccessDenied")
    assert told.headers["WWW-Authenticate"].startswith("Basic ")
