"""Times and durations as Go writes them.

`time_format` is the name of one of Go's layouts, or the layout itself (Go's package `time`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from app.core.errors import InvalidParameter

DEFAULT = "RFC822"


class _Layout(NamedTuple):
    """How Go writes a layout down, and the same for Python; `{}` is a fraction of a second."""

    go: str
    python: str


LAYOUTS = {
    "ANSIC": _Layout("Mon Jan _2 15:04:05 2006", "%a %b %_d %H:%M:%S %Y"),
    "UnixDate": _Layout("Mon Jan _2 15:04:05 MST 2006", "%a %b %_d %H:%M:%S UTC %Y"),
    "RubyDate": _Layout("Mon Jan 02 15:04:05 -0700 2006", "%a %b %d %H:%M:%S +0000 %Y"),
    "RFC822": _Layout("02 Jan 06 15:04 MST", "%d %b %y %H:%M UTC"),
    "RFC822Z": _Layout("02 Jan 06 15:04 -0700", "%d %b %y %H:%M +0000"),
    "RFC850": _Layout("Monday, 02-Jan-06 15:04:05 MST", "%A, %d-%b-%y %H:%M:%S UTC"),
    "RFC1123": _Layout("Mon, 02 Jan 2006 15:04:05 MST", "%a, %d %b %Y %H:%M:%S UTC"),
    "RFC1123Z": _Layout("Mon, 02 Jan 2006 15:04:05 -0700", "%a, %d %b %Y %H:%M:%S +0000"),
    "RFC3339": _Layout("2006-01-02T15:04:05Z07:00", "%Y-%m-%dT%H:%M:%SZ"),
    "RFC3339Nano": _Layout("2006-01-02T15:04:05.999999999Z07:00", "%Y-%m-%dT%H:%M:%S{short}Z"),
    "Kitchen": _Layout("3:04PM", "%-I:%M%p"),
    "Stamp": _Layout("Jan _2 15:04:05", "%b %_d %H:%M:%S"),
    "StampMilli": _Layout("Jan _2 15:04:05.000", "%b %_d %H:%M:%S.{millis:03d}"),
    "StampMicro": _Layout("Jan _2 15:04:05.000000", "%b %_d %H:%M:%S.{millis:03d}000"),
    "StampNano": _Layout("Jan _2 15:04:05.000000000", "%b %_d %H:%M:%S.{millis:03d}000000"),
}
_BY_LAYOUT = {layout.go: name for name, layout in LAYOUTS.items()}
_MILLIS = 1000
_LAST = 253_402_300_799_999
"""9999-12-31: HDFS takes any later time, and no layout has room for it."""
_NANOS = 1_000_000_000
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)(h|ms|m|s|us|µs|ns)", re.ASCII)
_DURATION = re.compile(f"(?:{_PART.pattern})+", re.ASCII)
_MAX_DIGITS = 18


def layout_of(text: str) -> str:
    """Return the name of the layout that `time_format` names or is. Raises InvalidParameter."""
    name = _BY_LAYOUT.get(text, text or DEFAULT)
    if name not in LAYOUTS:
        raise InvalidParameter("time_format", text, f"one of {', '.join(LAYOUTS)}")
    return name


def written(time: int, layout: str) -> str:
    """Return epoch milliseconds as the layout of this name has them, in UTC."""
    seconds, millis = divmod(min(time, _LAST), _MILLIS)
    short = f".{millis:03d}".rstrip("0") if millis else ""
    text = datetime.fromtimestamp(seconds, UTC).strftime(LAYOUTS[layout].python)
    return text.format(millis=millis, short=short)


def seconds_of(text: str, name: str) -> float:
    """Return the seconds in one of Go's durations (`1h30m`, `1.5s`, `0`), or in nanoseconds.

    Raises InvalidParameter.
    """
    if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS:
        return int(text) / _NANOS
    if not _DURATION.fullmatch(text):
        raise InvalidParameter(name, text, "a duration like 90s, 10m or 1h30m")
    return sum(float(count) * _UNITS[unit] for count, unit in _PART.findall(text))
