"""YAML for configuration: safe, without surprises, every complaint with its line.

Plain PyYAML keeps the last of two equal keys and expands aliases without bound; both are errors
here. Values carry their line so that a check of a value can name it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from app.core.errors import printable

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 16 * 1024 * 1024


class ConfigError(Exception):
    """A configuration file cannot be used; the message names file, line and what is allowed."""

    def __init__(self, file: Path | str, line: int, problem: str) -> None:
        super().__init__(f"{file}:{line}: {problem}" if line else f"{file}: {problem}")
        self.file = str(file)
        self.line = line
        self.problem = problem


@dataclass(slots=True)
class Document:
    """A parsed file: `data` are plain dicts, lists and scalars; lines are found by key path."""

    file: Path
    data: Any
    lines: dict[tuple[str, ...], int] = field(default_factory=dict)

    def line(self, *keys: str) -> int:
        """Return the line of the key at this path, 0 where unknown."""
        return self.lines.get(keys, 0)

    def error(self, problem: str, *keys: str) -> ConfigError:
        """Return the error to raise about the value at this path."""
        return ConfigError(self.file, self.line(*keys), problem)


def load(file: Path) -> Document:
    """Read `file`. Raises ConfigError for whatever makes it unusable, absence included."""
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(file, 0, f"cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise ConfigError(file, 0, f"is larger than {MAX_BYTES} bytes")
    document = Document(file, None)
    try:
        node = yaml.compose(raw, Loader=_AliasFree)
        document.data = _build(document, yaml.SafeLoader(""), node, ()) if node else {}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ConfigError(file, line, error.problem or "not valid YAML") from error
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(file, 0, f"not valid YAML: {reason}") from error
    return document


class _AliasFree(yaml.SafeLoader):
    """A loader whose documents hold no aliases: a few bytes can stand for gigabytes by them."""

    def compose_node(self, parent: Any, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases (*name) are not allowed",
                                       problem_mark=event.start_mark)
        return super().compose_node(parent, index)


def _build(
    document: Document, scalars: yaml.SafeLoader, node: yaml.Node, keys: tuple[str, ...],
) -> Any:
    document.lines.setdefault(keys, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _build_mapping(document, scalars, node, keys)
    if isinstance(node, yaml.SequenceNode):
        return [_build(document, scalars, item, (*keys, str(i)))
                for i, item in enumerate(node.value)]
    try:
        return scalars.construct_object(node)
    except (ValueError, LookupError, AttributeError) as error:
        # What looks like a date or carries a tag and is none fails deep inside PyYAML.
        kind = node.tag.rpartition(":")[2]
        raise ConfigError(document.file, node.start_mark.line + 1,
                          f"'{printable(str(node.value))}' is no {kind}; put text in quotes",
                          ) from error


def _build_mapping(
    document: Document, scalars: yaml.SafeLoader, node: yaml.MappingNode, keys: tuple[str, ...],
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise ConfigError(document.file, line, "a key must be plain text")
        key = str(key_node.value)
        if key in result:
            first = document.line(*keys, key)
            raise ConfigError(document.file, line, f"'{key}' is here twice, first in line {first}")
        document.lines[(*keys, key)] = line
        result[key] = _build(document, scalars, value_node, (*keys, key))
    return result
