"""Changes to the users file: whole or not at all, private, comments kept."""

from __future__ import annotations

import multiprocessing
import os
import stat
import textwrap
from pathlib import Path

import pytest

from app.auth import writer
from app.auth.users_file import read_users
from app.strict_yaml import ConfigError

from .conftest import CHEAP

HASH = CHEAP.hash("right")
NEW = CHEAP.hash("new")
COMMENTED = textwrap.dedent(f"""\
    # The head.

    users:
        # About alice.
        alice:  # her entry
            password: '{HASH}'  # set in spring
            roles:
              - admin   # for now
              - auditor

        # About 007.
        007:
            password: {HASH}
            # Why he may not write.
            read_only: true

        # About carol.
        "carol":
            password: "{HASH}"
        # carol's end

    # The tail.
    """)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "users.yaml"
    file.write_text(COMMENTED)
    return file


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_a_missing_file_is_made_with_its_directory(tmp_path: Path) -> None:
    file = tmp_path / "new" / "config" / "users.yaml"
    writer.add_user(file, "alice", {"password": HASH, "roles": ["admin"], "read_only": True})
    assert file.read_text().startswith("# The users of the gateway.")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    alice = read_users(file)["alice"]
    assert alice.principal.roles == {"admin"}
    assert alice.principal.read_only is True


def test_adding_keeps_every_line(file: Path) -> None:
    writer.add_user(file, "dave", {"password": NEW})
    assert lines(file.read_text()) == [
        *lines(COMMENTED), "dave:", f'password: "{NEW}"']
    assert list(read_users(file)) == ["alice", "007", "carol", "dave"]


@pytest.mark.parametrize("name", ["yes", "null", "~", "1.5", "a b", "#x", "josé", "{x}", "*a", "-"])
def test_any_name_can_be_added_and_changed_and_removed(file: Path, name: str) -> None:
    writer.add_user(file, name, {"password": HASH})
    writer.set_fields(file, name, {"active": False})
    assert read_users(file)[name].active is False
    writer.remove_user(file, name)
    assert name not in read_users(file)
    assert lines(file.read_text()) == lines(COMMENTED)


def test_setting_changes_only_what_is_set(file: Path) -> None:
    writer.set_fields(file, "007", {"password": NEW, "active": False})
    writer.set_fields(file, "alice", {"password": NEW})
    expected = COMMENTED.replace(f"'{HASH}'  #", f'"{NEW}"  #').replace(
        f"password: {HASH}", f'password: "{NEW}"')
    left = lines(file.read_text())
    left.remove("active: false")
    assert left == lines(expected)
    users = read_users(file)
    assert users["007"].active is False
    assert users["007"].principal.read_only is True
    assert users["carol"].password_hash == HASH


@pytest.mark.parametrize(("name", "first", "last"), [
    ("alice", "alice: # her entry", "- auditor"), ("007", "007:", "read_only: true"),
    ("carol", '"carol":', f'password: "{HASH}"')])
def test_removing_keeps_the_comments_around(
    file: Path, name: str, first: str, last: str,
) -> None:
    before = lines(COMMENTED)
    start = before.index(first)
    end = before.index(last, start) + 1
    writer.remove_user(file, name)
    assert lines(file.read_text()) == before[:start] + before[end:]
    assert name not in read_users(file)
    assert len(read_users(file)) == 2


def test_the_last_user_can_go_and_another_come(file: Path) -> None:
    for name in ("alice", "007", "carol"):
        writer.remove_user(file, name)
    assert read_users(file) == {}
    writer.add_user(file, "dave", {"password": HASH})
    assert list(read_users(file)) == ["dave"]
    assert "# The tail." in file.read_text()


def test_users_in_one_line_can_be_edited_too(file: Path) -> None:
    file.write_text(f"users: {{a: {{password: '{HASH}'}}, b: {{password: '{HASH}'}}}}\n")
    writer.remove_user(file, "a")
    assert list(read_users(file)) == ["b"]
    writer.set_fields(file, "b", {"password": NEW, "active": False})
    assert read_users(file)["b"].password_hash == NEW
    writer.add_user(file, "c", {"password": HASH})
    assert list(read_users(file)) == ["b", "c"]


def test_what_cannot_be_done_changes_nothing(file: Path) -> None:
    for attempt, problem in [
        (lambda: writer.add_user(file, "alice", {"password": NEW}), "a user 'alice' already"),
        (lambda: writer.add_user(file, "a:b", {"password": NEW}), "no ':'|has no ':'"),
        (lambda: writer.add_user(file, "x", {"password": "plain"}), "not a hash"),
        (lambda: writer.set_fields(file, "x", {"active": True}), "no user 'x'"),
        (lambda: writer.set_fields(file, "alice", {"root": "x"}), "start with '/'"),
        (lambda: writer.remove_user(file, "x"), "no user 'x'"),
    ]:
        with pytest.raises(ConfigError, match=problem) as caught:
            attempt()
        assert ".new" not in str(caught.value)
    assert file.read_text() == COMMENTED
    assert {path.name for path in file.parent.iterdir()} == {"users.yaml", "users.yaml.lock"}


def test_a_broken_or_missing_file_is_not_edited(file: Path) -> None:
    file.write_text("users: {alice: {}}")
    with pytest.raises(ConfigError, match="'password' is missing"):
        writer.add_user(file, "bob", {"password": HASH})
    assert file.read_text() == "users: {alice: {}}"
    file.unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        writer.remove_user(file, "alice")


def test_a_lax_mode_is_tightened_and_a_link_stays(file: Path, tmp_path: Path) -> None:
    file.chmod(0o644)
    link = tmp_path / "link"
    link.symlink_to(file)
    writer.set_fields(link, "alice", {"active": False})
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_users(file)["alice"].active is False


def test_the_owner_stays(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []
    real = Path.stat

    class Foreign:
        st_mode, st_uid, st_gid = 0o100600, 12345, 54321

    monkeypatch.setattr(Path, "stat", lambda path, **options: (
        Foreign() if path.name == "users.yaml" else real(path, **options)))
    monkeypatch.setattr(os, "fchown", lambda _, uid, gid: given.append((uid, gid)))
    writer.set_fields(file, "alice", {"active": False})
    assert given == [(12345, -1), (-1, 54321)]

    def refuse(_: int, uid: int, __: int) -> None:
        if uid != -1:
            raise PermissionError(1, "no")

    monkeypatch.setattr(os, "fchown", refuse)
    with pytest.raises(ConfigError, match="belongs to the user with the id 12345"):
        writer.set_fields(file, "alice", {"active": True})
    assert read_users(file)["alice"].active is False


def test_a_crash_before_the_rename_leaves_the_old_file(
    file: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    def crash(*_: object) -> None:
        raise OSError(5, "disk on fire")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(OSError, match="disk on fire"):
        writer.set_fields(file, "alice", {"active": False})
    assert file.read_text() == COMMENTED
    assert {path.name for path in file.parent.iterdir()} == {"users.yaml", "users.yaml.lock"}


def test_a_hash_is_replaced_only_if_it_is_still_there(file: Path) -> None:
    assert writer.replace_hash(file, "alice", NEW, HASH) is False
    assert writer.replace_hash(file, "nobody", HASH, NEW) is False
    assert file.read_text() == COMMENTED
    assert writer.replace_hash(file, "alice", HASH, NEW) is True
    assert read_users(file)["alice"].password_hash == NEW


def test_concurrent_writers_lose_nothing(file: Path) -> None:
    context = multiprocessing.get_context("fork")

    def add(part: int) -> None:
        for i in range(5):
            writer.add_user(file, f"u{part}-{i}", {"password": HASH})

    processes = [context.Process(target=add, args=(part,)) for part in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 4
    expected = {f"u{part}-{i}" for part in range(4) for i in range(5)}
    assert set(read_users(file)) == {"alice", "007", "carol"} | expected
