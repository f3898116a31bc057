"""`httpfs-proxy keys`, as an administrator or a script uses it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from app.auth import writer
from app.auth.keys import KeyDirectory
from app.auth.users_file import read_users

from .conftest import CHEAP

if TYPE_CHECKING:
    from pathlib import Path


class Cli:
    """Runs the command in a process of its own, with a configuration file."""

    def __init__(self, directory: Path) -> None:
        self.keys = directory / "state" / "keys.yaml"
        self.master = directory / "state" / "keys.master"
        self.users = directory / "users.yaml"
        self.config = directory / "gateway.yaml"
        self.config.write_text(
            f"auth: {{users_file: '{self.users}'}}\n"
            f"s3: {{keys_file: '{self.keys}', master_key_file: '{self.master}'}}\n")
        for name in ("alice", "bob"):
            writer.add_user(self.users, name, {"password": CHEAP.hash("x"), "hadoop_user": name})

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "app", "keys", *arguments], capture_output=True, text=True,
            timeout=60, check=False, env={**os.environ, "GATEWAY_CONFIG": str(self.config)})

    def create(self, user: str) -> tuple[str, str]:
        key_id, secret = self("create", user, "--quiet").stdout.split()
        return key_id, secret

    def directory(self) -> KeyDirectory:
        return KeyDirectory(self.keys, self.master)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


def test_create_shows_the_secret_once(cli: Cli) -> None:
    done = cli("create", "alice")
    assert (done.returncode, done.stderr) == (0, "")
    told = re.fullmatch(
        rf"made an access key for user 'alice' in {cli.keys}\n"
        r"aws_access_key_id = ([A-Z0-9]{20})\naws_secret_access_key = ([A-Za-z0-9]{40})\n",
        done.stdout)
    assert told
    key = cli.directory().find(told[1])
    assert key is not None
    assert (key.user, key.secret, key.active) == ("alice", told[2], True)
    assert told[2] not in cli.keys.read_text()
    assert told[2] not in cli("list").stdout


def test_quiet_is_for_scripts(cli: Cli) -> None:
    done = cli("create", "--quiet", "alice")
    assert re.fullmatch(r"[A-Z0-9]{20} [A-Za-z0-9]{40}\n", done.stdout)


def test_the_life_of_a_key(cli: Cli) -> None:
    key_id, _ = cli.create("alice")
    other, _ = cli.create("bob")
    done = cli("disable", key_id)
    assert (done.returncode, done.stdout) == (0, f"disabled access key {key_id} in {cli.keys}\n")
    rows = [line.split() for line in cli("list").stdout.splitlines()]
    assert rows[0] == ["KEY", "ID", "USER", "STATE", "CREATED"]
    assert [row[:3] for row in rows[1:]] == [[key_id, "alice", "inactive"],
                                             [other, "bob", "active"]]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", rows[1][3])
    assert [line.split()[0] for line in cli("list", "bob").stdout.splitlines()] == ["KEY", other]
    assert cli("enable", key_id).returncode == 0
    key = cli.directory().find(key_id)
    assert key is not None
    assert key.active
    assert cli("remove", key_id).stdout == f"removed access key {key_id} from {cli.keys}\n"
    assert cli.directory().find(key_id) is None
    assert cli.directory().find(other) is not None


@pytest.mark.parametrize(("arguments", "told"), [
    (("create", "carol"), "there is no user 'carol' in "),
    (("disable", "NOSUCHKEY"), "there is no access key 'NOSUCHKEY'"),
    (("remove", "NOSUCHKEY"), "there is no access key 'NOSUCHKEY'")])
def test_what_is_not_there_is_one_line(cli: Cli, arguments: tuple[str, ...], told: str) -> None:
    done = cli(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert not cli.master.exists()


def test_a_lost_master_key_is_one_line(cli: Cli) -> None:
    cli.create("alice")
    cli.master.unlink()
    done = cli("create", "alice")
    assert done.returncode == 1
    assert "the master key is missing" in done.stderr
    assert done.stderr.count("\n") == 1
    assert cli("list").returncode == 0


@pytest.mark.parametrize("arguments", [(), ("create",), ("disable",), ("list", "a", "b"),
                                       ("create", "alice", "--secret", "x")])
def test_wrong_usage_exits_with_2(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli(*arguments)
    assert done.returncode == 2
    assert "usage: httpfs-proxy" in done.stderr


def test_no_keys_is_an_empty_list(cli: Cli) -> None:
    done = cli("list")
    assert (done.returncode, done.stdout) == (0, "KEY ID  USER  STATE  CREATED\n")


def test_a_user_can_have_a_bucket_root(cli: Cli) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "users", "add", "carol", "--root", "/data",
         "--bucket-root", "/s3//buckets/", "--config", str(cli.config)], input="secret\n",
        capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert read_users(cli.users)["carol"].principal.bucket_root == "/data/s3/buckets"


def test_a_user_of_another_way_gets_a_key_too(cli: Cli) -> None:
    refused = cli("create", "lena")
    assert refused.returncode == 1
    assert "there is no user 'lena'" in refused.stderr
    cli.config.write_text(cli.config.read_text().replace("{users_", "{ways: [ldap], users_"))
    done = cli("create", "lena", "--quiet")
    assert done.returncode == 0
    assert "the key works while ldap knows this user" in done.stderr
    assert cli.directory().find(done.stdout.split()[0]).user == "lena"  # type: ignore[union-attr]
    assert cli("create", "no:name").returncode == 1
