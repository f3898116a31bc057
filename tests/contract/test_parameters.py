"""Parameters: what each takes, what it refuses, and that the refusal teaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.client import CONTENT, errors_of, status_of

if TYPE_CHECKING:
    from tests.contract.client import Files


@pytest.mark.parametrize("word", ["true", "1", "yes", "TRUE", "Yes"])
def test_flags_that_mean_yes(files: Files, word: str) -> None:
    files.put("f", b"old")
    files.put("f", b"new", overwrite=word)
    assert files.read("f") == b"new"
    files.mkdir("d/inner")
    files.call("DELETE", "/f/file", 204, path=files.at("d"), recursive=word)


@pytest.mark.parametrize("word", ["false", "0", "no", "FALSE", "No"])
def test_flags_that_mean_no(files: Files, word: str) -> None:
    files.put("f", b"old")
    files.put("f", b"new", 409, overwrite=word)
    files.mkdir("d/inner")
    files.call("DELETE", "/f/file", 409, path=files.at("d"), recursive=word)


@pytest.mark.parametrize("word", ["", "2", "on", "tru", "yes ", "null", "-1", "ja"])
def test_flags_that_mean_nothing(files: Files, word: str) -> None:
    files.put("f", b"old")
    for name, method, url in (("overwrite", "PUT", CONTENT), ("recursive", "DELETE", "/f/file"),
                              ("skip-trash", "DELETE", "/f/file")):
        answer = files.call(method, url, 400, path=files.at("f"), data=b"x", **{name: word})
        told = errors_of(answer)
        assert f"'{name}'" in told
        assert f"'{word}'" in told
        assert "true" in told
    assert files.read("f") == b"old"


@pytest.mark.parametrize("mode", ["0", "7", "44", "644", "0644", "777", "1777"])
def test_permissions_that_are_octal(files: Files, mode: str) -> None:
    files.mkdir("d")
    files.call("PUT", "/f/file/permission", 204, path=files.at("d"), permission=mode)
    assert int(files.status("d")["permission"], 8) == int(mode, 8)
    files.call("PUT", "/f/file/permission", 204, path=files.at("d"), permission="755")


@pytest.mark.parametrize("mode", ["", "8", "649", "rw-r--r--", "77777", "-644", "2755", "0x1ff",
                                  "7 7", "u+x", "٦٤٤"])
def test_permissions_that_are_not(files: Files, mode: str) -> None:
    files.put("f", b"x")
    for method, url, name in (("PUT", "/f/file/permission", "f"), ("PUT", "/f/directory", "new"),
                              ("PUT", CONTENT, "new")):
        answer = files.call(method, url, 400, path=files.at(name), permission=mode)
        assert "'permission'" in errors_of(answer)
        assert "octal" in errors_of(answer)
    assert files.names() == ["f"]
    assert files.status("f")["permission"] == "664"


@pytest.mark.parametrize("factor", ["", "0", "-1", "513", "99999999999999999999", "two", "1.5",
                                    "0x2", "+2"])
def test_replication_out_of_bounds(files: Files, factor: str) -> None:
    files.put("f", b"x")
    for method, url, name in (("PUT", "/f/file/replication", "f"), ("PUT", CONTENT, "new")):
        answer = files.call(method, url, 400, path=files.at(name), replication=factor, data=b"x")
        assert "'replication'" in errors_of(answer)
    assert files.names() == ["f"]


def test_replication_at_the_bounds(files: Files) -> None:
    files.put("f", b"x")
    for factor in (1, 512):
        files.call(
            "PUT", "/f/file/replication", 204, path=files.at("f"), replication=str(factor))
        assert files.status("f")["replication"] == factor


@pytest.mark.parametrize("name", ["offset", "length"])
@pytest.mark.parametrize("number", ["-1", "x", "1e3", "1.0", " 1", "99999999999999999999", "0x10"])
def test_numbers_that_are_none(files: Files, name: str, number: str) -> None:
    files.put("f", b"0123456789")
    answer = files.get("f", 400, **{name: number})
    assert f"'{name}'" in errors_of(answer)


def test_every_wrong_parameter_is_told_at_once(files: Files) -> None:
    answer = files.call(
        "PUT", CONTENT, 400, path=files.at("f"), overwrite="maybe", permission="999",
        replication="many")
    assert len(answer.json()["error"]) == 3


def test_a_parameter_given_twice_is_refused(files: Files) -> None:
    files.put("a", b"x")
    answer = files.call("DELETE", "/f/file", 400, path=[files.at("a"), files.at("b")])
    assert "'path'" in errors_of(answer)
    assert files.read("a") == b"x"


def test_required_parameters(files: Files) -> None:
    files.put("f", b"x")
    for url, name in (("/f/name", "destination"), ("/f/file/permission", "permission"),
                      ("/f/file/replication", "replication")):
        for value in (None, ""):
            answer = files.call("PUT", url, 400, path=files.at("f"), **{name: value})
            assert f"'{name}'" in errors_of(answer)
    assert files.names() == ["f"]


@pytest.mark.parametrize(("method", "url"), [
    ("PUT", CONTENT), ("DELETE", "/f/file"), ("PUT", "/f/directory"), ("GET", CONTENT),
    ("DELETE", CONTENT), ("PUT", "/f/name"),
])
def test_an_empty_path_is_home_only_where_one_looks(files: Files, method: str, url: str) -> None:
    files.call(method, url, 400, path="", destination="x")


def test_an_empty_path_is_home_where_one_looks(files: Files) -> None:
    assert status_of(files, "")["type"] == "DIRECTORY"
    assert files.directory.rpartition("/")[2] in files.names("/user/alice")
    answer = files.call("GET", "/f/listing", path="")
    assert files.directory.rpartition("/")[2] in [
        entry["pathSuffix"] for entry in answer.json()["result"]["statuses"]]
    # What other tests left there may be closed to alice: then it is by either name.
    summaries = [files.gateway.request("GET", "/f/file/summary", params={"path": path})
                 for path in ("", "/user/alice")]
    assert summaries[0].status_code == summaries[1].status_code
    assert summaries[0].json()["result"] == summaries[1].json()["result"]
