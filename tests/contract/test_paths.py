"""What may stand in `path`: any legal HDFS name, relative or absolute, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.contract.client import CONTENT, errors_of, fresh_name, status_of, visible_and_hidden
from tests.contract.wire import Wire

if TYPE_CHECKING:
    from tests.contract.client import Files

ODD_NAMES = [
    "with space", " lead and trail ", "a%20b", "100%", "a+b", "#LATEST", "#hash", "what?", "a;b=c",
    "back\\slash", "quote'quote", 'double"quote', "new\nline", "tab\tbed", "a&b=c", "a,b",
    "[x]{y}*", "\U0001f600", "prêt-à-porter", "decompose\u0301d", "日本語", "...",
    "..hidden", ".dot", "~", "-f", "$HOME", "<tag>", "\x7f", "\u202e", "a=b", "|",
    "n" * 255, "é" * 127,
]


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_any_legal_name_works(files: Files, name: str) -> None:
    answer = files.put(name, b"one")
    url = urlsplit(answer.headers["Location"])
    assert parse_qs(url.query, strict_parsing=True)["path"] == [files.at(name)]
    assert files.names() == [name]
    assert files.status(name)["length"] == 3
    files.call("PUT", "/f/name", 201, path=files.at(name), destination=files.at("plain"))
    files.call("PUT", "/f/name", 201, path=files.at("plain"), destination=files.at(name))
    assert files.get(name, offset="1", length="2").content == b"ne"
    files.call("DELETE", "/f/file", 204, path=files.at(name))
    assert files.names() == []


@pytest.mark.parametrize("name", ["a%20b +", "\U0001f600;?", "e\u0301\n"], ids=ascii)
def test_every_change_works_on_odd_names(files: Files, name: str) -> None:
    files.put(name, b"one")
    files.append(name, b"two")
    assert files.read(name) == b"onetwo"
    files.put(name, b"three", overwrite="true")
    assert files.read(name) == b"three"
    files.call("PUT", "/f/file/permission", 204, path=files.at(name), permission="600")
    files.call("PUT", "/f/file/replication", 204, path=files.at(name), replication="2")
    files.call("DELETE", CONTENT, 204, path=files.at(name))
    assert files.names() == [name]


@pytest.mark.parametrize("name", ["a b", "#LATEST", "100%+", "\U0001f600", "decompose\u0301d"],
                         ids=ascii)
def test_any_legal_name_works_for_directories(files: Files, name: str) -> None:
    files.mkdir(name)
    files.put(f"{name}/f", b"x")
    assert files.names() == [name]
    assert files.names(files.at(name)) == ["f"]
    files.call("DELETE", "/f/file", 204, path=files.at(name), recursive="yes")


def test_composed_and_decomposed_names_are_two(files: Files) -> None:
    files.put("\u00e9", b"composed")
    files.put("e\u0301", b"decomposed")
    assert sorted(files.names()) == sorted(["\u00e9", "e\u0301"])
    assert files.read("\u00e9") == b"composed"
    assert files.read("e\u0301") == b"decomposed"


def test_relative_paths_start_at_home(files: Files) -> None:
    name = fresh_name()
    answer = files.call("PUT", CONTENT, 201, path=name, data=b"x")
    assert answer.headers["Location"].endswith(f"/f/file/status?path={name}")
    assert status_of(files, f"/user/alice/{name}") == status_of(files, name)
    files.call("DELETE", "/f/file", 204, path=f"./{name}")
    files.call("GET", "/f/file/status", 404, path=f"/user/alice/{name}")


def test_paths_are_normalised(files: Files) -> None:
    files.put("d/f", b"x")
    for path in ("d//f", "d/./f", "d/../d/f", "./d/f", "d/f/"):
        assert files.call("GET", CONTENT, path=files.at(path)).content == b"x"
    assert files.names(files.at("d/")) == ["f"]
    below_home = files.directory.removeprefix("/user/alice/")
    for path in (f"../alice/{below_home}", f"/../user/alice/{below_home}"[3:]):
        assert files.names(path) == ["d"]


@pytest.mark.parametrize("path", [
    "/..", "/../etc", "../../..", "../../../x", "/a/../../b", "nul\0in", "a:b", "/x/y:z/w",
    "n" * 256, "é" * 128, "/" + "d/" * 1001,
], ids=lambda path: ascii(path[:20]))
@pytest.mark.parametrize(("method", "url"), [("GET", "/f/file/status"), ("PUT", CONTENT)])
def test_impossible_paths_are_refused(files: Files, method: str, url: str, path: str) -> None:
    answer = files.call(method, url, 400, path=path)
    assert "path" in errors_of(answer)


def test_impossible_destinations_are_refused(files: Files) -> None:
    files.put("f", b"x")
    for destination in ("a:b", "nul\0", "/../x"):
        files.call("PUT", "/f/name", 400, path=files.at("f"), destination=destination)
    assert files.read("f") == b"x"


@pytest.mark.parametrize("path", [b"\xff", b"a\xc3", b"\xed\xa0\x80", b"\xc0\xaf"], ids=repr)
def test_bytes_that_are_not_utf8_are_refused(files: Files, path: bytes) -> None:
    for method, url in (("GET", "/f/file/status"), ("PUT", CONTENT), ("GET", "/f/listing")):
        answer = files.call(method, url, 400, path=path)
        assert "UTF-8" in errors_of(answer)


@pytest.mark.parametrize("query", ["path=%zz", "path=a%2", "path=%", "pa%th=x&path=a"])
def test_broken_escapes_are_refused(files: Files, query: str) -> None:
    with Wire(files.gateway) as wire:
        answer = wire.ask("GET", f"/f/file/status?{query}")
    assert answer.status == 400
    assert "%" in answer.errors


def test_a_plus_sign_is_a_space_and_an_escaped_one_is_a_plus(files: Files) -> None:
    files.put("a b", b"space")
    files.put("a+b", b"plus")
    assert files.call("GET", f"{CONTENT}?path={files.directory}/a+b").content == b"space"
    assert files.call("GET", f"{CONTENT}?path={files.directory}/a%2Bb").content == b"plus"


def test_a_path_below_a_file(files: Files) -> None:
    files.put("f", b"x")
    files.put("f/below", b"y", 409)
    answer = files.gateway.request(
        "GET", "/f/file/status", params={"path": files.at("f/below")})
    assert answer.status_code in (403, 404)
    assert files.read("f") == b"x"


def test_names_of_work_under_way_are_reserved(files: Files) -> None:
    files.put("f", b"x")
    hidden = ".httpfs-proxy-0123456789abcdef"
    for path in (files.at(hidden), files.at(f"{hidden}/below")):
        assert_reserved(files, "PUT", CONTENT, path=path, data=b"x")
        assert_reserved(files, "PUT", "/f/directory", path=path)
        assert_reserved(files, "PUT", "/f/name", path=files.at("f"), destination=path)
        assert_reserved(files, "PUT", "/f/name", path=path, destination=files.at("g"))
    assert_reserved(files, "POST", CONTENT, path=files.at("f"), sources=hidden)
    removal = files.gateway.request("DELETE", "/f/file", params={"path": files.at(hidden)})
    assert removal.status_code == 404
    assert visible_and_hidden(files) == ["f"]


def assert_reserved(files: Files, method: str, url: str, **params: Any) -> None:
    """Assert that a request is refused because of a name that is the gateway's own."""
    data = params.pop("data", None)
    answer = files.gateway.request(method, url, params=params, data=data)
    assert answer.status_code == 400
    assert "reserved" in answer.text


@pytest.mark.parametrize("path", ["/.reserved", "/.reserved/raw", "/.reserved/.inodes/16385"])
def test_reserved_paths_of_hdfs_are_no_back_door(files: Files, path: str) -> None:
    answer = files.gateway.request("PUT", CONTENT, params={"path": path}, data=b"x")
    assert 400 <= answer.status_code < 500, answer.text


def test_long_paths_work(files: Files) -> None:
    # A DataNode takes request lines of 4,096 octets: what is escaped is three times as long.
    path = "/".join(["é" * 120] * 8) + "/f"
    files.put(path, b"far away")
    assert files.read(path) == b"far away"
    files.append(path, b"!")
    files.put(path, b"new", overwrite="true")
    assert files.read(path) == b"new"
    files.call("DELETE", "/f/file", 204, path=files.at("é" * 120), recursive="true")
