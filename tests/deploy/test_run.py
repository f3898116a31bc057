"""`make run`: a first user, a configuration, and a gateway; and the same again on what is there."""

from __future__ import annotations

import json
import os
import re
import signal as signals
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Self

import boto3
import pytest
import requests
from botocore.client import Config

from tests.gateway import QUIET_VARIABLES, REPOSITORY, wait_for
from tests.hadoop.daemon import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hadoop.cluster import Cluster

pytestmark = pytest.mark.gunicorn


def two_free_ports() -> int:
    """Return a free port whose next one is free, too."""
    while True:
        port = free_port()
        with socket.socket() as following:
            following.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                following.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
        return port


class Run:
    """`make run` without make: its script, with the same variables, until Ctrl-C."""

    def __init__(self, data: Path, **variables: str) -> None:
        inherited = {name: value for name, value in os.environ.items()
                     if not name.startswith((*QUIET_VARIABLES, "DEMO_", "BACKEND"))}
        self.port = two_free_ports()
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

    def status_of(self, path: str, user: str, password: str) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"http://127.0.0.1:{self.port}/f/file/status",
                               params={"path": path}, auth=(user, password), timeout=30)

    def exists_for_anybody_here(self, path: str) -> bool:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                f"http://127.0.0.1:{self.port}/api/v1/paths/{path}/exists", timeout=30)
        assert answer.status_code == 200, answer.text
        return bool(answer.json())

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
    assert [path.name for path in sorted(files)] == ["gateway.yaml", "keys.yaml", "users.yaml"]
    assert not any(password[1].encode() in content for content in files.values())

    with Run(tmp_path / "data") as second:
        assert password[1] not in second.told
        assert "password of" not in second.told
        assert second.home_of("someone", password[1]).status_code == 200
    assert {path: path.read_bytes() for path in files} == files


def test_the_line_for_aws_cli_names_the_s3_port_and_a_key_that_opens_it(tmp_path: Path) -> None:
    with Run(tmp_path / "data") as first:
        line = re.search(
            r"^S3:  AWS_ACCESS_KEY_ID=(\S+) AWS_SECRET_ACCESS_KEY=(\S+) aws --region (\S+)"
            r" --endpoint-url (\S+) s3 mb s3://(\S+)$", first.told, re.MULTILINE)
        assert line
        key_id, secret, region, url, bucket = line.groups()
        assert url == f"http://127.0.0.1:{first.port + 1}"
        client = boto3.session.Session().client(
            "s3", region_name=region, endpoint_url=url, aws_access_key_id=key_id,
            aws_secret_access_key=secret, config=Config(proxies={}))
        client.create_bucket(Bucket=bucket)
        assert [made["Name"] for made in client.list_buckets()["Buckets"]] == [bucket]
        client.close()
    assert first.told.count(secret) == 2
    with Run(tmp_path / "data", DEMO_USER="someone") as second:
        assert secret not in second.told
        url = f"http://127.0.0.1:{second.port + 1}"
        assert f"S3:  aws --region us-east-1 --endpoint-url {url} " in second.told


def test_clients_of_this_host_that_send_no_password_see_the_home_alone(
    tmp_path: Path,
) -> None:
    with Run(tmp_path / "data", DEMO_HDFS_USER="alice") as first:
        line = re.search(r"^Alluxio: (curl .*)$", first.told, re.MULTILINE)
        assert line
        assert "127.0.0.0/8=loopback, ::1=loopback" in line[1]
        shown = subprocess.run(["sh", "-c", line[1]], capture_output=True, text=True, check=True)
        assert json.loads(shown.stdout)["owner"] == "alice"
        assert json.loads(shown.stdout)["path"] == "/"
        line = re.search(r"^AIStore: (curl .*)$", first.told, re.MULTILINE)
        assert line
        shown = subprocess.run(["sh", "-c", line[1]], capture_output=True, text=True, check=True)
        assert json.loads(shown.stdout) == {"ais": [], "local": [], "cloud": []}
        with requests.Session() as session:
            session.trust_env = False
            assert session.get(f"http://127.0.0.1:{first.port}/f/home-directory").status_code == 401
            made = session.post(
                f"http://127.0.0.1:{first.port}/api/v1/paths//some/dir/create-directory",
                json={"recursive": True})
            assert made.status_code == 200, made.text
        password = re.search(r"^The password of someone is (\S+)", first.told, re.MULTILINE)
        assert password
        assert first.status_of("/user/alice/some/dir", "someone", password[1]).ok
    warning = "whoever can send from 127.0.0.0/8 needs no credentials and is user 'loopback'"
    assert warning in first.told

    config = tmp_path / "data" / "gateway.yaml"
    config.write_text(re.sub(r"(?m)^  networks: .*\n", "", config.read_text()))
    with Run(tmp_path / "data") as second:
        assert "Alluxio:" not in second.told
        assert "AIStore:" not in second.told
        assert "needs no credentials" not in second.told


def test_users_who_are_there_already_are_not_opened_to_loopback(tmp_path: Path) -> None:
    with Run(tmp_path / "data"):
        pass
    (tmp_path / "data" / "gateway.yaml").unlink()
    with Run(tmp_path / "data", DEMO_USER="another") as run:
        assert "user 'another'" in run.told
        assert "Alluxio:" not in run.told


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
        assert run.exists_for_anybody_here("/")
        assert not run.exists_for_anybody_here("/user/alice")


@pytest.mark.parametrize("port", ["0", "65536", "http", "65535"])
def test_a_port_that_is_none_is_named(tmp_path: Path, port: str) -> None:
    done = subprocess.run(
        [sys.executable, REPOSITORY / "scripts" / "run_gateway.py"], capture_output=True, text=True,
        env={**os.environ, "DATA": str(tmp_path), "PORT": port}, check=False)
    assert done.returncode == 1
    fault = "leaves no next port for S3" if port == "65535" else "is not a port number"
    assert f"PORT={port} {fault}" in done.stderr
