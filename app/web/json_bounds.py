"""How much JSON may become: a parsed list or map takes thirty times the memory of its brackets."""

from __future__ import annotations

import re

from app.core.errors import MalformedBody

MAX_CONTAINERS = 20_000
"""Lists and maps in one body. The largest that is asked for is a list of names, and has two."""
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def check_containers(raw: bytes) -> None:
    """Raise MalformedBody for JSON with more lists and maps than anything that is taken has."""
    if _containers(raw) > MAX_CONTAINERS and _containers(_STRING.sub(b"", raw)) > MAX_CONTAINERS:
        raise MalformedBody(f"the body has more than {MAX_CONTAINERS} lists and maps")


def _containers(raw: bytes) -> int:
    return raw.count(b"[") + raw.count(b"{")
