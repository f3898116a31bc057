"""The console script, as an administrator uses it."""

from __future__ import annotations

import getpass
import io
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from app import cli_users
from app.auth.delegation import DelegationTokens
from app.auth.passwords import Passwords
from app.auth.tokens import Tokens
from app.auth.users import UserDirectory
from app.auth.users_file import read_users
from app.cli import main
from app.core.path_rules import PathForbidden
from app.sections import WebHdfsSettings
from app.settings_docs import example_yaml
from app.state import open_store

from .conftest import CHEAP

if TYPE_CHECKING:
    from pathlib import Path


class Cli:
    """Runs commands over a users file of its own; keeps what the last one printed."""

    def __init__(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.file = directory / "etc" / "users.yaml"
        self.config = directory / "gateway.yaml"
        self.config.write_text(f"auth: {{users_file: '{self.file}'}}")
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *arguments: str, stdin: bytes = b"") -> int:
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        return self.run(*arguments)

    def run(self, *arguments: str) -> int:
        code = main(["--config", str(self.config), *arguments])
        self.out, self.err = self._capsys.readouterr()
        return code

    def verify(self, name: str, password: str) -> bool:
        return Passwords(CHEAP).verify(password, read_users(self.file)[name].password_hash)


@pytest.fixture
def cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> Cli:
    monkeypatch.setattr(cli_users, "Passwords", lambda: Passwords(CHEAP))
    return Cli(tmp_path, monkeypatch, capsys)


def test_add_makes_the_file_and_the_user(cli: Cli) -> None:
    assert cli("users", "add", "alice", stdin=b"right\n") == 0
    assert cli.out == f"added user 'alice' to {cli.file}\n"
    assert cli.err == ""
    alice = read_users(cli.file)["alice"]
    assert (alice.principal.hadoop_user, alice.principal.root) == ("alice", "/")
    assert alice.active
    assert cli.verify("alice", "right")
    assert "right" not in cli.file.read_text()


def test_add_takes_everything_a_user_can_have(cli: Cli) -> None:
    assert cli("users", "add", "alice", "--hadoop-user", "etl", "--root", "/data//team/",
               "--read-only", "--role", "b", "--role", "a", "--inactive",
               stdin="pässwört\r\n".encode()) == 0
    alice = read_users(cli.file)["alice"]
    assert alice.principal.hadoop_user == "etl"
    assert alice.principal.root == "/data/team"
    assert alice.principal.read_only
    assert alice.principal.roles == {"a", "b"}
    assert not alice.active
    assert cli.verify("alice", "pässwört")


@pytest.mark.parametrize(("arguments", "stdin", "problem"), [
    (("users", "add", "alice"), b"x\n", "there is a user 'alice'"),
    (("users", "add", "a:b"), b"x\n", "has no ':'"),
    (("users", "add", "bob"), b"", "must not be empty"),
    (("users", "add", "bob"), b"\n", "must not be empty"),
    (("users", "add", "bob"), b"\xff\n", "not valid UTF-8"),
    (("users", "add", "bob"), b"a\0b\n", "control characters"),
    (("users", "add", "bob"), b"x" * 5000, "at most 4096 bytes"),
    (("users", "add", "bob", "--root", "data"), b"x\n", "must start with '/'"),
    (("users", "add", "bob", "--root", ""), b"x\n", "must start with '/'"),
    (("users", "add", "bob", "--role", "A b"), b"x\n", "'A b' is no role"),
    (("users", "add", "bob", "--hadoop-user", "a b"), b"x\n", "'a b' is no Hadoop user"),
    (("users", "passwd", "bob"), b"x\n", "there is no user 'bob'"),
    (("users", "passwd", "alice"), b"\n", "must not be empty"),
    (("users", "disable", "bob"), b"", "there is no user 'bob'"),
    (("users", "enable", "bob"), b"", "there is no user 'bob'"),
    (("users", "remove", "bob"), b"", "there is no user 'bob'"),
])
def test_an_error_is_one_line_and_changes_nothing(
    cli: Cli, arguments: tuple[str, ...], stdin: bytes, problem: str,
) -> None:
    cli("users", "add", "alice", stdin=b"right\n")
    before = cli.file.read_text()
    assert cli(*arguments, stdin=stdin) == 1
    assert cli.out == ""
    assert cli.err.startswith("httpfs-proxy: ")
    assert problem in cli.err
    assert cli.err.count("\n") == 1
    assert cli.file.read_text() == before


def test_passwd_changes_the_password_alone(cli: Cli) -> None:
    cli("users", "add", "alice", "--read-only", stdin=b"right\n")
    assert cli("users", "passwd", "alice", stdin=b"new\n") == 0
    assert cli.verify("alice", "new")
    assert read_users(cli.file)["alice"].principal.read_only


@pytest.mark.parametrize("action", ["add", "passwd"])
def test_a_generated_password_is_the_last_line(cli: Cli, action: str) -> None:
    if action == "passwd":
        cli("users", "add", "alice", stdin=b"right\n")
    assert cli("users", action, "alice", "--generate") == 0
    password = cli.out.splitlines()[-1]
    assert len(password) == 24
    assert cli.verify("alice", password)


def test_on_a_terminal_the_password_is_asked_for_twice(
    cli: Cli, monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = iter(["right", "right", "one", "other"])
    asked: list[str] = []
    monkeypatch.setattr(getpass, "getpass",
                        lambda prompt: asked.append(prompt) or next(answers))
    terminal = io.TextIOWrapper(io.BytesIO(b"never read"))
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    assert cli.run("users", "add", "alice") == 0
    assert asked == ["Password: ", "Again: "]
    assert cli.verify("alice", "right")
    assert cli.run("users", "passwd", "alice") == 1
    assert "differ" in cli.err
    assert cli.verify("alice", "right")


def test_interrupting_the_question_changes_nothing(
    cli: Cli, monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(_: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(getpass, "getpass", interrupt)
    terminal = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    assert cli.run("users", "add", "alice") == 130
    assert cli.err == "httpfs-proxy: interrupted\n"
    assert not cli.file.exists()


def test_disable_enable_and_remove(cli: Cli) -> None:
    cli("users", "add", "alice", stdin=b"right\n")
    assert cli("users", "disable", "alice") == 0
    assert not read_users(cli.file)["alice"].active
    assert cli("users", "enable", "alice") == 0
    assert read_users(cli.file)["alice"].active
    assert cli("users", "remove", "alice") == 0
    assert read_users(cli.file) == {}


def test_list_shows_everyone_and_no_secret(cli: Cli) -> None:
    cli("users", "add", "alice", "--role", "admin", stdin=b"right\n")
    cli("users", "add", "bob", "--read-only", "--root", "/b", "--inactive", stdin=b"right\n")
    assert cli("users", "list") == 0
    assert [line.split()[0] for line in cli.out.splitlines()] == ["NAME", "alice", "bob"]
    assert cli.out.splitlines()[1].split() == [
        "alice", "alice", "/", "read,", "write", "admin", "active", "argon2"]
    assert cli.out.splitlines()[2].split() == [
        "bob", "bob", "/b", "read", "-", "inactive", "argon2"]
    assert "$argon2" not in cli.out


def test_check_names_every_problem_with_its_line(cli: Cli) -> None:
    cli("users", "add", "alice", stdin=b"right\n")
    assert cli("users", "check") == 0
    assert cli.out == f"{cli.file}: no mistakes, 1 users\n"
    cli.file.write_text("users:\n  a:\n    passwd: x\n  b:\n    password: y\n")
    assert cli("users", "check") == 1
    assert [line.split(": ")[0] for line in cli.out.splitlines()] == [
        f"{cli.file}:2", f"{cli.file}:3", f"{cli.file}:5"]
    cli.file.unlink()
    assert cli("users", "check") == 1
    assert "cannot be read" in cli.out


def test_config_stands_before_or_after_the_command(
    cli: Cli, capsys: pytest.CaptureFixture[str],
) -> None:
    cli("users", "add", "alice", stdin=b"right\n")
    option = ["--config", str(cli.config)]
    for arguments in ([*option, "users", "list"], ["users", *option, "list"],
                      ["users", "list", *option]):
        assert main(arguments) == 0
        assert "alice" in capsys.readouterr().out


def test_a_broken_configuration_is_one_line(cli: Cli) -> None:
    cli.config.write_text("auth: {user_file: x}")
    assert cli("users", "list") == 1
    assert cli.err.startswith(f"httpfs-proxy: {cli.config}:1: unknown setting 'user_file'")
    assert cli.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [
    [], ["users"], ["nonsense"], ["users", "add"], ["users", "add", "a", "b"],
    ["users", "add", "a", "--password", "x"], ["users", "list", "--conf", "x"],
])
def test_wrong_usage_exits_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: httpfs-proxy" in capsys.readouterr().err


def test_settings_prints_the_example(cli: Cli) -> None:
    assert cli("settings") == 0
    assert cli.out == example_yaml()


def test_python_m_app_is_the_script(cli: Cli) -> None:
    environment = {**os.environ, "GATEWAY_CONFIG": str(cli.config)}

    def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "app", *arguments], input=text, capture_output=True, text=True,
            timeout=60, check=False, env=environment)

    done = run("users", "add", "alice", text="right\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert read_users(cli.file)["alice"].password_hash.startswith(
        "$argon2id$v=19$m=65536,t=3,p=4$")
    done = run("users", "remove", "bob")
    assert done.returncode == 1
    assert done.stderr == f"httpfs-proxy: {cli.file}: there is no user 'bob'\n"


def test_a_reader_that_had_enough_is_no_error_message(cli: Cli) -> None:
    done = subprocess.run(
        f"{sys.executable} -m app settings | head -n 1", shell=True, capture_output=True,
        text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith("# The settings")


def test_a_user_is_added_with_rules_and_networks(cli: Cli) -> None:
    code = cli("users", "add", "carol", "--generate", "--allow", "/data", "--allow", "/user/{user}",
               "--deny", "**/secret", "--network", "10.0.0.0/8", "--network", "::1")
    assert code == 0, cli.err
    carol = read_users(cli.file)["carol"].principal
    carol.require_read("/user/carol")
    with pytest.raises(PathForbidden):
        carol.require_read("/data/secret")
    assert [str(network) for network in carol.networks[0]] == ["10.0.0.0/8", "::1/128"]
    for wrong in (("--allow", "data"), ("--network", "here")):
        assert cli("users", "add", "dave", "--generate", *wrong) == 1
    assert "dave" not in read_users(cli.file)


@pytest.fixture
def held(cli: Cli, tmp_path: Path) -> Tokens:
    """Return the tokens of a gateway that runs: two of alice's, one of bob's."""
    cli.config.write_text(f"{{data_dir: '{tmp_path}', auth: {{users_file: '{cli.file}'}}}}")
    for name in ("alice", "bob"):
        cli("users", "add", name, stdin=b"right\n")
    store = open_store("sqlite:", tmp_path)
    tokens = Tokens(store, 10)
    for name in ("alice", "alice", "bob"):
        tokens.create(name)
    DelegationTokens(store, UserDirectory(cli.file), WebHdfsSettings()).issue("alice", "a", "", "")
    return tokens


def test_passwd_tells_what_tokens_stay(cli: Cli, held: Tokens) -> None:
    assert cli("users", "passwd", "alice", "--generate") == 0
    assert ("2 access tokens and 1 delegation tokens of user 'alice' stay good;"
            " `httpfs-proxy tokens revoke --all-of alice` ends them\n") in cli.out
    assert cli.verify("alice", cli.out.splitlines()[-1])
    assert len(list(held.of("alice"))) == 2


def test_passwd_ends_tokens_where_it_is_told_to(cli: Cli, held: Tokens) -> None:
    assert cli("users", "passwd", "alice", "--end-tokens", stdin=b"new\n") == 0
    assert "revoked 2 access tokens and 1 delegation tokens of user 'alice'\n" in cli.out
    assert cli.verify("alice", "new")
    assert [one.user for one in held.of()] == ["bob"]
    assert cli("users", "passwd", "alice", stdin=b"newer\n") == 0
    assert "stay good" not in cli.out, "there are none"


def test_passwd_makes_no_state_store(cli: Cli, tmp_path: Path) -> None:
    data = tmp_path / "data"
    cli.config.write_text(f"{{data_dir: '{data}', auth: {{users_file: '{cli.file}'}}}}")
    cli("users", "add", "alice", stdin=b"right\n")
    for option in ((), ("--end-tokens",)):
        assert cli("users", "passwd", "alice", *option, stdin=b"new\n") == 0
    assert not data.exists()


def test_passwd_where_the_state_store_is_away(cli: Cli) -> None:
    cli.config.write_text(
        f"{{state_url: 'redis://127.0.0.1:1/0', auth: {{users_file: '{cli.file}'}}}}")
    cli("users", "add", "alice", stdin=b"right\n")
    assert cli("users", "passwd", "alice", stdin=b"new\n") == 0
    assert "not known what tokens the user has" in cli.err
    assert cli.verify("alice", "new")
    assert cli("users", "passwd", "alice", "--end-tokens", stdin=b"newer\n") == 1
    assert "changed the password" in cli.out
