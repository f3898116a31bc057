"""Listings and summaries of a bucket over HTTP, at once and by task, page by page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgpack
import pytest
import xxhash

from tests.aistore.conftest import error_of
from tests.gateway import wait_for

if TYPE_CHECKING:
    from tests.aistore.conftest import AIStore

KEYS = ["a", "dir/b", "dir/c", "dir2/d", "z"]


def filled(ais: AIStore) -> AIStore:
    """Return the client after it has put KEYS, each with its name as content."""
    for key in KEYS:
        ais.put("bck", key, key.encode())
    return ais


def page(ais: AIStore, action: str = "listobj", bucket: str = "bck", **value: Any) -> Any:
    """Return one page of a listing that is answered at once."""
    answer = ais.bucket("POST", bucket, {"action": action, "value": value})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json()


def task_page(ais: AIStore, **value: Any) -> Any:
    """Return one page of a listing that is asked for twice: for its task, and with that."""
    begun = ais.bucket("POST", "bck", {"action": "listobjects", "value": value})
    assert (begun.status_code, begun.headers["Content-Type"]) == (202, "text/plain; charset=utf-8")
    assert re.fullmatch("[0-9]{10,18}", begun.text)
    for task in (begun.text, int(begun.text)):
        answer = ais.bucket("POST", "bck", {"action": "listobjects",
                                            "value": {**value, "taskid": task}})
        assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_listing_is_answered_at_once(everywhere: AIStore) -> None:
    ais = filled(everywhere)
    for action in ("listobj", "list"):
        told = page(ais, action, props="size")
        assert set(told) == {"uuid", "entries", "continuation_token"}
        assert told["entries"] == [{"name": key, "size": str(len(key))} for key in KEYS]
        assert told["continuation_token"] == ""
    assert [one["name"] for one in page(ais, prefix="dir")["entries"]] == KEYS[1:4]
    assert [one["name"] for one in page(ais, prefix="dir/")["entries"]] == KEYS[1:3]
    assert page(ais, prefix="none")["entries"] == []


def test_a_listing_by_task(everywhere: AIStore) -> None:
    told = task_page(filled(everywhere), props="size,checksum", pagesize=2)
    assert set(told) == {"entries", "pagemarker"}
    sums = [xxhash.xxh64(key.encode()).hexdigest() for key in KEYS]
    assert [(one["name"], one["size"], one["checksum"]) for one in told["entries"]] == [
        (key, str(len(key)), one) for key, one in zip(KEYS[:2], sums, strict=False)]
    assert all(one["copies"] >= 1 for one in told["entries"])
    assert told["pagemarker"] == KEYS[1]


@pytest.mark.parametrize("size", [1, 2, 3, "2", 5, 6])
def test_pages_follow_each_other(ais: AIStore, size: Any) -> None:
    filled(ais)
    for read, marker in ((page, "continuation_token"), (task_page, "pagemarker"),
                         (page, "pagemarker"), (page, "start_after")):
        found: list[str] = []
        after = ""
        while True:
            told = read(ais, pagesize=size, **({marker: after} if after else {}))
            assert len(told["entries"]) <= int(size)
            found += [one["name"] for one in told["entries"]]
            after = told.get("continuation_token", told.get("pagemarker"))
            if not after:
                break
            assert after == found[-1]
        assert found == KEYS


def test_a_page_has_a_thousand_entries_at_most(ais: AIStore) -> None:
    for number in range(1001):
        ais.gateway.request(
            "PUT", "/f/file/content", params={"path": f"/user/alice/ais/bck/o{number:04d}"})
    for size in ({}, {"pagesize": 0}, {"pagesize": 5000}, {"pagesize": "1000"}):
        told = page(ais, **size)
        assert len(told["entries"]) == 1000
        assert told["continuation_token"] == "o0999"
    rest = page(ais, continuation_token="o0999")
    assert ([one["name"] for one in rest["entries"]], rest["continuation_token"]) == (["o1000"], "")


def test_the_properties_that_were_asked_for(ais: AIStore) -> None:
    filled(ais)
    words = b"made by others"
    ais.gateway.request("PUT", "/f/file/content", data=words,
                        params={"path": "/user/alice/ais/bck/b"})
    told = {one["name"]: one for one in page(
        ais, props="name,size,checksum,atime,version,bucket,copies,target_url,flags",
        time_format="RFC3339")["entries"]}
    entry = told["a"]
    assert set(entry) == {"name", "size", "checksum", "atime", "bucket", "copies", "target_url"}
    assert (entry["bucket"], entry["target_url"]) == ("bck", ais.gateway.url)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry["atime"])
    assert "checksum" not in told["b"]
    assert told["b"]["size"] == str(len(words))
    named = page(ais, props="name")["entries"][0]
    assert named == {"name": "a"}
    times = page(ais, props="atime")["entries"][0]["atime"]
    assert re.fullmatch(r"\d\d \w{3} \d\d \d\d:\d\d UTC", times)
    error_of(ais.bucket("POST", "bck", {"action": "listobj", "value": {"time_format": "%Y"}}), 400)


def test_a_listing_in_messagepack(ais: AIStore) -> None:
    filled(ais)
    answer = ais.bucket("POST", "bck", {"action": "listobj", "value": {
        "props": "size,checksum", "pagesize": 2}}, headers={"Accept": "application/msgpack"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/msgpack")
    told = msgpack.unpackb(answer.content)
    assert set(told) == {"UUID", "Entries", "ContinuationToken"}
    assert told["ContinuationToken"] == "dir/b"
    assert [(one["n"], one["s"], len(one["cs"])) for one in told["Entries"]] == [
        ("a", 1, 16), ("dir/b", 5, 16)]


def test_what_cannot_be_listed(ais: AIStore) -> None:
    for action in ("listobj", "list", "listobjects", "summarybck"):
        missing = ais.bucket("POST", "none", {"action": action, "value": {"props": "size"}})
        assert error_of(missing, 404).endswith("bucket ais://none does not exist")
    for value in ({"pagesize": "many"}, {"pagesize": -1}, {"props": ["size"]}, {"prefix": 3}):
        for action in ("listobj", "listobjects"):
            error_of(ais.bucket("POST", "bck", {"action": action, "value": value}), 400)
    for action in ("listobjects", "summarybck"):
        for task in ("none", 12345, "x" * 2000):
            error_of(ais.bucket("POST", "bck", {"action": action, "value": {"taskid": task}}), 404)


def test_a_task_is_its_users_and_its_buckets(ais: AIStore) -> None:
    ais.make_bucket("other")
    for action in ("listobjects", "summarybck"):
        task = ais.bucket("POST", "bck", {"action": action, "value": {}}).text
        message = {"action": action, "value": {"taskid": task}}
        error_of(ais.bucket("POST", "other", message), 404)
        error_of(ais.as_user("guest").bucket("POST", "bck", message), 404)


def test_keys_that_need_care(ais: AIStore) -> None:
    keys = ["a b", "co:lon", "dir/", "grün", "new\nline", "\N{GRINNING FACE}"]
    for key in keys:
        ais.put("bck", key, b"" if key == "dir/" else b"x")
    told = page(ais)["entries"]
    assert [one["name"] for one in told] == sorted(keys, key=str.encode)
    assert [one["size"] for one in told] == ["1", "1", "0", "1", "1", "1"]


def test_a_bucket_in_sum(everywhere: AIStore) -> None:
    ais = filled(everywhere)
    begun = ais.bucket("POST", "bck", {"action": "summarybck", "value": {"fast": False}})
    assert begun.status_code == 202
    message = {"action": "summarybck", "value": {"fast": False, "taskid": begun.text}}

    def counted() -> Any:
        answer = ais.bucket("POST", "bck", message)
        assert answer.status_code in (200, 202), answer.text
        return answer.json() if answer.status_code == 200 else None

    told = wait_for("the summary", counted)
    assert len(told) == 1
    assert (told[0]["name"], told[0]["provider"], told[0]["count"], told[0]["size"]) == (
        "bck", "ais", str(len(KEYS)), str(sum(map(len, KEYS))))
