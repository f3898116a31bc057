"""The page on WebHDFS is true: its commands run as they stand, its table is the code's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.auth import errands
from app.sections import WebHdfsSettings
from app.webhdfs.table import OPERATIONS, markdown_table
from tests.gateway import Gateway, default_users
from tests.tours import follow
from tests.webhdfs.table_of_hadoop import HADOOP

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "webhdfs.md").read_text()
TOURS = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("gateway"), users=default_users()) as running:
        yield running


@pytest.mark.gunicorn
@pytest.mark.parametrize("tour", TOURS)
def test_the_commands_run_as_they_stand(gateway: Gateway, tour: str) -> None:
    follow(tour, gateway)


def test_every_operation_of_hadoops_is_served() -> None:
    assert {(one.method, one.name) for one in OPERATIONS} == {
        (method, name) for method, names in HADOOP.items() for name in names.split()}


def test_the_table_is_the_codes() -> None:
    shown = re.search(r"<!-- operations -->\n(.*?)<!-- /operations -->", PAGE, re.DOTALL)
    assert shown
    assert shown[1] == markdown_table()


def test_the_times_on_the_page_are_the_codes() -> None:
    tokens = WebHdfsSettings()
    assert (tokens.token_renew_seconds, tokens.token_max_seconds) == (86400, 7 * 86400)
    assert f"{tokens.max_tokens:,}" in PAGE
    assert "for a day" in PAGE
    assert "for seven" in PAGE
    assert errands.LIFE_SECONDS == 120
    assert "within two minutes" in PAGE


def test_every_linked_file_exists() -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", PAGE)
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
