"""The page on AIStore's API is true: its commands run as they stand, its names are the code's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app import sections
from app.aistore.errors import ROWS
from app.aistore.table import OPERATIONS
from tests.gateway import Gateway, default_users
from tests.tours import follow

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "aistore.md").read_text()
TOURS = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
SECTIONS = {
    "cache": sections.CacheSettings, "jobs": sections.JobSettings,
    "node": sections.NodeSettings, "download": sections.DownloadSettings,
    "sort": sections.SortSettings}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway as `make run` sets it up, the buckets of its user in their home."""
    users = default_users()
    users["someone"]["bucket_root"] = "/user/alice"
    with Gateway(tmp_path_factory.mktemp("gateway"), users=users) as running:
        running.make_home("alice")
        yield running


@pytest.mark.gunicorn
@pytest.mark.parametrize("tour", TOURS)
def test_the_commands_run_as_they_stand(gateway: Gateway, tour: str) -> None:
    follow(tour, gateway)


def test_every_action_is_on_the_page() -> None:
    actions = {action for one in OPERATIONS for action in one.actions if action}
    assert [action for action in sorted(actions) if f"`{action}`" not in PAGE] == []


def test_no_action_is_on_the_page_that_is_not_served() -> None:
    actions = {action for one in OPERATIONS for action in one.actions}
    tables = PAGE.partition("## The tables\n")[2].partition("### Querying")[0]
    column = [line.split(" | ")[1] for line in tables.splitlines()
              if line.startswith("| ") and line.count(" | ") > 1]
    named = {name for cell in column for name in re.findall(r"`(\w+)`", cell)}
    assert named
    assert named <= actions


def test_the_statuses_of_errors_are_those_of_the_table() -> None:
    section = PAGE.partition("## Errors\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if re.match(r"\| \d", line)]
    told = {int(status) for row in rows for status in re.findall(r"\d{3}", row)}
    assert told == {row.status for row in ROWS.values()}


def test_the_settings_on_the_page_are_those_that_there_are() -> None:
    named = set(re.findall(r"`(cache|jobs|node|download|sort)\.(\w+)`", PAGE)) | {
        ("cache", name) for name in re.findall(r"^  (\w+):", PAGE, re.MULTILINE)}
    assert named == {(section, name) for section, declared in SECTIONS.items()
                     for name in declared.__dataclass_fields__}


def test_every_linked_file_exists() -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", PAGE)
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
