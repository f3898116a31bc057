"""Each documented request in its plain form: method, URL, parameters, status, headers, body."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.contract.client import CONTENT, OCTETS, STATUS_FIELDS, errors_of, status_of

if TYPE_CHECKING:
    from requests import Response

    from tests.contract.client import Files

JSON_TYPE = "application/json;charset=UTF-8"
# 600 bytes of "x" in one block, as Hadoop 3.4.2 answers it.
KNOWN_CHECKSUM = "0000020000000000000000003de273ebc9897d91b6ab833ba4df6893"


def located(answer: Response) -> str:
    """Return the path that Location gives the status URL of."""
    url = urlsplit(answer.headers["Location"])
    assert url.path == "/f/file/status"
    query = parse_qs(url.query, strict_parsing=True)
    assert set(query) == {"path"}
    return query["path"][0]


def test_home_directory(files: Files) -> None:
    answer = files.call("GET", "/f/home-directory")
    assert answer.headers["Content-Type"] == JSON_TYPE
    assert answer.json() == {"status": "SUCCESS", "result": {"path": "/user/alice"}, "error": None}


def test_status_of_a_file(files: Files) -> None:
    before = time.time() * 1000
    files.put("hello.txt", b"Hello HDFS!")
    status = files.status("hello.txt")
    assert status["type"] == "FILE"
    assert status["pathSuffix"] == ""
    assert status["permission"] == "664"
    assert status["length"] == 11
    assert status["blockSize"] >= 1024 * 1024
    assert status["owner"] == "alice"
    assert status["group"]
    assert status["replication"] >= 1
    for moment in (status["modificationTime"], status["accessTime"]):
        assert before - 60_000 < moment < time.time() * 1000 + 60_000


def test_status_of_a_directory(files: Files) -> None:
    files.mkdir("sub")
    status = files.status("sub")
    expected = {
        "type": "DIRECTORY", "pathSuffix": "", "permission": "775", "length": 0, "blockSize": 0,
        "owner": "alice", "replication": 0}
    assert {name: status[name] for name in expected} == expected


def test_status_of_home_by_the_empty_path(files: Files) -> None:
    assert status_of(files, "")["type"] == "DIRECTORY"
    assert status_of(files, "")["owner"] == "alice"


def test_checksum(files: Files) -> None:
    files.put("sum", b"hello, world\n")
    answer = files.call("GET", "/f/file/checksum", path=files.at("sum"))
    checksum = answer.json()["result"]["checksum"]
    assert set(checksum) == {"algorithm", "bytes", "length"}
    assert re.fullmatch(r"MD5-of-\d+MD5-of-512CRC32C", checksum["algorithm"])
    assert re.fullmatch(r"[0-9a-f]{56}", checksum["bytes"])
    assert checksum["length"] == 28


def test_equal_content_has_equal_checksums(files: Files) -> None:
    def checksum(name: str) -> object:
        answer = files.call("GET", "/f/file/checksum", path=files.at(name))
        return answer.json()["result"]["checksum"]

    for name, content in (("a", b"one" * 1000), ("b", b"one" * 1000), ("c", b"two" * 1000)):
        files.put(name, content)
    assert checksum("a") == checksum("b") != checksum("c")


def test_the_checksum_is_that_of_hdfs(files: Files) -> None:
    files.put("known", b"x" * 600)
    answer = files.call("GET", "/f/file/checksum", path=files.at("known"))
    assert answer.json()["result"]["checksum"] == {
        "algorithm": "MD5-of-0MD5-of-512CRC32C", "length": 28, "bytes": KNOWN_CHECKSUM}



def test_listing(files: Files) -> None:
    files.mkdir("sub")
    files.put("one", b"1")
    answer = files.call("GET", "/f/listing", path=files.directory)
    assert answer.headers["Content-Type"] == JSON_TYPE
    result = answer.json()["result"]
    assert set(result) == {"statuses"}
    assert all(set(entry) == STATUS_FIELDS for entry in result["statuses"])
    assert [(entry["pathSuffix"], entry["type"], entry["length"])
            for entry in result["statuses"]] == [("one", "FILE", 1), ("sub", "DIRECTORY", 0)]


def test_listing_of_an_empty_directory(files: Files) -> None:
    assert files.names() == []


def test_summary(files: Files) -> None:
    files.mkdir("sub/deeper")
    files.put("sub/one", b"12345", replication=2)
    files.put("two", b"123", replication=3)
    answer = files.call("GET", "/f/file/summary", path=files.directory)
    assert answer.json()["result"] == {"summary": {
        "directoryCount": 3, "fileCount": 2, "length": 8, "quota": -1,
        "spaceConsumed": 5 * 2 + 3 * 3, "spaceQuota": -1}}


def test_summary_of_a_file(files: Files) -> None:
    files.put("two", b"123", replication=2)
    summary = files.call("GET", "/f/file/summary", path=files.at("two")).json()["result"]["summary"]
    assert (summary["directoryCount"], summary["fileCount"], summary["length"]) == (0, 1, 3)


def test_download(files: Files) -> None:
    content = bytes(range(256)) * 1000
    files.put("data", content)
    answer = files.get("data")
    assert answer.content == content
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Length"] == str(len(content))


def test_create_directory(files: Files) -> None:
    answer = files.mkdir("a/b/c")
    assert located(answer) == files.at("a/b/c")
    for name in ("a", "a/b", "a/b/c"):
        assert files.status(name)["type"] == "DIRECTORY"
    assert files.status("a/b/c")["permission"] == "775"


def test_create_directory_with_permission(files: Files) -> None:
    files.mkdir("p", permission="700")
    assert files.status("p")["permission"] == "700"
    files.mkdir("sticky", permission="1777")
    assert files.status("sticky")["permission"] == "1777"


def test_create_directory_that_exists_changes_nothing(files: Files) -> None:
    files.mkdir("p", permission="700")
    files.mkdir("p", permission="777")
    assert files.status("p")["permission"] == "700"


def test_rename_file(files: Files) -> None:
    files.put("foo", b"content")
    answer = files.call(
        "PUT", "/f/name", 201, path=files.at("foo"), destination=files.at("baz"))
    assert located(answer) == files.at("baz")
    assert files.read("baz") == b"content"
    files.missing("foo")


def test_rename_directory(files: Files) -> None:
    files.put("foo/inner", b"content")
    files.call("PUT", "/f/name", 201, path=files.at("foo"), destination=files.at("baz"))
    assert files.read("baz/inner") == b"content"
    files.missing("foo")


def test_upload_creates(files: Files) -> None:
    answer = files.put("hello.txt", b"Hello!")
    assert located(answer) == files.at("hello.txt")
    assert files.read("hello.txt") == b"Hello!"


def test_upload_does_not_overwrite_by_default(files: Files) -> None:
    files.put("hello.txt", b"old")
    answer = files.put("hello.txt", b"new", 409)
    assert files.at("hello.txt") in errors_of(answer)
    files.put("hello.txt", b"new", 409, overwrite="false")
    assert files.read("hello.txt") == b"old"


def test_upload_overwrites(files: Files) -> None:
    files.put("hello.txt", b"old content, longer")
    answer = files.put("hello.txt", b"new", overwrite="true")
    assert located(answer) == files.at("hello.txt")
    assert files.read("hello.txt") == b"new"
    assert files.names() == ["hello.txt"]


def test_overwrite_where_nothing_is(files: Files) -> None:
    files.put("hello.txt", b"new", overwrite="true")
    assert files.read("hello.txt") == b"new"


def test_upload_with_replication_and_permission(files: Files) -> None:
    files.put("hello.txt", b"x", replication="2", permission="640")
    status = files.status("hello.txt")
    assert (status["replication"], status["permission"]) == (2, "640")


def test_overwriting_keeps_nothing_of_the_old_file(files: Files) -> None:
    files.put("hello.txt", b"x", replication="3", permission="600")
    files.put("plain", b"x")
    files.put("hello.txt", b"y", overwrite="true")
    for name in ("replication", "permission"):
        assert files.status("hello.txt")[name] == files.status("plain")[name]


def test_append(files: Files) -> None:
    files.put("greeting", b"hello ")
    answer = files.append("greeting", b"goodbye")
    assert located(answer) == files.at("greeting")
    assert files.read("greeting") == b"hello goodbye"


def test_concatenate(files: Files) -> None:
    for name, content in (("whole", b"0"), ("part1", b"11"), ("part2", b"22")):
        files.put(name, content)
    answer = files.call("POST", CONTENT, 201, path=files.at("whole"), sources="part2,part1")
    assert located(answer) == files.at("whole")
    assert files.read("whole") == b"02211"
    assert files.names() == ["whole"]


def test_truncate(files: Files) -> None:
    files.put("hello.txt", b"content")
    files.call("DELETE", CONTENT, 204, path=files.at("hello.txt"))
    assert files.status("hello.txt")["length"] == 0
    assert files.read("hello.txt") == b""


def test_delete_file(files: Files) -> None:
    files.put("hello.txt", b"content")
    files.call("DELETE", "/f/file", 204, path=files.at("hello.txt"))
    files.missing("hello.txt")


def test_delete_directory(files: Files) -> None:
    files.put("d/inner", b"content")
    answer = files.call("DELETE", "/f/file", 409, path=files.at("d"))
    assert files.at("d") in errors_of(answer)
    files.call("DELETE", "/f/file", 409, path=files.at("d"), recursive="false")
    assert files.read("d/inner") == b"content"
    files.call("DELETE", "/f/file", 204, path=files.at("d"), recursive="true")
    files.missing("d")


def test_delete_empty_directory_without_recursion(files: Files) -> None:
    files.mkdir("empty")
    files.call("DELETE", "/f/file", 204, path=files.at("empty"))
    files.missing("empty")


def test_set_permission(files: Files) -> None:
    files.put("f")
    files.mkdir("d")
    for name in ("f", "d"):
        files.call("PUT", "/f/file/permission", 204, path=files.at(name), permission="640")
        assert files.status(name)["permission"] == "640"
    files.call("PUT", "/f/file/permission", 204, path=files.at("d"), permission="750")


def test_set_replication(files: Files) -> None:
    files.put("f", b"x", replication="1")
    files.call("PUT", "/f/file/replication", 204, path=files.at("f"), replication="3")
    assert files.status("f")["replication"] == 3


@pytest.mark.parametrize(("method", "url", "more"), [
    ("GET", "/f/file/status", {}),
    ("GET", "/f/file/checksum", {}),
    ("GET", "/f/listing", {}),
    ("GET", "/f/file/summary", {}),
    ("GET", CONTENT, {}),
    ("HEAD", CONTENT, {}),
    ("PUT", "/f/name", {"destination": "elsewhere"}),
    ("POST", CONTENT, {"headers": OCTETS, "data": b"more"}),
    ("POST", CONTENT, {"sources": "one"}),
    ("DELETE", CONTENT, {}),
    ("DELETE", "/f/file", {}),
    ("DELETE", "/f/file", {"recursive": "true"}),
    ("DELETE", "/f/file", {"skip_trash": "false"}),
    ("PUT", "/f/file/permission", {"permission": "644"}),
    ("PUT", "/f/file/replication", {"replication": "2"}),
    ("PUT", "/f/file/owner", {"owner": "alice"}),
    ("PUT", "/f/file/times", {"modification-time": "1"}),
    ("GET", "/f/archive", {}),
    ("GET", "/f/file/acl", {}),
    ("PUT", "/f/file/acl", {"entries": "user:bob:rw-"}),
    ("GET", "/f/file/xattrs", {}),
    ("PUT", "/f/file/xattrs", {"name": "user.a", "value": "eA=="}),
])
def test_nothing_there(files: Files, method: str, url: str, more: dict[str, str]) -> None:
    if "destination" in more:
        more = {**more, "destination": files.at("elsewhere")}
    for path in ("nothing", "no/such/parent"):
        answer = files.call(method, url, 404, path=files.at(path), **more)
        if method != "HEAD":
            assert files.at(path) in errors_of(answer)


@pytest.mark.parametrize(("method", "url", "more"), [
    ("GET", "/f/file/checksum", {}),
    ("GET", CONTENT, {}),
    ("HEAD", CONTENT, {}),
    ("POST", CONTENT, {"headers": OCTETS, "data": b"more"}),
    ("POST", CONTENT, {"sources": "one"}),
    ("DELETE", CONTENT, {}),
])
def test_a_directory_where_a_file_is_meant(
    files: Files, method: str, url: str, more: dict[str, str],
) -> None:
    files.mkdir("d")
    files.put("one", b"1")
    answer = files.call(method, url, 404, path=files.at("d"), **more)
    if method != "HEAD":
        assert files.at("d") in errors_of(answer)


def test_uploading_onto_a_directory(files: Files) -> None:
    files.mkdir("d")
    for overwrite in ("true", "false"):
        files.put("d", b"x", 409, overwrite=overwrite)
    files.call("PUT", "/f/file/replication", 400, path=files.at("d"), replication="2")


def test_making_a_directory_where_a_file_is(files: Files) -> None:
    files.put("f", b"x")
    files.mkdir("f", 409)
    files.mkdir("f/below", 409)
    assert files.read("f") == b"x"


@pytest.mark.parametrize(("method", "url"), [
    ("GET", "/f/file/status"), ("GET", "/f/file/checksum"), ("GET", "/f/listing"),
    ("GET", "/f/file/summary"), ("GET", CONTENT), ("PUT", "/f/directory"), ("PUT", "/f/name"),
    ("PUT", CONTENT), ("POST", CONTENT), ("DELETE", CONTENT), ("DELETE", "/f/file"),
    ("PUT", "/f/file/permission"), ("PUT", "/f/file/replication"),
])
def test_a_missing_path_is_refused_by_name(files: Files, method: str, url: str) -> None:
    answer = files.call(method, url, 400, headers=OCTETS)
    assert "'path'" in errors_of(answer)
