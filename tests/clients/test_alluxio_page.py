"""What README and the page on Alluxio's API tell users of its Python client to type."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.clients.tools import environment
from tests.deploy.front import Certificate, TlsGateway
from tests.gateway import PASSWORD, Gateway, default_users

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.gunicorn
ROOT = Path(__file__).resolve().parents[2]
README, PAGE = (
    re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(), re.DOTALL)
    for name in ("README.md", "docs/alluxio.md"))


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway as `make run` sets it up."""
    users = {**default_users(), "loopback": {"hadoop_user": "alice", "root": "/user/alice"}}
    settings = {"auth": {"networks": ["127.0.0.0/8=loopback", "::1=loopback"]}}
    with Gateway(tmp_path_factory.mktemp("page"), users=users, settings=settings) as running:
        yield running


def run(script: str, home: Path, **variables: str) -> str:
    """Run a script of the client's users in a home directory; return what it printed."""
    kept = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **variables}
    done = subprocess.run([environment("alluxio") / "python", "-c", script], env=kept, cwd=home,
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readmes_lines_need_no_password_where_make_run_serves(
    gateway: Gateway, tmp_path: Path,
) -> None:
    (script,) = README
    assert "8080" in script
    printed = run(script.replace("8080", str(gateway.port)), tmp_path)
    assert printed == "b'Hello Alluxio!\\n'\n['/renamed.txt']\n"
    assert gateway.audit()[-1]["user"] == "loopback"


def test_the_pages_lines_take_the_password_from_netrc(gateway: Gateway, tmp_path: Path) -> None:
    netrc = tmp_path / ".netrc"
    netrc.touch(mode=0o600)
    netrc.write_text(f"machine localhost login someone password {PASSWORD}\n")
    printed = run(PAGE[0].replace("8080", str(gateway.port)), tmp_path)
    assert printed == "b'Hello Alluxio!\\n'\n/tmp/py/nested alice True\n"
    assert gateway.audit()[-1]["user"] == "someone"


def test_the_pages_lines_speak_https(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path / "certificate")
    with TlsGateway(tmp_path / "gateway", certificate) as gateway:
        script = ("import alluxio\n" + PAGE[1].replace("files.example.net", "localhost")
                  .replace("https://localhost", f"https://localhost:{gateway.port}")
                  + f"client.session.auth = ('someone', '{PASSWORD}')\n"
                  "print(client.get_status('/').path)\n")
        assert run(script, tmp_path, REQUESTS_CA_BUNDLE=str(certificate.file)) == "/\n"
        assert gateway.audit()[-1]["operation"] == "alluxio.get-status"
