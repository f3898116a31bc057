"""THREATS.md: each line names tests, and each of them is there."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.gateway import REPOSITORY

ROWS = [line for line in (REPOSITORY / "THREATS.md").read_text().splitlines()
        if line.startswith("| ") and not line.startswith(("| Threat ", "| --- "))]


@cache
def functions_of(file: str) -> frozenset[str]:
    """Return the names of the tests in a file below tests/."""
    tree = ast.parse((REPOSITORY / "tests" / file).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_there_are_threats() -> None:
    assert len(ROWS) > 50


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_every_line_names_tests_that_are_there(row: str) -> None:
    _, threat, against, shown, _ = row.split("|")
    assert threat.strip()
    assert against.strip()
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", shown)
    assert named, f"no test shows {threat.strip()}"
    for file, name in named:
        assert name in functions_of(file), f"{file} has no {name}"
