"""The cache of clients: built once, begun anew where a build broke off, clear when it fails."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.clients import tools

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tools, "CACHE", tmp_path)
    return tmp_path


def test_a_client_is_built_once_for_each_lock(cache: Path) -> None:
    built: list[str] = []

    def build(target: Path) -> None:
        target.mkdir()
        built.append(target.name)

    first = tools._once("client", build, b"lock")
    assert tools._once("client", build, b"lock") == first
    assert built == [first.name]
    second = tools._once("client", build, b"another lock")
    assert built == [first.name, second.name]
    assert sorted(path.name for path in cache.iterdir()) == sorted(["client.lock", second.name])


def test_what_broke_off_is_begun_anew() -> None:
    def broken(target: Path) -> None:
        target.mkdir()
        (target / "half").touch()
        raise tools.ToolError("no network")

    with pytest.raises(tools.ToolError):
        tools._once("client", broken, b"lock")
    whole = tools._once("client", lambda target: target.mkdir(), b"lock")
    assert [path.name for path in whole.iterdir()] == [tools.READY]


def test_a_failure_says_what_was_wanted_and_what_happened() -> None:
    with pytest.raises(tools.ToolError, match=r"(?s)the client could not be had.*no route to it"):
        tools._run([sys.executable, "-c", "import sys; sys.exit('no route to it')"], "the client")
