"""How records are written down, alike in every store: JSON in ASCII, and bounded lives."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.state.store import Value

_JSON = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
LONGEST_MS = 10**13
"""Three hundred years, in milliseconds: what servers' clocks can still add to the present."""


def encode(value: Value) -> str:
    """Return the record as text; equal text is the same record to compare-and-swap."""
    return _JSON.encode(value)


def decode(text: str | bytes) -> Value:
    """Return the record that `encode` wrote."""
    value: Value = json.loads(text)
    return value


def milliseconds(ttl: float) -> int:
    """Return a time to live of seconds in whole milliseconds, at least one."""
    return max(1, min(math.ceil(min(ttl, LONGEST_MS) * 1000), LONGEST_MS))
