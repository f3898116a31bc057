"""docs/clusters.md is true: its configurations can be read, its sentences are what is told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app import settings
from app.checks.report import Finding, State
from app.checks.rights import lines_for
from app.cli_check import shown
from app.fs import tls_faults
from app.fs.clusters import settings_of
from app.fs.configured import configured_mounts

if TYPE_CHECKING:
    from app.settings import BackendSettings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "clusters.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def read(block: str, tmp_path: Path) -> BackendSettings:
    file = tmp_path / "gateway.yaml"
    file.write_text(block)
    return settings.read(file, {}).backend


@pytest.mark.parametrize("block", BLOCKS)
def test_configurations_can_be_read(block: str, tmp_path: Path) -> None:
    backend = read(block, tmp_path)
    configured_mounts(backend)
    assert backend.url[0].startswith("http")


def test_what_the_page_says_of_them(tmp_path: Path) -> None:
    _, _, several, table = BLOCKS
    backend = read(several, tmp_path)
    near, pair, lab = (settings_of(each, backend) for each in backend.clusters)
    assert (near.service_user, lab.service_user, lab.read_timeout) == (
        "gateway", "lab-gateway", 120.0)
    assert len(pair.url) == 2
    assert [(mount.path, mount.cluster, mount.read_only) for mount in configured_mounts(
        read(table, tmp_path))] == [
        ("/archive", "archive", True), ("/projects/shared", "archive", False),
        ("/today", "", False)]


def test_every_sentence_about_tls_has_its_row() -> None:
    rows = set(re.findall(r"(?m)^\| (it[^|]*?|the authority[^|]*?) \| ", PAGE))
    told = {*tls_faults.BY_CODE.values(), *(sentence for _, sentence in tls_faults.BY_REASON),
            tls_faults.OTHER_NAME}
    assert told == {row for row in rows if row in told}
    assert {row for row in rows if row.startswith(("its", "the authority"))} <= told


def test_the_lines_for_hadoop_are_those_that_are_printed() -> None:
    finding = Finding(State.WRONG, "backend", "the cluster does not let 'gateway' act for the"
                      " Hadoop user 'alice'", lines_for("gateway", "192.0.2.7", httpfs=False))
    block = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert block
    assert block[1] == "\n".join(shown(finding)) + "\n"


def test_links_lead_somewhere() -> None:
    for name in re.findall(r"\]\(([a-z-]+\.md)\)", PAGE):
        assert (ROOT / "docs" / name).exists(), name
