"""What the page on AIStore's API tells users of the generated client to type."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.clients.aistore.client import PACKAGE, VERSION
from tests.clients.aistore.description import describe
from tests.clients.tools import generated
from tests.gateway import PASSWORD, Gateway, default_users

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.gunicorn
ROOT = Path(__file__).resolve().parents[2]
PAGE = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "aistore.md").read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    users = default_users()
    users["someone"]["bucket_root"] = "/user/alice"
    with Gateway(tmp_path_factory.mktemp("page"), users=users) as running:
        running.make_home("alice")
        yield running


def test_the_pages_lines(gateway: Gateway, tmp_path: Path) -> None:
    (script,) = PAGE
    client = generated("ais-2020", json.dumps(describe(2020)).encode(), VERSION, PACKAGE)
    script = script.replace("8080", str(gateway.port)).replace("the-password", PASSWORD)
    kept = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(client)}
    done = subprocess.run([sys.executable, "-c", script], env=kept, cwd=tmp_path,
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "object content here\n['mybucket']\n"
    assert gateway.audit()[-1]["user"] == "someone"
