"""What a sort fails for, told in the words that its user reads."""

from __future__ import annotations

import re

_TOLD = re.compile(r"SortError: (.+)")


class SortError(Exception):
    """The sort cannot go on; the message says why."""


def told(error: BaseException) -> str:
    """Return what to tell of an error; Spark hides what its workers raised in a traceback."""
    text = str(error)
    found = _TOLD.findall(text)
    if found:
        return str(found[-1])
    if isinstance(error, SortError):
        return text
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in lines:
        if line.startswith("MemoryError"):
            return "a shard needs more memory than sort.memory allows"
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:500]
