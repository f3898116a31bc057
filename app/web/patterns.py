"""Regular expressions of strangers, matched in time that grows with the text and not beyond.

Python's `re` tries one way after the other, and a pattern like `(a*)*b` has it try for years. RE2
follows all ways at once, and its language is the one that AIStore's own clients mean (Go's regexp).
"""

from __future__ import annotations

from typing import Any

import re2

from app.core.errors import InvalidParameter

MAX_PATTERN = 256
_MAX_MEMORY = 1024 * 1024


def compiled(text: str, parameter: str = "regex") -> Any:
    """Return the pattern in `text`, with `search`; `parameter` is what an error calls it.

    Raises InvalidParameter.
    """
    if len(text) > MAX_PATTERN:
        raise InvalidParameter(parameter, text, f"at most {MAX_PATTERN} characters")
    options = re2.Options()
    options.max_mem = _MAX_MEMORY
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        problem = error.args[0] if error.args else b""
        told = problem.decode(errors="replace") if isinstance(problem, bytes) else str(problem)
        raise InvalidParameter(
            parameter, text, f"a regular expression of RE2: {told}") from None
