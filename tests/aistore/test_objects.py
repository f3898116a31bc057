"""Objects over HTTP, on every backend: put, get, head, rename, delete, evict, their names."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import xxhash

from tests.aistore.conftest import ROOT, error_of

if TYPE_CHECKING:
    from tests.aistore.conftest import AIStore

CONTENT = b"some words in an object"
YEARS = (("Objcksumtype", "Objcksumval", "Objsize"), ("Checksum.type", "Checksum.value", "Size"))
KEYS = [
    "a b+c", "per%cent%2F", "new\nline", "\N{GRINNING FACE}/\N{DOG FACE}", "a//b", "/leading",
    "dir/", "e\u0301 decomposed", "q?uestion#hash", "co:lon", "..", "./../x", "back\\slash\"'",
    "*", "a/**", "x;y=z&w",
]


def names(ais: AIStore, path: str = f"{ROOT}/bck") -> set[str]:
    """Return what lies in a directory."""
    told = ais.gateway.request("GET", "/f/listing", params={"path": path})
    assert told.status_code == 200, told.text
    return {one["pathSuffix"] for one in told.json()["result"]["statuses"]}


def test_an_object_is_put_and_read_back(everywhere: AIStore) -> None:
    ais = everywhere
    put = ais.object("PUT", "bck", "dir/obj", data=CONTENT)
    assert (put.status_code, put.content) == (200, b"")
    got = ais.object("GET", "bck", "dir/obj")
    assert (got.status_code, got.content) == (200, CONTENT)
    assert got.headers["Content-Length"] == str(len(CONTENT))
    assert got.headers["ETag"] == put.headers["ETag"] == f'"{hashlib.md5(CONTENT).hexdigest()}"'
    digest = xxhash.xxh64_hexdigest(CONTENT)
    for kind, value, size in YEARS:
        assert (got.headers[kind], got.headers[value]) == ("xxhash", digest)
        assert got.headers[size] == str(len(CONTENT))
    ais.put("bck", "dir/obj", b"other")
    assert ais.get("bck", "dir/obj") == b"other"


def test_the_properties_by_the_names_of_both_years(everywhere: AIStore) -> None:
    ais = everywhere
    ais.put("bck", "dir/obj", CONTENT)
    told = ais.object("HEAD", "bck", "dir/obj")
    assert (told.status_code, told.content) == (200, b"")
    headers = told.headers
    digest = xxhash.xxh64_hexdigest(CONTENT)
    for kind, value, size in YEARS:
        assert (headers[kind], headers[value]) == ("xxhash", digest)
        assert headers[size] == headers["Content-Length"] == str(len(CONTENT))
    assert headers["Objpresent"] == headers["Present"] == "true"
    status = ais.gateway.request(
        "GET", "/f/file/status", params={"path": f"{ROOT}/bck/dir/obj"}).json()["result"]["status"]
    assert headers["Objnumcopies"] == headers["Copies"] == str(status["replication"])
    assert headers["Atime"] == str(status["accessTime"] * 1_000_000)
    assert re.fullmatch(r"[0-3][0-9] [A-Z][a-z]{2} [0-9]{2} [0-9]{2}:[0-9]{2} UTC",
                        headers["Objatime"])
    for name in ("Objprovider", "Cloudprovider", "Provider", "Bucket.provider"):
        assert headers[name] == "ais"
    assert (headers["Bucket.name"], headers["Name"]) == ("bck", "dir/obj")
    assert "Version" not in headers
    assert "Objversion" not in headers


def test_what_is_not_there(everywhere: AIStore) -> None:
    ais = everywhere
    for method in ("GET", "HEAD", "DELETE"):
        answer = ais.object(method, "bck", "no/such")
        assert error_of(answer, 404) == "bck/no/such does not exist"
        answer = ais.object(method, "nobucket", "obj")
        assert error_of(answer, 404).endswith("bucket ais://nobucket does not exist")
    message = error_of(ais.object("PUT", "nobucket", "obj", data=b"x"), 404)
    assert message.endswith("bucket ais://nobucket does not exist")
    error_of(ais.object("POST", "nobucket", "a", {"action": "rename", "name": "b"}), 404)
    for action in ("rename", "renameobj"):
        answer = ais.object("POST", "bck", "no", {"action": action, "name": "b"})
        assert error_of(answer, 404) == "bck/no does not exist"
    ais.put("bck", "dir/obj")
    for method in ("GET", "HEAD", "DELETE"):
        error_of(ais.object(method, "bck", "dir"), 404)
    assert ais.get("bck", "dir/obj") == b"content"


@pytest.mark.parametrize("action", ["rename", "renameobj"])
def test_a_rename_takes_all_along(everywhere: AIStore, action: str) -> None:
    ais = everywhere
    ais.put("bck", "from/here", CONTENT)
    before = ais.object("HEAD", "bck", "from/here").headers
    done = ais.object("POST", "bck", "from/here", {"action": action, "name": "to/the/other"})
    assert (done.status_code, done.content) == (200, b""), done.text
    error_of(ais.object("GET", "bck", "from/here"), 404)
    assert ais.get("bck", "to/the/other") == CONTENT
    after = ais.object("HEAD", "bck", "to/the/other").headers
    for name in ("ETag", "Last-Modified", "Objcksumval", "Checksum.type"):
        assert after[name] == before[name]
    assert names(ais) == {"to"}


def test_a_rename_replaces_what_is_there(everywhere: AIStore) -> None:
    ais = everywhere
    ais.put("bck", "a", b"new")
    ais.put("bck", "b", b"old content")
    for _ in range(2):  # the second time onto itself
        done = ais.object("POST", "bck", "a", {"action": "rename", "name": "b"})
        if done.status_code == 404:
            done = ais.object("POST", "bck", "b", {"action": "rename", "name": "b"})
        assert done.status_code == 200, done.text
        assert ais.get("bck", "b") == b"new"
        assert names(ais) == {"b"}


def test_a_rename_that_cannot_be_changes_nothing(everywhere: AIStore) -> None:
    ais = everywhere
    ais.put("bck", "a", b"a")
    ais.put("bck", "dir/b", b"b")
    for name, status in (("dir", 409), ("a/below", 409), ("", 400), ("bad\uf02fname", 400),
                         (f"{'n' * 256}", 400), ("half \ud800", 400)):
        error_of(ais.object("POST", "bck", "a", {"action": "rename", "name": name}), status)
    error_of(ais.object("POST", "bck", "a", {"action": "rename"}), 400)
    for raw in (b"{", b"[]", b'"x"', b"\xff", b'{"action":"rename","name":"\xed\xa0\x80"}'):
        error_of(ais.object("POST", "bck", "a", data=raw), 400)
    error_of(ais.object("POST", "bck", "a", {"action": "rename", "name": 5}), 400)
    error_of(ais.object("POST", "bck", "a", {"action": "other", "name": "b"}), 400)
    error_of(ais.object("POST", "bck", "a", {"action": "rename", "name": "b"},
                        headers={"If-Match": '"other"'}), 501)
    error_of(ais.object("POST", "bck", "a"), 400)
    assert ais.get("bck", "a") == b"a"
    assert ais.get("bck", "dir/b") == b"b"
    assert names(ais) == {"a", "dir"}


def test_a_key_that_is_a_directory_is_renamed_alone(everywhere: AIStore) -> None:
    ais = everywhere
    ais.put("bck", "dir/", b"")
    ais.put("bck", "dir/obj", b"stays")
    done = ais.object("POST", "bck", "dir/", {"action": "rename", "name": "other/"})
    assert done.status_code == 200, done.text
    assert ais.get("bck", "other/") == b""
    error_of(ais.object("HEAD", "bck", "dir/"), 404)
    assert ais.get("bck", "dir/obj") == b"stays"


@pytest.mark.parametrize("message", [None, {"action": "delete"}])
def test_a_delete_takes_the_directories_along(
    everywhere: AIStore, message: dict[str, str] | None,
) -> None:
    ais = everywhere
    ais.put("bck", "a/b/c")
    ais.put("bck", "a/d")
    done = ais.object("DELETE", "bck", "a/b/c", message)
    assert (done.status_code, done.content) == (200, b"")
    assert names(ais, f"{ROOT}/bck/a") == {"d"}
    error_of(ais.object("DELETE", "bck", "a/b/c", message), 404)
    error_of(ais.object("DELETE", "bck", "a/d", {"action": "other"}), 400)
    assert ais.get("bck", "a/d") == b"content"


@pytest.mark.parametrize("action", ["evictobjects", "evictobj"])
def test_without_a_cache_nothing_is_cached_and_evicting_touches_nothing(
    everywhere: AIStore, action: str,
) -> None:
    ais = everywhere
    ais.put("bck", "obj", CONTENT)
    assert error_of(ais.object("HEAD", "bck", "obj", check_cached="True"), 404)
    assert ais.object("HEAD", "bck", "obj", check_cached="False").status_code == 200
    error_of(ais.object("HEAD", "bck", "obj", check_cached="perhaps"), 400)
    done = ais.object("DELETE", "bck", "obj", {"action": action})
    assert (done.status_code, done.content) == (200, b"")
    assert ais.get("bck", "obj") == CONTENT
    error_of(ais.object("DELETE", "bck", "missing", {"action": action}), 404)


def test_names_with_any_characters(everywhere: AIStore) -> None:
    ais = everywhere
    for key in KEYS:
        content = key.encode()
        ais.put("bck", key, content)
        assert ais.get("bck", key) == content, key
        told = ais.object("HEAD", "bck", key)
        assert told.status_code == 200, key
        assert told.headers.get("Name") == (None if "\n" in key else content.decode("latin-1"))
        renamed = f"renamed/{key}"
        done = ais.object("POST", "bck", key, {"action": "rename", "name": renamed})
        assert done.status_code == 200, (key, done.text)
        assert ais.call("GET", f"objects/bck/{quote(renamed, '')}").content == content
        assert ais.object("DELETE", "bck", renamed).status_code == 200, key
    assert names(ais) == set()


def test_slashes_before_the_path_and_in_it(everywhere: AIStore) -> None:
    ais = everywhere
    assert ais.call("PUT", "/objects/bck/dir1%2Fobj", data=b"1").status_code == 200
    assert ais.call("GET", "objects/bck/dir1/obj").content == b"1"
    assert ais.call("PUT", "objects/bck/two//slashes", data=b"2").status_code == 200
    error_of(ais.call("GET", "objects/bck/two/slashes"), 404)
    assert ais.call("GET", "/objects/bck/two%2F/slashes").content == b"2"
    assert "too short" in error_of(ais.call("GET", "objects/bck"), 400)
    assert "too short" in error_of(ais.call("GET", "objects/bck/"), 400)
    assert error_of(ais.call("PATCH", "objects/bck/obj"), 400) == "invalid method for /objects path"
    error_of(ais.call("GET", "objects/b%2Fck/obj"), 400)


def test_an_object_is_that_of_s3_and_a_plain_file(everywhere: AIStore) -> None:
    ais = everywhere
    ais.put("bck", "dir/obj", CONTENT)
    md5 = hashlib.md5(CONTENT).hexdigest()
    by_s3 = ais.gateway.request("HEAD", "/api/v1/s3/bck/dir/obj")
    assert by_s3.headers["ETag"] == f'"{md5}"'
    file = {"path": f"{ROOT}/bck/dir/obj"}
    assert ais.gateway.request("GET", "/f/file/content", params=file).content == CONTENT
    written = ais.gateway.request(
        "PUT", "/f/file/content", params={**file, "overwrite": "true"}, data=b"by hand",
        headers={"Content-Type": "application/octet-stream"})
    assert written.status_code == 201, written.text
    got = ais.object("GET", "bck", "dir/obj")
    assert got.content == b"by hand"
    assert "Objcksumval" not in got.headers  # nobody made one of what is there now
    assert ais.gateway.request("PUT", "/api/v1/s3/bck/by-s3", data=CONTENT).status_code == 200
    got = ais.object("GET", "bck", "by-s3")
    assert (got.content, got.headers["Objcksumtype"], got.headers["Checksum.value"]) == (
        CONTENT, "md5", md5)
    assert ais.object("DELETE", "bck", "by-s3").status_code == 200
    assert ais.gateway.request("HEAD", "/api/v1/s3/bck/by-s3").status_code == 404


def test_a_copy_by_s3_keeps_the_checksum(everywhere: AIStore) -> None:
    ais = everywhere
    ais.put("bck", "obj", CONTENT)
    copied = ais.gateway.request("PUT", "/api/v1/s3/bck/copy",
                                 headers={"x-amz-copy-source": "/bck/obj"})
    assert copied.status_code == 200, copied.text
    assert ais.object("HEAD", "bck", "copy").headers["Objcksumval"] == (
        xxhash.xxh64_hexdigest(CONTENT))


def test_who_may_not_is_refused(everywhere: AIStore) -> None:
    ais = everywhere
    ais.put("bck", "obj", CONTENT)
    private = ais.gateway.request("PUT", "/f/file/permission", params={
        "path": f"{ROOT}/bck/obj", "permission": "600"})
    assert private.status_code == 204, private.text
    guest, reader, nobody = map(ais.as_user, ("guest", "reader", None))
    error_of(guest.object("GET", "bck", "obj"), 403)
    for method, message in (("PUT", None), ("DELETE", None),
                            ("POST", {"action": "rename", "name": "b"})):
        for client in (guest, reader):
            error_of(client.object(method, "bck", "obj", message), 403)
        answer = nobody.object(method, "bck", "obj", message)
        assert error_of(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert reader.get("bck", "obj") == CONTENT
    assert names(ais) == {"obj"}


def test_where_a_bucket_is_from_is_a_word_that_is_known(everywhere: AIStore) -> None:
    ais = everywhere
    for query in ({"bprovider": "local"}, {"bprovider": "cloud"}, {"provider": "ais"},
                  {"cloud_provider": "aws"}):
        ais.put("bck", "obj", CONTENT, **query)
        assert ais.get("bck", "obj", **query) == CONTENT
    for method, message in (("GET", None), ("HEAD", None), ("PUT", None), ("DELETE", None),
                            ("DELETE", {"action": "evictobj"}),
                            ("POST", {"action": "rename", "name": "b"})):
        error_of(ais.object(method, "bck", "obj", message, provider="mars"), 400)
    assert ais.get("bck", "obj") == CONTENT


def test_a_confined_user_is_told_no_real_path(everywhere: AIStore) -> None:
    confined = everywhere.as_user("confined")
    made = confined.gateway.request(
        "PUT", "/f/directory", user="confined", params={"path": "/inside"})
    assert made.status_code in (201, 409)
    confined.put("inside", "dir/obj", CONTENT)
    assert confined.get("inside", "dir/obj") == CONTENT
    refused = [
        confined.object("GET", "inside", "no"), confined.object("GET", "outside", "obj"),
        confined.object("PUT", "inside", "dir", data=b"x"),
        confined.object("POST", "inside", "dir/obj", {"action": "rename", "name": "dir"}),
        confined.object("PUT", "outside", "obj", data=b"x"),
        confined.object("GET", "inside", "..", data=b"x"),
    ]
    for answer in refused:
        assert answer.status_code in (404, 409)
        assert "alice" not in json.loads(answer.text)["message"]
    assert confined.object("DELETE", "inside", "dir/obj").status_code == 200


def test_times_that_no_calendar_has(everywhere: AIStore) -> None:
    ais = everywhere
    ais.put("bck", "obj", CONTENT)
    late = 10**15
    set_late = ais.gateway.request("PUT", "/f/file/times", params={
        "path": f"{ROOT}/bck/obj", "access-time": late, "modification-time": late})
    assert set_late.status_code == 204, set_late.text
    told = ais.object("HEAD", "bck", "obj")
    assert (told.status_code, told.headers["Objatime"]) == (200, "31 Dec 99 23:59 UTC")
    assert told.headers["Atime"] == str(late * 1_000_000)
    assert ais.get("bck", "obj") == CONTENT
