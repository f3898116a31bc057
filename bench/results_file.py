"""RESULTS.md: a head, one section a measurement, a tail; what is measured anew replaces its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECTION = re.compile(r"<!-- bench: ([A-Za-z0-9 ]+) -->\n(.*?)\n<!-- /bench -->\n", re.DOTALL)


def sections_in(text: str) -> dict[str, str]:
    """Return the sections of a file that `assembled` made, by their names."""
    return dict(_SECTION.findall(text))


def assembled(head: str, sections: Mapping[str, str], tail: str) -> str:
    """Return the whole file."""
    marked = (f"<!-- bench: {name} -->\n{section.strip()}\n<!-- /bench -->\n"
              for name, section in sections.items())
    return "\n".join([head, *marked, tail])
