"""docs/access.md is true: its lists, patterns, files and commands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from app.auth.rule_texts import RuleTexts
from app.auth.users_file import examine, read_all
from app.core.path_globs import parse
from app.core.path_rules import Right, Verdict

PAGE = (Path(__file__).parents[2] / "docs" / "access.md").read_text()
HASH = "$argon2id$v=19$m=65536,t=3,p=4$nPM+pzTGGAPA+J+TUiqlNA$gUzuWgP0odcCU5LuAluM0otGBUeebHysWUiKyL24A4M"  # noqa: E501


def table(heading: str) -> dict[str, str]:
    """Return the first two columns of the table that begins with this heading."""
    rows = PAGE.split(f"| {heading} |")[1].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    return {cell[0].strip("` "): cell[1] for cell in cells}


def test_the_lists_are_those_that_there_are() -> None:
    assert tuple(table("list")) == RuleTexts._fields


@pytest.mark.parametrize(("pattern", "path"), [
    ("/data/team", "/data/team/x"), ("/data/*/in", "/data/a/in"),
    ("/data/2024-0?", "/data/2024-07"), ("/data/**/tmp", "/data/tmp"),
    ("**/secret", "/a/secret/b"), ("/user/{user}", "/user/alice"),
    (r"/odd/\*\{name", "/odd/*{name")])
def test_the_patterns_match_what_they_say(pattern: str, path: str) -> None:
    assert pattern in table("pattern")
    assert len(table("pattern")) == 7
    glob = parse(pattern, {"user": "alice", "hadoop_user": "al"})
    assert glob.covers(glob.run([name for name in path.split("/") if name]))


@pytest.mark.parametrize("number", [0, 1])
def test_the_files_can_be_used(tmp_path: Path, number: int) -> None:
    text = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[number]
    file = tmp_path / "users.yaml"
    file.write_text(text.replace("$argon2id$…", HASH))
    users, problems = examine(file)
    assert not problems
    assert users
    if number == 0:
        rules = users["alice"].principal.rules
        assert rules.verdict("/data/team/x", Right.WRITE) is Verdict.ALLOWED
        assert rules.verdict("/data/team/secret", Right.READ) is Verdict.DENIED
        assert list(read_all(file).roles) == ["analyst"]


def test_the_commands_run(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(f"data_dir: '{tmp_path}/data'\n")
    block = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)[0]
    commands = [line[2:] for line in block.splitlines() if line.startswith("$ ")]
    made = _run(tmp_path, commands[0])
    about, token = made.splitlines()
    shown = block.splitlines()[1:3]
    assert _varying(about) == _varying(shown[0])
    assert re.fullmatch(r"hfp_[A-Za-z0-9_-]{43}", token)
    assert re.fullmatch(r"hfp_[A-Za-z0-9_-]{43}", shown[1])
    assert "nightly report" in _run(tmp_path, commands[1])
    token_id = about.split()[3]
    assert "revoked" in _run(tmp_path, commands[2].replace("5f0c1e6b7a21", token_id))


def _varying(line: str) -> str:
    return re.sub(r"[0-9a-f]{12}|\d+", "#", line)


def _run(directory: Path, command: str) -> str:
    words = shlex.split(command)
    assert words[0] == "httpfs-proxy"
    done = subprocess.run(
        [sys.executable, "-m", "app", *words[1:]], check=True, capture_output=True, text=True,
        timeout=60, env={**os.environ, "GATEWAY_CONFIG": str(directory / "gateway.yaml")})
    return done.stdout
