"""The directory follows its file, and outlives a broken one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from app.auth import users as users_module
from app.auth import watched
from app.auth.users import UserDirectory
from app.strict_yaml import ConfigError

from .conftest import CHEAP, Clock

if TYPE_CHECKING:
    from pathlib import Path

HASH = CHEAP.hash("right")
OTHER = CHEAP.hash("other")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "users.yaml"
    write(file, alice=HASH, bob=HASH)
    return file


def write(file: Path, **hashes: str) -> None:
    """Replace the file as the writer does: its signature changes whatever the clock's grain."""
    fresh = file.with_name("fresh")
    fresh.write_text("users:\n" + "".join(
        f"  {name}: {{password: '{text}'}}\n" for name, text in hashes.items()))
    fresh.chmod(0o600)
    fresh.replace(file)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`httpfs-proxy users add NAME`") as caught:
        UserDirectory(tmp_path / "users.yaml")
    assert str(tmp_path / "users.yaml") in str(caught.value)


def test_a_broken_file_is_an_error_at_the_start(file: Path) -> None:
    file.write_text("users:\n  alice: {password: 'x'}\n")
    with pytest.raises(ConfigError, match=r"users\.yaml:2: user 'alice'"):
        UserDirectory(file)


def test_a_change_is_seen_within_a_second(file: Path, clock: Clock) -> None:
    directory = UserDirectory(file, clock=clock)
    write(file, alice=OTHER, carol=HASH)
    clock.now += 0.5
    assert directory.find("carol") is None
    clock.now += 0.6
    assert directory.find("carol") is not None
    assert directory.find("bob") is None
    assert directory.find("alice").password_hash == OTHER
    assert len(directory) == 2


def test_the_file_is_neither_parsed_nor_looked_at_for_each_request(
    file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch,
) -> None:
    directory = UserDirectory(file, clock=clock)
    looks: list[Path] = []
    signature = watched.signature
    monkeypatch.setattr(watched, "signature",
                        lambda path: looks.append(path) or signature(path))
    monkeypatch.setattr(users_module, "read_all", lambda _: pytest.fail("was parsed"))
    for _ in range(100):
        clock.now += 0.1
        assert directory.find("alice") is not None
    assert 5 <= len(looks) <= 10


def test_who_did_not_change_stays_the_same_object(file: Path, clock: Clock) -> None:
    directory = UserDirectory(file, clock=clock)
    alice, bob = directory.find("alice"), directory.find("bob")
    write(file, alice=HASH, bob=OTHER)
    clock.now += 2
    assert directory.find("alice") is alice
    assert directory.find("bob") is not bob


@pytest.mark.parametrize("broken", ["users:\n  alice: {passwd: x}\n", "users: [", "", None])
def test_a_broken_file_keeps_the_last_good_users_and_says_so_once_for_each_change(
    file: Path, clock: Clock, caplog: pytest.LogCaptureFixture, broken: str | None,
) -> None:
    directory = UserDirectory(file, clock=clock)
    alice = directory.find("alice")
    if broken is None:
        file.unlink()
    else:
        file.write_text(broken)
    for _ in range(5):
        clock.now += 2
        assert directory.find("alice") is alice
    assert len(errors(caplog)) == 1
    assert "last good state with 2 users stays in force" in errors(caplog)[0]
    assert str(file) in errors(caplog)[0]
    file.write_text("users: {alice: {again: broken}}")
    clock.now += 2
    assert directory.find("alice") is alice
    assert len(errors(caplog)) == 2
    write(file, carol=HASH)
    clock.now += 2
    assert directory.find("carol") is not None
    assert directory.find("alice") is None
    assert len(errors(caplog)) == 2


def test_requests_go_on_with_the_old_users_while_one_reads(
    file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch,
) -> None:
    directory = UserDirectory(file, clock=clock)
    read = users_module.read_all
    meanwhile = []

    def slow(path: Path) -> object:
        clock.now += 5
        meanwhile.append((directory.find("alice"), directory.find("carol")))
        return read(path)

    monkeypatch.setattr(users_module, "read_all", slow)
    write(file, carol=HASH)
    alice = directory.find("alice")
    clock.now += 2
    assert directory.find("carol") is not None
    assert meanwhile == [(alice, None)]


def test_a_file_that_everyone_can_read_is_warned_of(
    file: Path, caplog: pytest.LogCaptureFixture,
) -> None:
    UserDirectory(file)
    assert caplog.records == []
    file.chmod(0o644)
    UserDirectory(file)
    assert "can be read by everyone" in caplog.text


def test_a_changed_target_of_a_symbolic_link_is_seen(
    file: Path, clock: Clock, tmp_path: Path,
) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    directory = UserDirectory(link, clock=clock)
    write(tmp_path / "new.yaml", carol=HASH)
    (tmp_path / "next").symlink_to(tmp_path / "new.yaml")
    (tmp_path / "next").replace(link)
    clock.now += 2
    assert directory.find("carol") is not None
