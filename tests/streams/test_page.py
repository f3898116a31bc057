"""The page on Alluxio's API is true: its commands run as they stand, its table is the code's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.sections import StreamsSettings
from app.streams import table
from app.streams.errors import ALLUXIO
from app.streams.options import markdown_table
from tests.gateway import Gateway, default_users
from tests.tours import follow

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "alluxio.md").read_text()
TOURS = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("gateway"), users=default_users()) as running:
        yield running


@pytest.mark.gunicorn
@pytest.mark.parametrize("tour", TOURS)
def test_the_commands_run_as_they_stand(gateway: Gateway, tour: str) -> None:
    follow(tour, gateway)


def test_the_table_of_options_is_the_codes() -> None:
    shown = re.search(r"<!-- options: .*? -->\n(.*?)<!-- /options -->", PAGE, re.DOTALL)
    assert shown
    assert shown[1] == markdown_table()


def test_every_operation_is_on_the_page() -> None:
    assert [one.action for one in table.OPERATIONS if one.action not in PAGE] == []


def test_the_codes_of_errors_are_those_of_the_table() -> None:
    section = PAGE.partition("## Errors\n")[2].partition("\n## ")[0]
    told = set(re.findall(r"`([A-Z_]{5,})`", section))
    assert told == {row.code for row in ALLUXIO.rows.values() if row.status == 500}


def test_the_settings_on_the_page_exist() -> None:
    named = set(re.findall(r"`streams\.(\w+)", PAGE))
    assert named
    assert named <= set(StreamsSettings.__dataclass_fields__)


def test_every_linked_file_exists() -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", PAGE)
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
