"""Asked by a service user on behalf of the Hadoop user: HDFS sees the latter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.client import CONTENT, Files, errors_of, fresh_name, visible_and_hidden

if TYPE_CHECKING:
    from tests.gateway import Gateway


@pytest.fixture
def files(doas_gateway: Gateway) -> Files:
    """Return the user `someone` (alice) with a new directory of their own."""
    work = Files(doas_gateway, "doas", f"/user/alice/{fresh_name('doas')}")
    work.call("PUT", "/f/directory", 201, path=work.directory, permission="755")
    return work


def test_everything_is_done_as_the_mapped_user(files: Files) -> None:
    assert files.call("GET", "/f/home-directory").json()["result"]["path"] == "/user/alice"
    files.put("f", b"one ")
    files.append("f", b"two ")
    files.put("g", b"three")
    files.call("POST", CONTENT, 201, path=files.at("f"), sources="g")
    assert files.read("f") == b"one two three"
    files.put("f", b"new", overwrite="true")
    files.call("PUT", "/f/name", 201, path=files.at("f"), destination=files.at("h"))
    assert files.status("h")["owner"] == "alice"
    files.call("DELETE", CONTENT, 204, path=files.at("h"))
    assert visible_and_hidden(files) == ["h"]
    files.call("DELETE", "/f/file", 204, path=files.directory, recursive="true")


def test_rights_are_those_of_the_mapped_user(files: Files) -> None:
    files.put("private", b"x", permission="600")
    other = files.by("other")
    assert other.call("GET", "/f/home-directory").json()["result"]["path"] == "/user/bob"
    assert files.at("private") in errors_of(other.get("private", 403))
    other.put("new", b"x", 403)
    other.call("DELETE", "/f/file", 403, path=files.directory, recursive="true")
    assert files.read("private") == b"x"


def test_users_taking_turns_are_not_mixed_up(files: Files) -> None:
    for _ in range(10):
        for user, home in (("someone", "/user/alice"), ("other", "/user/bob")):
            told = files.by(user).call("GET", "/f/home-directory").json()["result"]["path"]
            assert told == home
        files.put("f", b"x", overwrite="true")
        files.by("other").put("f", b"x", 403, overwrite="true")
