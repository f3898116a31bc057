"""ListObjects, ListObjectsV2, ListObjectVersions: what AWS answers, and in which order."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.s3.conftest import code_of, fresh_bucket, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.s3.conftest import World

pytestmark = pytest.mark.gunicorn
KEYS = ["a-b", "a.b", "a/b/c", "a/d", "a0", "asdf+b", "b/\N{SNAKE}", "b/z", "b/ü", "c d/e",
        "co:lon", "empty/", "foo%2Fbar", "q&<r>\"'", "x//y", "z"]


@pytest.fixture(scope="module")
def full(s3: World) -> str:
    client = s3.client()
    name = fresh_bucket(client)
    for key in random.Random(1).sample(KEYS, len(KEYS)):
        client.put_object(Bucket=name, Key=key, Body=key.encode() if key[-1] != "/" else b"")
    return name


def model(keys: list[str], prefix: str, delimiter: str) -> list[str]:
    """Return what a listing shows, keys and common prefixes in order."""
    shown: dict[str, None] = {}
    for key in sorted(keys, key=str.encode):
        if key.startswith(prefix):
            end = key.find(delimiter, len(prefix)) if delimiter else -1
            shown[key if end < 0 else key[:end + len(delimiter)]] = None
    return list(shown)


def shown(page: dict[str, Any]) -> list[str]:
    return sorted([one["Key"] for one in page.get("Contents", [])]
                  + [one["Prefix"] for one in page.get("CommonPrefixes", [])], key=str.encode)


def pages_v1(client: Any, **parameters: Any) -> Iterator[dict[str, Any]]:
    marker = {}
    while True:
        page = client.list_objects(**parameters, **marker)
        yield page
        if not page["IsTruncated"]:
            assert "NextMarker" not in page
            return
        assert ("NextMarker" in page) == bool(parameters.get("Delimiter"))
        marker = {"Marker": page.get("NextMarker") or page["Contents"][-1]["Key"]}


def pages_v2(client: Any, **parameters: Any) -> Iterator[dict[str, Any]]:
    yield from client.get_paginator("list_objects_v2").paginate(**parameters)


def pages_of_versions(client: Any, **parameters: Any) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator("list_object_versions").paginate(**parameters):
        yield {**page, "Contents": page.get("Versions", [])}


@pytest.mark.parametrize("pages", [pages_v1, pages_v2, pages_of_versions],
                         ids=lambda pages: pages.__name__)
@pytest.mark.parametrize("limit", [1, 3, 1000])
@pytest.mark.parametrize("names", [
    ("", ""), ("a", ""), ("a/", ""), ("", "/"), ("a/", "/"), ("b/", "/"), ("a", "/"), ("x/", "/"),
    ("x//", "/"), ("", "-"), ("", "b"), ("", "//"), ("co", ":"), ("none", "/"), ("empty/", "/")])
def test_all_pages_together_are_the_listing(
    client: Any, full: str, names: tuple[str, str], limit: int, pages: Any,
) -> None:
    found: list[str] = []
    prefix, delimiter = names
    parameters = {"Delimiter": delimiter} if delimiter else {}
    for page in pages(client, Bucket=full, Prefix=prefix, MaxKeys=limit, **parameters):
        told = shown(page)
        assert len(told) <= limit
        assert page["MaxKeys"] == limit
        assert page.get("KeyCount", len(told)) == len(told)
        found += told
    assert found == model(KEYS, prefix, delimiter)


def test_what_is_told_of_each_object(client: Any, full: str) -> None:
    (found,) = client.list_objects_v2(Bucket=full, Prefix="a-b")["Contents"]
    head = client.head_object(Bucket=full, Key="a-b")
    assert found["LastModified"] == head["LastModified"]
    assert (found["ETag"], found["Size"], found["StorageClass"]) == (head["ETag"], 3, "STANDARD")
    assert "Owner" not in found
    (found,) = client.list_objects_v2(Bucket=full, Prefix="a-b", FetchOwner=True)["Contents"]
    assert found["Owner"] == {"ID": "alice", "DisplayName": "alice"}
    (found,) = client.list_objects(Bucket=full, Prefix="a-b")["Contents"]
    assert found["Owner"]["ID"] == "alice"
    (found,) = client.list_object_versions(Bucket=full, Prefix="a-b")["Versions"]
    assert (found["VersionId"], found["IsLatest"]) == ("null", True)
    assert found["ETag"] == head["ETag"]


def test_where_to_start(client: Any, full: str) -> None:
    page = client.list_objects_v2(Bucket=full, StartAfter="b/z")
    assert page["StartAfter"] == "b/z"
    expected = [key for key in sorted(KEYS, key=str.encode) if key.encode() > b"b/z"]
    assert shown(page) == expected
    assert shown(client.list_objects(Bucket=full, Marker="b/z")) == expected
    versions = client.list_object_versions(Bucket=full, KeyMarker="b/z")["Versions"]
    assert [one["Key"] for one in versions] == expected
    assert shown(client.list_objects_v2(Bucket=full, StartAfter="zz")) == []
    # Between two names, inside of one, and behind a common prefix.
    assert shown(client.list_objects_v2(Bucket=full, StartAfter="a-"))[0] == "a-b"
    assert shown(client.list_objects_v2(Bucket=full, StartAfter="a/b/c", Delimiter="/"))[0] == "a/"
    assert shown(client.list_objects_v2(Bucket=full, StartAfter="a/", Delimiter="/"))[0] == "a0"


def test_a_token_counts_more_than_a_start(client: Any, full: str) -> None:
    first = client.list_objects_v2(Bucket=full, MaxKeys=1, StartAfter="a0")
    token = first["NextContinuationToken"]
    second = client.list_objects_v2(
        Bucket=full, MaxKeys=1, StartAfter="b/z", ContinuationToken=token)
    assert (second["StartAfter"], second["ContinuationToken"]) == ("b/z", token)
    assert shown(second) == ["b/z"]


@pytest.mark.parametrize("change", [
    lambda token: token[:-4], lambda token: "AAAA" + token[4:], lambda token: token + "AAAA",
    lambda token: "x", lambda token: "a/b", lambda token: "ünd", lambda token: token[::-1]])
def test_a_token_comes_back_as_it_was(client: Any, full: str, change: Any) -> None:
    token = client.list_objects_v2(Bucket=full, MaxKeys=3)["NextContinuationToken"]
    assert refusal(client.list_objects_v2, Bucket=full, ContinuationToken=change(token)) == (
        400, "InvalidArgument")


def test_names_are_encoded_where_that_is_asked(s3: World, full: str) -> None:
    told = s3.send("GET", f"/{full}?list-type=2&encoding-type=url&delimiter=%2F&start-after=a%2Bb")
    text = told.text
    assert "<EncodingType>url</EncodingType>" in text
    assert "<StartAfter>a%2Bb</StartAfter>" in text
    assert "<Delimiter>/</Delimiter>" in text
    assert "<Key>asdf%2Bb</Key>" in text
    assert "<Prefix>c%20d/</Prefix>" in text
    assert "<Key>foo%252Fbar</Key>" in text
    plain = s3.send("GET", f"/{full}?list-type=2&prefix=q").text
    assert "<Key>q&amp;&lt;r&gt;&quot;'</Key>" in plain
    told = s3.send("GET", f"/{full}?encoding-type=base64")
    assert code_of(told) == (400, "InvalidArgument")


def test_control_characters_come_through(s3: World, client: Any, bucket: str) -> None:
    keys = ["\x01start", "cr\rlf\n", "del\x7f", "tab\t"]
    for key in keys:
        client.put_object(Bucket=bucket, Key=key, Body=b"")
    assert shown(client.list_objects_v2(Bucket=bucket)) == keys
    raw = s3.send("GET", f"/{bucket}?list-type=2").content
    assert b"<Key>&#1;start</Key>" in raw
    assert b"<Key>cr&#13;lf\n</Key>" in raw


EMPTY_V1 = ("<Name>{0}</Name><Prefix></Prefix><Marker></Marker><MaxKeys>1000</MaxKeys>"
            "<IsTruncated>false</IsTruncated></ListBucketResult>")
EMPTY_V2 = ("<Name>{0}</Name><Prefix></Prefix><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys>"
            "<IsTruncated>false</IsTruncated></ListBucketResult>")
EMPTY_VERSIONS = (
    "<Name>{0}</Name><Prefix></Prefix><KeyMarker></KeyMarker><VersionIdMarker></VersionIdMarker>"
    "<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListVersionsResult>")


@pytest.mark.parametrize(("query", "expected"), [
    ("", EMPTY_V1), ("?list-type=1", EMPTY_V1), ("?x-id=ListObjects", EMPTY_V1),
    ("?delimiter=&max-keys=", EMPTY_V1), ("?list-type=2", EMPTY_V2),
    ("?list-type=2&delimiter=", EMPTY_V2), ("?versions", EMPTY_VERSIONS)])
def test_an_empty_bucket(s3: World, bucket: str, query: str, expected: str) -> None:
    told = s3.send("GET", f"/{bucket}{query}")
    assert told.headers["Content-Type"] == "application/xml"
    assert told.text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<List')
    assert told.text.partition(' xmlns="http://s3.amazonaws.com/doc/2006-03-01/">')[2] == (
        expected.format(bucket))


def test_given_but_empty_is_told_empty(s3: World, bucket: str) -> None:
    told = s3.send("GET", f"/{bucket}?list-type=2&start-after=&continuation-token=").text
    assert "<ContinuationToken></ContinuationToken>" in told
    assert "<StartAfter></StartAfter>" in told


@pytest.mark.parametrize("query", [
    "?max-keys=0", "?list-type=2&max-keys=0", "?versions&max-keys=0"])
def test_no_key_at_all_is_not_truncated(s3: World, full: str, query: str) -> None:
    text = s3.send("GET", f"/{full}{query}").text
    assert "<MaxKeys>0</MaxKeys>" in text
    assert "<IsTruncated>false</IsTruncated>" in text
    assert "<Key>" not in text


@pytest.mark.parametrize("value", [
    "-1", "x", "1.5", "2147483648", "99999999999999", "0x10", "%C2%B2"])
def test_a_number_of_keys_that_is_none(s3: World, full: str, value: str) -> None:
    for query in ("", "list-type=2&", "versions&"):
        told = s3.send("GET", f"/{full}?{query}max-keys={value}")
        assert code_of(told) == (400, "InvalidArgument")
        assert b"<ArgumentName>max-keys</ArgumentName>" in told.content


def test_more_than_a_thousand_keys_come_in_pages_of_a_thousand(s3: World, bucket: str) -> None:
    assert "<MaxKeys>1000</MaxKeys>" in s3.send("GET", f"/{bucket}?max-keys=2000").text


@pytest.mark.parametrize("query", ["", "?list-type=2", "?versions", "?max-keys=0"])
def test_a_bucket_that_is_not_there(s3: World, query: str) -> None:
    assert code_of(s3.send("GET", f"/no-such-bucket{query}")) == (404, "NoSuchBucket")


def test_a_version_without_a_key_is_no_place_to_start(s3: World, full: str) -> None:
    told = s3.send("GET", f"/{full}?versions&version-id-marker=null")
    assert code_of(told) == (400, "InvalidArgument")


def test_files_and_directories_of_others_are_listed(s3: World, client: Any, bucket: str) -> None:
    for path in ("made/by/hand", "made/empty"):
        s3.gateway.request("PUT", "/f/directory", params={"path": f"s3/{bucket}/{path}"})
    s3.gateway.request("PUT", "/f/file/content", data=b"content",
                       params={"path": f"s3/{bucket}/made/by/hand/file"})
    page = client.list_objects_v2(Bucket=bucket)
    assert shown(page) == ["made/by/hand/file", "made/empty/"]
    file = page["Contents"][0]
    assert file["ETag"].endswith('-1"')
    assert file["ETag"] == client.head_object(Bucket=bucket, Key="made/by/hand/file")["ETag"]
