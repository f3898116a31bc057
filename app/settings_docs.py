"""The settings as text: the example file and the documentation's tables, from the declarations."""

from __future__ import annotations

import json
import textwrap
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.settings import CONFIG_VARIABLE, DEFAULT_FILE, sections

if TYPE_CHECKING:
    from collections.abc import Iterator
    from dataclasses import Field

WIDTH = 98

_HEAD = f"""\
The settings of httpfs-proxy, each at its default. Copy this file to {DEFAULT_FILE} (or set
the environment variable {CONFIG_VARIABLE} to another name) and keep what you change: what is
absent has its default. Unknown settings are errors. Each setting can also be given by an
environment variable, which wins over the file: backend.read_timeout by
GATEWAY_BACKEND_READ_TIMEOUT, data_dir by GATEWAY_DATA_DIR."""


def example_yaml() -> str:
    """Return a configuration file with every setting at its default, explained."""
    lines = _comment(_HEAD, "")
    for prefix, section in sections().items():
        indent = "  " if prefix else ""
        if prefix:
            lines += ["", *_comment(_summary(section), ""), f"{prefix}:"]
        for position, declared in enumerate(_declared(section)):
            if position or not prefix:
                lines.append("")
            lines += _comment(declared.metadata["help"], indent)
            lines += _comment(f"Allowed: {declared.metadata['kind'].allowed}.", indent)
            lines.append(f"{indent}{declared.name}: {default_of(declared)}")
    return "\n".join(lines) + "\n"


def markdown_tables() -> str:
    """Return one table for each section: setting, default, what is allowed, what it is for."""
    parts = []
    for prefix, section in sections().items():
        title = f"### `{prefix}`: {_summary(section)}" if prefix else "### At the top"
        rows = [_row(f"{prefix}.{declared.name}" if prefix else declared.name, declared)
                for declared in _declared(section)]
        parts.append("\n".join([
            title, "", "| Setting | Default | Allowed | What it is for |",
            "| --- | --- | --- | --- |", *rows]))
    return "\n\n".join(parts) + "\n"


def default_of(declared: Field[Any]) -> str:
    """Return the default as it is written in YAML."""
    default = declared.default
    if isinstance(default, tuple):
        # A lone URL is written without brackets, as most people write it.
        alone = len(default) == 1 and declared.name == "url"
        return json.dumps(default[0] if alone else default)
    if isinstance(default, float):
        return f"{default:g}"
    if isinstance(default, Path):
        return json.dumps(str(default))
    return json.dumps(default, ensure_ascii=False)


def _declared(section: type) -> Iterator[Field[Any]]:
    return (each for each in fields(section) if each.metadata and each.default is not MISSING)


def _summary(section: type) -> str:
    return (section.__doc__ or "").strip().splitlines()[0]


def _comment(text: str, indent: str) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), WIDTH, initial_indent=f"{indent}# ",
                         subsequent_indent=f"{indent}# ", break_on_hyphens=False,
                         break_long_words=False)


def _row(name: str, declared: Field[Any]) -> str:
    cells = [f"`{name}`", f"`{default_of(declared)}`", declared.metadata["kind"].allowed,
             " ".join(declared.metadata["help"].split())]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
