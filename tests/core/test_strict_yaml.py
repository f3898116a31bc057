"""YAML without surprises: every fault is an error with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.strict_yaml import MAX_BYTES, ConfigError, load

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.yaml"


def test_values_and_their_lines(file: Path) -> None:
    file.write_text("# comment\na: 1\nb:\n  c: [x, 'y']\n  d:\n    - true\n    - e: null\n")
    document = load(file)
    assert document.data == {"a": 1, "b": {"c": ["x", "y"], "d": [True, {"e": None}]}}
    assert document.line("a") == 2
    assert document.line("b", "c") == 4
    assert document.line("b", "d", "1", "e") == 7
    assert document.line("nothing") == 0
    assert str(document.error("is odd", "b", "c")) == f"{file}:4: is odd"


def test_an_empty_file_is_an_empty_map(file: Path) -> None:
    file.write_text("# nothing\n")
    assert load(file).data == {}


def test_keys_are_text_as_written(file: Path) -> None:
    file.write_text("007: a\nyes: b\n~: c\n<<: {d: e}\n")
    assert load(file).data == {"007": "a", "yes": "b", "~": "c", "<<": {"d": "e"}}


@pytest.mark.parametrize(("text", "line", "problem"), [
    ("a: 1\nb: 2\na: 3", 3, "'a' is here twice, first in line 1"),
    ("x:\n  a: 1\n  'a': 3", 3, "'a' is here twice, first in line 2"),
    ("a: &x 1\nb: *x", 2, "aliases"),
    ("a: &x [*x]", 1, "aliases"),
    ("a: 1\n b: 2", 2, "mapping values are not allowed"),
    ("a: 1\n---\nb: 2", 2, "another document"),
    ("a: 1\n? [b]\n: 2", 2, "a key must be plain text"),
    ("a: 1\nb: 2024-13-45", 2, "'2024-13-45' is no timestamp"),
    ("\na: !!int abc", 2, "'abc' is no int"),
    ("a: !!bool maybe", 1, "'maybe' is no bool"),
    ("a: !!python/name:os.system x", 1, "could not determine a constructor"),
    ("a: " + "9" * 5000, 1, "is no int"),
    ("a: \0", 0, "not valid YAML"),
    ("[" * 5000, 0, "not valid YAML"),
])
def test_what_is_wrong_is_told_with_its_line(
    file: Path, text: str, line: int, problem: str,
) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert problem in str(caught.value)
    assert caught.value.line == line
    assert str(caught.value).startswith(f"{file}:{line}: " if line else f"{file}: ")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text(file: Path) -> None:
    file.write_bytes(b"a: \xe9\n")
    with pytest.raises(ConfigError, match="not valid YAML"):
        load(file)


def test_a_file_that_cannot_be_read(file: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(file)
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(file.parent)


def test_a_file_that_is_too_large(file: Path) -> None:
    with file.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    with pytest.raises(ConfigError, match="larger than"):
        load(file)
