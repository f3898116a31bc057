"""The README is true: its tour runs as it stands, its tables are those of the settings."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.settings_docs import markdown_tables
from tests.gateway import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
VARYING = (
    (r"\d{13}", "<milliseconds>"),
    (r"(?m)^Date: .*$", "Date: <date>"),
    (r"(?m)^X-Request-Id: .*$", "X-Request-Id: <id>"),
    (r"http://127\.0\.0\.1:\d+", "<gateway>"),
    (r"\b(alice|someone)\b", "<user>"),
)


def tour() -> Iterator[tuple[str, str]]:
    """Yield the tour's commands after the first, each with the output that the README shows."""
    block = re.search(r"```console\n(.*?)```", README, re.DOTALL)
    assert block
    for step in block[1].split("\n$ ")[1:]:
        command, _, output = step.partition("\n")
        yield command, output


def normal(text: str) -> str:
    for pattern, stand_in in VARYING:
        text = re.sub(pattern, stand_in, text)
    return text.replace("\r", "").strip()


@pytest.mark.gunicorn
def test_the_tour_runs_as_it_stands(tmp_path: Path) -> None:
    with Gateway(tmp_path) as gateway:
        environment = {**os.environ, "GATEWAY": gateway.url, "ME": "someone:secret"}
        steps = list(tour())
        assert len(steps) > 10
        for command, shown in steps:
            done = subprocess.run(["bash", "-c", command], env=environment, check=True,
                                  capture_output=True, text=True, timeout=30)
            assert normal(done.stdout) == normal(shown), command


@pytest.mark.gunicorn
def test_the_part_on_alluxio_runs_where_make_run_serves(tmp_path: Path) -> None:
    """As `scripts/run_gateway.py` sets it up: loopback is a user whose `/` is the home."""
    users = {"someone": {"hadoop_user": "alice"},
             "loopback": {"hadoop_user": "alice", "root": "/user/alice"}}
    mapped = {"auth": {"networks": ["127.0.0.0/8=loopback", "::1=loopback"]}}
    block = re.search(r"## Alluxio\n.*?```console\n(.*?)```", README, re.DOTALL)
    assert block
    lines = block[1].splitlines()
    script = "\n".join(line[2:] for line in lines if line.startswith("$ "))
    shown = [line for line in lines if not line.startswith("$ ")]
    assert len(shown) > 2
    with Gateway(tmp_path, users=users, settings=mapped) as gateway:
        environment = {**os.environ, "GATEWAY": gateway.url, "ME": "someone:secret"}
        done = subprocess.run(["bash", "-ec", script], env=environment, check=True,
                              capture_output=True, text=True, timeout=30)
    assert "".join(done.stdout.split()) == "".join("".join(shown).split())


def test_the_tables_of_settings_are_the_declared_ones() -> None:
    shown = re.search(r"<!-- settings: .*? -->\n(.*?)\n<!-- /settings -->", README, re.DOTALL)
    assert shown
    assert shown[1] == markdown_tables().rstrip()


def test_every_linked_file_exists() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
