"""Append, concatenate, truncate, rename and delete, to their edges."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.contract.client import CONTENT, OCTETS, errors_of, fresh_name, visible_and_hidden

if TYPE_CHECKING:
    from requests import Response

    from tests.contract.client import Files


def located(answer: Response) -> str:
    """Return the path that Location gives the status URL of."""
    return parse_qs(urlsplit(answer.headers["Location"]).query, strict_parsing=True)["path"][0]


# --- append


def test_append_to_an_empty_file(files: Files) -> None:
    files.put("f", b"")
    files.append("f", b"content")
    assert files.read("f") == b"content"


def test_append_of_nothing(files: Files) -> None:
    files.put("f", b"content")
    files.append("f", b"")
    files.append("f", iter(()))
    assert files.read("f") == b"content"
    assert visible_and_hidden(files) == ["f"]


def test_appends_in_a_row(files: Files) -> None:
    files.put("f", b"")
    for i in range(3):
        files.append("f", b"%d" % i * 1000)
    assert files.read("f") == b"".join(b"%d" % i * 1000 for i in range(3))
    assert visible_and_hidden(files) == ["f"]


def test_append_keeps_what_the_file_is(files: Files) -> None:
    files.put("f", b"x", permission="640", replication="2")
    before = files.status("f")
    files.append("f", b"y" * 100_000)
    after = files.status("f")
    for name in ("permission", "replication", "owner", "group", "blockSize"):
        assert before[name] == after[name]
    assert after["length"] == 100_001


def test_append_to_the_file_of_another_who_allows_it(files: Files) -> None:
    files.put("f", b"mine ", permission="666")
    files.by("other").append("f", b"and yours")
    assert files.read("f") == b"mine and yours"
    assert files.status("f")["owner"] == "alice"
    assert visible_and_hidden(files) == ["f"]


def test_append_that_is_not_allowed(files: Files) -> None:
    files.put("f", b"mine", permission="644")
    files.by("other").append("f", b"x", 403)
    assert files.read("f") == b"mine"


@pytest.mark.parametrize("kind", ["", "text/plain", "application/json", "multipart/form-data"])
def test_append_wants_octets(files: Files, kind: str) -> None:
    files.put("f", b"x")
    answer = files.call("POST", CONTENT, 415, path=files.at("f"), data=b"y",
                        headers={"Content-Type": kind} if kind else None)
    assert "application/octet-stream" in errors_of(answer)
    assert "sources" in errors_of(answer)
    assert files.read("f") == b"x"


# --- concatenate


def concat(files: Files, target: str, sources: str, expect: int = 201, **more: object) -> Response:
    """Concatenate siblings to a target."""
    return files.call(
        "POST", CONTENT, expect, path=files.at(target), sources=sources, **more)


def test_concatenate_empty_sources_and_to_an_empty_target(files: Files) -> None:
    for name, content in (("t", b""), ("a", b""), ("b", b"bb"), ("c", b""), ("d", b"d")):
        files.put(name, content)
    concat(files, "t", "a,b,c,d")
    assert files.read("t") == b"bbd"
    assert visible_and_hidden(files) == ["t"]
    files.put("e", b"")
    concat(files, "t", "e")
    assert files.read("t") == b"bbd"
    assert files.names() == ["t"]


def test_concatenate_many(files: Files) -> None:
    names = [f"part-{i:02}" for i in range(6)]
    files.put("t", b"start ")
    for name in names:
        files.put(name, f"{name} ".encode() * 50)
    concat(files, "t", ",".join(names))
    assert files.read("t") == b"start " + b"".join(f"{name} ".encode() * 50 for name in names)
    assert visible_and_hidden(files) == ["t"]


def test_concatenate_odd_names(files: Files) -> None:
    files.put("t", b"t")
    for name, content in (("a b", b"1"), ("c+d%", b"2"), ("é", b"3")):
        files.put(name, content)
    concat(files, "t", "a b,c+d%,é")
    assert files.read("t") == b"t123"


@pytest.mark.parametrize("sources", ["", "a,", ",a", "a,,b", "a/b", "../a", "/a", "..", ".", "a:b"])
def test_sources_that_are_no_plain_names(files: Files, sources: str) -> None:
    for name in ("t", "a", "b"):
        files.put(name, name.encode())
    answer = concat(files, "t", sources, 400)
    assert errors_of(answer)
    assert files.names() == ["a", "b", "t"]


def test_concatenations_that_make_no_sense(files: Files) -> None:
    for name in ("t", "a", "b"):
        files.put(name, name.encode())
    concat(files, "t", "t", 400)
    concat(files, "t", "a,t", 400)
    concat(files, "t", "a,a", 400)
    assert [files.read(name) for name in files.names()] == [b"a", b"b", b"t"]


def test_concatenate_with_a_source_missing_changes_nothing(files: Files) -> None:
    files.put("t", b"t")
    files.put("a", b"a")
    files.put("empty", b"")
    files.mkdir("d")
    answer = concat(files, "t", "a,empty,nothing", 404)
    assert files.at("nothing") in errors_of(answer)
    concat(files, "t", "empty,a,d", 404)
    assert files.names() == ["a", "d", "empty", "t"]
    assert files.read("t") == b"t"


def test_concatenate_takes_no_body(files: Files) -> None:
    files.put("t", b"t")
    files.put("a", b"a")
    concat(files, "t", "a", 400, data=b"body", headers=OCTETS)
    concat(files, "t", "a", 400, headers=OCTETS)
    concat(files, "t", "a", 400, data=iter([b"body"]))
    assert files.names() == ["a", "t"]


def test_concatenate_that_is_not_allowed(files: Files) -> None:
    files.put("t", b"t")
    files.put("a", b"a")
    concat(files.by("other"), "t", "a", 403)
    concat(files.by("reader"), "t", "a", 403)
    assert files.read("t") == b"t"
    assert files.names() == ["a", "t"]


# --- truncate


def test_truncate_and_go_on(files: Files) -> None:
    files.put("f", b"x" * 100_000)
    files.call("DELETE", CONTENT, 204, path=files.at("f"))
    files.append("f", b"fresh")
    assert files.read("f") == b"fresh"
    files.call("DELETE", CONTENT, 204, path=files.at("f"))
    files.call("DELETE", CONTENT, 204, path=files.at("f"))
    files.put("f", b"other", overwrite="true")
    assert files.read("f") == b"other"


def test_truncate_that_is_not_allowed(files: Files) -> None:
    files.put("f", b"x")
    files.by("other").call("DELETE", CONTENT, 403, path=files.at("f"))
    files.by("reader").call("DELETE", CONTENT, 403, path=files.at("f"))
    assert files.read("f") == b"x"


# --- rename


def rename(files: Files, old: str, new: str, expect: int = 201) -> Response:
    """Rename one name to another in the directory."""
    return files.call("PUT", "/f/name", expect, path=files.at(old), destination=files.at(new))


def test_rename_onto_a_file_is_refused(files: Files) -> None:
    files.put("a", b"a")
    files.put("b", b"b")
    files.mkdir("d")
    for old in ("a", "d"):
        answer = rename(files, old, "b", 409)
        assert files.at("b") in errors_of(answer)
    assert files.read("a") == b"a"
    assert files.read("b") == b"b"


def test_rename_into_a_directory_says_where(files: Files) -> None:
    files.put("a", b"a")
    files.mkdir("d")
    assert located(rename(files, "a", "d")) == files.at("d/a")
    assert files.read("d/a") == b"a"
    files.put("a", b"another")
    rename(files, "a", "d", 409)
    assert files.read("a") == b"another"
    files.mkdir("e")
    assert located(rename(files, "e", "d")) == files.at("d/e")


def test_rename_to_a_parent_that_is_missing(files: Files) -> None:
    files.put("a", b"a")
    answer = rename(files, "a", "no/such/parent", 404)
    assert files.at("no/such") in errors_of(answer)
    assert files.read("a") == b"a"


def test_rename_below_a_file(files: Files) -> None:
    files.put("a", b"a")
    files.put("b", b"b")
    rename(files, "a", "b/c", 409)
    assert files.read("a") == b"a"


def test_rename_into_itself(files: Files) -> None:
    files.mkdir("d/e")
    rename(files, "d", "d/e/f", 409)
    rename(files, "d", "d/new", 409)
    assert files.names() == ["d"]


def test_rename_onto_itself(files: Files) -> None:
    files.put("a", b"a")
    rename(files, "a", "a", 409)
    assert files.read("a") == b"a"


def test_rename_of_what_is_not_there(files: Files) -> None:
    files.put("b", b"b")
    files.mkdir("d")
    for new in ("new", "b", "d"):
        answer = rename(files, "nothing", new, 404)
        assert files.at("nothing") in errors_of(answer)


def test_rename_by_relative_paths(files: Files) -> None:
    files.put("a", b"a")
    name = fresh_name()
    answer = files.call("PUT", "/f/name", 201, path=files.at("a"), destination=name)
    assert located(answer) == name
    files.call("PUT", "/f/name", 201, path=name, destination=files.at("b"))
    assert files.read("b") == b"a"


def test_rename_that_is_not_allowed(files: Files) -> None:
    files.put("a", b"a")
    answer = rename(files.by("other"), "a", "b", 403)
    assert errors_of(answer)
    rename(files.by("reader"), "a", "b", 403)
    assert files.names() == ["a"]
    answer = files.call("PUT", "/f/name", 403, path=files.at("a"), destination="/user/bob/taken")
    assert "/user/bob/taken" in errors_of(answer)


# --- delete


def test_delete_of_a_file_does_not_mind_recursion(files: Files) -> None:
    for word in ("true", "false"):
        files.put("f", b"x")
        files.call("DELETE", "/f/file", 204, path=files.at("f"), recursive=word)
    assert files.names() == []


def test_delete_that_is_not_allowed(files: Files) -> None:
    files.put("d/f", b"x")
    for user in ("other", "reader"):
        files.by(user).call("DELETE", "/f/file", 403, path=files.at("d/f"))
        files.by(user).call("DELETE", "/f/file", 403, path=files.at("d"), recursive="true")
    assert files.read("d/f") == b"x"


def test_the_root_stays(files: Files) -> None:
    files.call("DELETE", "/f/file", 403, path="/", recursive="true")
    files.by("admin").call("DELETE", "/f/file", 403, path="/", recursive="true")
    files.by("admin").call("PUT", "/f/name", 403, path="/", destination="/elsewhere")


def test_directories_that_belong_to_another(files: Files) -> None:
    other = files.by("other")
    other.mkdir("x", 403)
    other.put("x", b"x", 403)
    other.put("made/on/the/way", b"x", 403)
    other.call("PUT", "/f/file/permission", 403, path=files.directory, permission="777")
    other.call("PUT", "/f/file/replication", 404, path=files.at("x"), replication="2")
    assert files.names() == []
