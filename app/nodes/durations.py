"""Durations as Go writes them (`time.ParseDuration`): `1s`, `1h30m`, `1.5s`, `100ms`."""

from __future__ import annotations

import re

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(h|ms|us|µs|ns|m|s)")


def parse_duration(text: str) -> float:
    """Return the seconds of a duration. Raises ValueError."""
    found = _PART.findall(text)
    if not found or "".join(number + unit for number, unit in found) != text:
        raise ValueError(f"{text!r} is no duration like '10s', '1m30s' or '500ms'")
    return sum(float(number) * _UNITS[unit] for number, unit in found)


def duration(seconds: float) -> str:
    """Return a duration of seconds, in the largest unit that needs no fraction."""
    for unit, length in (("h", 3600), ("m", 60), ("s", 1)):
        if seconds and seconds % length == 0:
            return f"{int(seconds // length)}{unit}"
    return f"{round(seconds * 1000)}ms"
