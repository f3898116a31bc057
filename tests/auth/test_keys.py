"""The access keys follow their file, outlive a broken one, and are secret on disk."""

from __future__ import annotations

import base64
import logging
import multiprocessing
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.auth import keys_writer
from app.auth.keys import KeyDirectory
from app.auth.keys_file import (
    AccessKey,
    SealedKey,
    new_master,
    read_keys,
    read_master,
    read_sealed,
    text_of,
)
from app.strict_yaml import ConfigError

from .conftest import Clock
from .signing import write_keys

if TYPE_CHECKING:
    from pathlib import Path


class Files:
    def __init__(self, directory: Path) -> None:
        self.file = directory / "etc" / "keys.yaml"
        self.master = directory / "private" / "keys.master"
        self.clock = Clock()

    def create(self, user: str = "alice") -> AccessKey:
        return keys_writer.create_key(self.file, self.master, user)

    def directory(self) -> KeyDirectory:
        return KeyDirectory(self.file, self.master, clock=self.clock)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]


# --- making and changing them


def test_the_first_key_brings_the_master_key(files: Files) -> None:
    key = files.create()
    assert len(key.key_id) == 20
    assert key.key_id.isalnum()
    assert key.key_id == key.key_id.upper()
    assert len(key.secret) == 40
    assert (key.user, key.active) == ("alice", True)
    assert files.master.stat().st_mode & 0o777 == 0o600
    assert files.file.stat().st_mode & 0o777 == 0o600
    assert len(base64.b64decode(files.master.read_bytes())) == 32
    assert files.directory().find(key.key_id) == key


def test_the_second_key_leaves_the_master_key(files: Files) -> None:
    first = files.create()
    master = files.master.read_bytes()
    second = files.create("bob")
    assert files.master.read_bytes() == master
    assert list(read_keys(files.file, files.master).values()) == [first, second]


def test_no_secret_is_in_the_file_or_in_what_is_shown(files: Files) -> None:
    key = files.create()
    text = files.file.read_text()
    assert key.secret not in text
    assert key.secret not in repr(key)
    sealed = read_sealed(files.file)[key.key_id].secret
    assert key.secret.encode() not in base64.b64decode(sealed)


def test_equal_secrets_are_sealed_differently(files: Files) -> None:
    files.create()
    master = read_master(files.master)
    assert master.seal("A", "alice", "x") != master.seal("A", "alice", "x")


@pytest.mark.parametrize("change", ["key id", "user"])
def test_a_secret_opens_nothing_in_another_entry(files: Files, change: str) -> None:
    key = files.create()
    sealed = read_sealed(files.file)[key.key_id]
    moved = {"ANOTHER": sealed} if change == "key id" else {
        key.key_id: sealed._replace(user="admin")}
    files.file.write_text(text_of(moved))
    with pytest.raises(ConfigError, match="does not open the secret of access key"):
        files.directory()


def test_disabling_and_removing_need_no_master_key(files: Files) -> None:
    key, other = files.create(), files.create("bob")
    files.master.unlink()
    keys_writer.set_active(files.file, key.key_id, active=False)
    assert [k.active for k in read_sealed(files.file).values()] == [False, True]
    keys_writer.set_active(files.file, key.key_id, active=True)
    keys_writer.remove_key(files.file, other.key_id)
    assert list(read_sealed(files.file)) == [key.key_id]
    keys_writer.remove_key(files.file, key.key_id)
    assert len(files.directory()) == 0


def test_no_second_master_key_is_made_beside_keys_of_the_first(files: Files) -> None:
    files.create()
    files.master.unlink()
    with pytest.raises(ConfigError, match=r"1 keys in .* are sealed with it; restore it"):
        files.create()
    assert not files.master.exists()


@pytest.mark.parametrize("text", ["", "not Base64!", base64.b64encode(b"short").decode(),
                                  new_master()],
                         ids=["empty", "no Base64", "too short", "another's"])
def test_a_wrong_master_key_changes_nothing(files: Files, text: str) -> None:
    files.create()
    before = files.file.read_bytes()
    files.master.write_text(text)
    with pytest.raises(ConfigError, match=r"keys\.master"):
        files.create()
    assert files.file.read_bytes() == before
    assert sorted(path.name for path in files.file.parent.iterdir()) == [
        "keys.yaml", "keys.yaml.lock"]


@pytest.mark.parametrize("change", [
    lambda file: keys_writer.remove_key(file, "NOSUCHKEY"),
    lambda file: keys_writer.set_active(file, "NOSUCHKEY", active=True)])
def test_a_key_that_is_not_there(files: Files, change: object) -> None:
    assert callable(change)
    with pytest.raises(ConfigError, match="there is no access key 'NOSUCHKEY'"):
        change(files.file)
    assert not files.file.parent.exists()


def test_keys_made_at_the_same_time_are_all_kept(files: Files) -> None:
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(4) as pool:
        made = pool.starmap(
            keys_writer.create_key, [(files.file, files.master, f"u{i}") for i in range(12)])
        pool.close()
        pool.join()
    assert {key.key_id for key in made} == set(read_keys(files.file, files.master))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(
    st.from_regex(r"[A-Za-z0-9_]{3,40}", fullmatch=True),
    st.builds(SealedKey, st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
              st.binary(min_size=1).map(lambda octets: base64.b64encode(octets).decode()),
              st.booleans(), st.just("2024-05-01T12:00:00Z")), max_size=4))
def test_what_is_written_is_what_is_read(tmp_path: Path, keys: dict[str, SealedKey]) -> None:
    file = tmp_path / "keys.yaml"
    file.write_text(text_of(keys))
    assert read_sealed(file) == keys


# --- the directory


def test_a_missing_file_has_no_keys_and_needs_no_master_key(files: Files) -> None:
    directory = files.directory()
    assert len(directory) == 0
    assert directory.find("AKIAIOSFODNN7EXAMPLE") is None
    key = files.create()
    assert directory.find(key.key_id) == key


def test_a_new_key_works_at_once(files: Files) -> None:
    old = files.create()
    directory = files.directory()
    assert directory.find(old.key_id) == old
    key = files.create()
    assert directory.find(key.key_id) == key


def test_a_removed_file_takes_its_keys_along(files: Files) -> None:
    key = files.create()
    directory = files.directory()
    files.file.unlink()
    files.clock.now += 2
    assert directory.find(key.key_id) is None


def test_a_change_is_seen_within_a_second(files: Files) -> None:
    key = files.create()
    directory = files.directory()
    keys_writer.set_active(files.file, key.key_id, active=False)
    files.clock.now += 0.5
    assert directory.find(key.key_id) == key
    files.clock.now += 0.6
    assert directory.find(key.key_id) == key._replace(active=False)
    keys_writer.remove_key(files.file, key.key_id)
    files.clock.now += 2
    assert directory.find(key.key_id) is None


BROKEN = [
    "keys: [", "", "keys: []", "users: {}", "keys: {AK: 1}", "keys: {'a b': {}}",
    "keys: {AKID: {user: alice, secret: 'eA==', active: true}}",
    "keys: {AKID: {user: alice, secret: 'eA==', active: 'yes', created: 'x'}}",
    "keys: {AKID: {user: 7, secret: 'eA==', active: true, created: 'x'}}",
    "keys: {AKID: {user: alice, secret: '!', active: true, created: 'x'}}",
    "keys: {AKID: {user: alice, secret: 'eA==', active: true, created: 'x'}}"]


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_is_an_error_at_the_start(files: Files, text: str) -> None:
    files.create()
    files.file.write_text(text)
    with pytest.raises(ConfigError, match="keys"):
        files.directory()


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_keeps_the_last_good_keys_and_says_so_once(
    files: Files, caplog: pytest.LogCaptureFixture, text: str,
) -> None:
    key = files.create()
    directory = files.directory()
    good = files.file.read_text()
    files.file.write_text(text)
    for _ in range(3):
        files.clock.now += 2
        assert directory.find(key.key_id) == key
    assert len(errors(caplog)) == 1
    assert "last good state with 1 keys stays in force" in errors(caplog)[0]
    assert key.secret not in caplog.text
    files.file.write_text(good)
    keys_writer.set_active(files.file, key.key_id, active=False)
    files.clock.now += 2
    assert directory.find(key.key_id) == key._replace(active=False)


@pytest.mark.parametrize("loss", ["missing", "another"])
def test_a_lost_master_key_stops_a_start_and_not_what_runs(
    files: Files, caplog: pytest.LogCaptureFixture, loss: str,
) -> None:
    key = files.create()
    directory = files.directory()
    kept = files.master.read_bytes()
    files.master.unlink()
    if loss == "another":
        files.master.write_text(new_master())
    with pytest.raises(ConfigError, match=r"keys\.master"):
        files.directory()
    files.clock.now += 2
    assert directory.find(key.key_id) == key
    assert len(errors(caplog)) == 1
    files.master.write_bytes(kept)
    files.clock.now += 2
    assert directory.find(key.key_id) == key
    assert len(errors(caplog)) == 1


def test_a_file_that_may_not_be_looked_at_is_no_missing_file(
    files: Files, monkeypatch: pytest.MonkeyPatch,
) -> None:
    files.create()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(files.file), "stat", refuse)
    with pytest.raises(ConfigError, match="Permission denied"):
        files.directory()


def test_a_master_key_that_everyone_can_read_is_warned_of(
    files: Files, caplog: pytest.LogCaptureFixture,
) -> None:
    files.create()
    files.directory()
    assert caplog.records == []
    files.master.chmod(0o644)
    files.directory()
    assert "can be read by everyone" in caplog.text


def test_the_master_key_is_private_whatever_the_umask(files: Files) -> None:
    old = os.umask(0)
    try:
        files.create()
    finally:
        os.umask(old)
    assert files.master.stat().st_mode & 0o777 == 0o600
    assert files.file.stat().st_mode & 0o777 == 0o600


def test_keys_written_by_other_means_are_taken(tmp_path: Path) -> None:
    file, master = tmp_path / "keys.yaml", tmp_path / "keys.master"
    write_keys(file, master, AKID=("alice", "a/secret+of=another/kind", True))
    found = KeyDirectory(file, master).find("AKID")
    assert found is not None
    assert found.secret == "a/secret+of=another/kind"
