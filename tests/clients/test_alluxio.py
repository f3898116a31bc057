"""Alluxio's Python client as it comes from PyPI: its example, its methods and options, its errors.

It has no argument for credentials: a ~/.netrc names them, or the network it comes from stands for
a user.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.clients.tools import environment
from tests.conftest import BACKENDS, backend_options, furnish
from tests.gateway import PASSWORD, Gateway, default_users

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.gunicorn
SCRIPTS = Path(__file__).with_name("scripts")
PATIENCE = 300.0
EXAMPLE_ROOT, TOUR_ROOT, ERRORS_ROOT, NETWORK_ROOT = (
    f"/user/alice/alluxio-{name}" for name in ("example", "tour", "errors", "network"))


class Place(NamedTuple):
    """A gateway with users for the scripts, each with a root of their own."""

    gateway: Gateway
    superuser: str
    home: Path

    def run(self, script: str, *arguments: str, user: str | None) -> str:
        """Run a script as this user, by ~/.netrc; return what it printed."""
        netrc = self.home / ".netrc"
        netrc.write_text(
            f"machine localhost login {user} password {PASSWORD}\n"
            f"machine 127.0.0.1 login {user} password wrong\n" if user else "")
        netrc.chmod(0o600)
        kept = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8"}
        done = subprocess.run(
            [environment("alluxio") / "python", SCRIPTS / script, "localhost",
             str(self.gateway.port), *arguments],
            env=kept, cwd=self.home, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module", params=BACKENDS)
def gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    options = backend_options(request, request.param)
    superuser = options["superuser"]
    users = default_users(superuser) | {
        "example": {"hadoop_user": "alice", "root": EXAMPLE_ROOT},
        "errors": {"hadoop_user": "alice", "root": ERRORS_ROOT},
        "nearby": {"hadoop_user": "alice", "root": NETWORK_ROOT},
        "tour": {"hadoop_user": superuser, "root": TOUR_ROOT, "roles": ["admin"]},
    }
    settings = {"auth": {"networks": ["127.0.0.0/8=nearby"]}}
    directory = tmp_path_factory.mktemp("alluxio")
    with Gateway(directory, users=users, settings=settings, **options) as gateway:
        furnish(gateway)
        for root in (EXAMPLE_ROOT, TOUR_ROOT, ERRORS_ROOT, NETWORK_ROOT):
            make_directory(gateway, "someone", root)
        secret = f"{ERRORS_ROOT}/secret"
        make_directory(gateway, "someone", secret)
        gateway._as_admin("PUT", "/f/file/owner", path=secret, owner="bob")
        gateway._as_admin("PUT", "/f/file/permission", path=secret, permission="700")
        yield gateway


@pytest.fixture
def place(gateway: Gateway, tmp_path: Path) -> Place:
    return Place(gateway, gateway.superuser, tmp_path)


def make_directory(gateway: Gateway, user: str, path: str) -> None:
    made = gateway.request("PUT", "/f/directory", user=user, params={"path": path})
    assert made.status_code == 201, made.text


def test_the_example(place: Place) -> None:
    check_example(json.loads(place.run("alluxio_example.py", user="example")))


def test_the_example_of_who_has_no_credentials_and_comes_from_a_network(place: Place) -> None:
    made = place.gateway.request(
        "PUT", "/f/file/content", user="nearby", params={"path": "/known", "overwrite": "true"},
        data=b"by network",
        headers={"Content-Type": "application/octet-stream"})
    assert made.status_code == 201, made.text
    told = json.loads(place.run("alluxio_example.py", user=None))
    assert told["listing"].pop(1)["path"] == "/known"
    check_example(told)


def check_example(told: dict[str, Any]) -> None:
    source = (SCRIPTS / "alluxio_example.py").read_text()
    greeting = "Greetings from Python.\n"
    content = greeting + source
    assert told["writes"] == [len(greeting), len(source.encode())]
    assert told["content"] == content
    status, moved, listed = told["status"], told["moved"], told["listing"]
    length = len(content.encode())
    expected = {
        "name": "greeting", "path": "/example/below/greeting", "length": length, "folder": False,
        "completed": True, "persisted": True, "persistenceState": "PERSISTED", "owner": "alice",
        "mode": 0o644, "pinned": False, "mountPoint": False, "ttl": -1}
    assert status.items() >= expected.items()
    assert [block["blockInfo"]["length"] for block in status["fileBlockInfos"]] == [length]
    # It is the same file under another name.
    differ = {name for name in status if status[name] != moved[name]}
    assert differ <= {"name", "path", "ufsPath"}
    assert (moved["name"], moved["path"]) == ("moved", "/example/moved")
    assert [(info["name"], info["path"], info["folder"], info["length"]) for info in listed] == [
        ("example", "/example", True, 2)]
    assert told["exists"] is False


def test_each_method_with_each_option(place: Place) -> None:
    told = place.run("alluxio_tour.py", place.superuser, user="tour")
    assert told.split() == [
        "directories", "files", "streams", "opening", "looking", "changing", "mounting"]


def test_each_error_is_of_its_class(place: Place) -> None:
    assert place.run("alluxio_errors.py", user="errors") == "done\n"
