"""docs/authentication.md says what there is: its settings can be read, its tables are whole."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from app.sections.door import AuthSettings
from app.sections.identities import MappingSettings
from app.settings import read

PAGE = (Path(__file__).parents[2] / "docs" / "authentication.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def column(heading: str) -> list[str]:
    """Return the first cells of the table under a head row that begins so."""
    rows = PAGE[PAGE.index(f"| {heading} |"):].splitlines()[2:]
    cells = []
    for row in rows:
        if not row.startswith("|"):
            break
        cells.append(row.split("|")[1].strip(" `"))
    return cells


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_settings(example: str, tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(example)
    settings = read(file, {})
    assert set(settings.auth.ways) - {"password"}


def test_the_table_of_ways_is_whole() -> None:
    allowed = next(each for each in fields(AuthSettings) if each.name == "ways").metadata["kind"]
    assert column("way") == re.findall(r"`(\w+)`", allowed.allowed)


def test_the_table_of_what_becomes_of_users_is_whole() -> None:
    assert column("setting") == [each.name for each in fields(MappingSettings)]


def test_settings_that_are_named_are_there() -> None:
    settings = read(Path("/dev/null"), {})
    for section, name in re.findall(r"`(auth|ldap|jwt|certificate|web)\.([a-z_]+)`", PAGE):
        assert hasattr(getattr(settings, section), name), f"{section}.{name}"
