"""`make run`: a first user, a configuration, and a gateway; and the same again on what is there."""

from __future__ import annotations

import os
import re
import signal as signals
import subprocess
import sys
from typing import TYPE_CHECKING, Self

import pytest
import requests

from tests.gateway import QUIET_VARIABLES, REPOSITORY, wait_for
from tests.hadoop.daemon import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hadoop.cluster import Cluster

pytestmark = pytest.mark.gunicorn


class Run:
    """`make run` without make: its script, with the same variables, until Ctrl-C."""

    def __init__(self, data: Path, **variables: str) -> None:
        inherited = {name: value for name, value in os.environ.items()
                     if not name.startswith((*QUIET_VARIABLES, "DEMO_", "BACKEND"))}
        self.port = free_port()
        self._output = data.with_name("output")
        self._environment = {
            **inherited, "DATA": str(data), "PORT": str(self.port), **variables}

    def __enter__(self) -> Self:
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, REPOSITORY / "scripts" / "run_gateway.py"],
                env=self._environment, stdout=output, stderr=subprocess.STDOUT)
        wait_for("the gateway", self._answers, seconds=60)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signals.SIGINT)
        assert self._process.wait(30) == 0

    @property
    def told(self) -> str:
        return self._output.read_text()

    def home_of(self, user: str, password: str) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"http://127.0.0.1:{self.port}/f/home-directory",
                               auth=(user, password), timeout=30)

    def _answers(self) -> bool:
        assert self._process.poll() is None, self.told
        try:
            with requests.Session() as session:
                session.trust_env = False
                return session.get(f"http://127.0.0.1:{self.port}/readyz", timeout=10).ok
        except requests.RequestException:
            return False


def test_the_printed_line_works_as_printed_and_the_password_is_shown_once(tmp_path: Path) -> None:
    with Run(tmp_path / "data") as first:
        line = re.search(r"^Try: (curl .*)$", first.told, re.MULTILINE)
        assert line
        shown = subprocess.run(["sh", "-c", line[1]], capture_output=True, text=True, check=True)
        assert '"path":"/user/someone"' in shown.stdout
        password = re.search(r"someone:([\w-]{24})'", line[1])
        assert password
    files = {path: path.read_bytes() for path in (tmp_path / "data").glob("*.yaml")}
    assert [path.name for path in sorted(files)] == ["gateway.yaml", "users.yaml"]
    assert not any(password[1].encode() in content for content in files.values())

    with Run(tmp_path / "data") as second:
        assert password[1] not in second.told
        assert "password of" not in second.told
        assert second.home_of("someone", password[1]).status_code == 200
    assert {path: path.read_bytes() for path in files} == files


def test_the_environment_names_the_first_user(tmp_path: Path) -> None:
    chosen = {"DEMO_USER": "first", "DEMO_HDFS_USER": "alice", "DEMO_PASSWORD": "pass wörd"}
    with Run(tmp_path / "data", **chosen) as run:
        assert f"Try: curl -u 'first' 'http://127.0.0.1:{run.port}/" in run.told
        assert "pass wörd" not in run.told
        answer = run.home_of("first", "pass wörd".encode().decode("latin-1"))
        assert answer.json()["result"]["path"] == "/user/alice"
    with Run(tmp_path / "data", DEMO_USER="first", DEMO_PASSWORD="another") as run:
        assert run.home_of("first", "another").status_code == 401


@pytest.mark.hadoop
def test_another_backend_wins_over_the_file(tmp_path: Path, hadoop: Cluster) -> None:
    chosen = {"DEMO_USER": "first", "DEMO_HDFS_USER": "alice", "DEMO_PASSWORD": "secret-word"}
    with Run(tmp_path / "data", BACKEND=hadoop.namenode_url, **chosen) as run:
        assert "not a cluster" not in run.told
        assert run.home_of("first", "secret-word").json()["result"]["path"] == "/user/alice"


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_is_none_is_named(tmp_path: Path, port: str) -> None:
    done = subprocess.run(
        [sys.executable, REPOSITORY / "scripts" / "run_gateway.py"], capture_output=True, text=True,
        env={**os.environ, "DATA": str(tmp_path), "PORT": port}, check=False)
    assert done.returncode == 1
    assert f"PORT={port} is not a port number" in done.stderr
