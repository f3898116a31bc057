"""Names picked by the number in them: a prefix, what the number looks like, and its bounds.

This is AIStore's older form of a range (`prefix`, `regex`, `range`): among the names that begin
with the prefix, those whose rest has a number within the bounds at the place that the regular
expression finds. As what it finds has to be a number, an expression is digits and nothing else.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from app.core.errors import InvalidParameter, MissingParameter

_BOUNDS = re.compile(r"([0-9]{0,18}):([0-9]{0,18})", re.ASCII)
_COUNT = r"(?:\{[0-9]{1,2}(?:,[0-9]{0,2})?\}|[*+?])?"
_DIGITS = re.compile(rf"(?:(?:\\d|[0-9]|\[(?:[0-9]-[0-9]|[0-9])+\]){_COUNT}){{1,20}}", re.ASCII)
_VARIES = re.compile(r"[*+?]|,[0-9]{0,2}\}", re.ASCII)
_MOST_VARYING = 2
_MAX_REST = 255
"""Longer rests have no number: an expression would take too long to say so."""


class NumberFilter(NamedTuple):
    """The names that begin with `prefix` and have a number from `least` to `most` behind it.

    `regex` is "" where the number is all there is behind the prefix; `most` None is no bound.
    """

    prefix: str
    regex: str
    least: int
    most: int | None

    def picks(self, name: str) -> bool:
        """Tell whether a name is meant."""
        rest = name[len(self.prefix):]
        if not name.startswith(self.prefix) or len(rest) > _MAX_REST:
            return False
        if self.regex:
            match = re.search(self.regex, rest, re.ASCII)
            number = match[0] if match else ""
        else:
            number = rest
        if not (number.isascii() and number.isdecimal()):
            return False
        return self.least <= int(number) and (self.most is None or int(number) <= self.most)


def number_filter(prefix: str, regex: str, bounds: str) -> NumberFilter:
    """Return the filter for `bounds` like `1000:2000`, of which one may be missing.

    Raises InvalidParameter, MissingParameter: without bounds it would be every name.
    """
    match = _BOUNDS.fullmatch(bounds)
    allowed = "two numbers, the first not greater: 1000:2000; one may be missing"
    if not bounds:
        raise MissingParameter("range", allowed)
    if match is None or not (match[1] or match[2]):
        raise InvalidParameter("range", bounds, allowed)
    least, most = int(match[1] or 0), int(match[2]) if match[2] else None
    if most is not None and most < least:
        raise InvalidParameter("range", bounds, allowed)
    return NumberFilter(prefix, _checked(regex), least, most)


def _checked(regex: str) -> str:
    """Return an expression that is quickly decided. Raises InvalidParameter."""
    inner = regex.removeprefix("^").removesuffix("$")
    if inner.startswith("(") and inner.endswith(")"):
        inner = inner[1:-1]
    sound = not regex or (_DIGITS.fullmatch(inner) and len(_VARIES.findall(inner)) <= _MOST_VARYING)
    try:
        re.compile(regex)
    except re.error:
        sound = False
    if not sound:
        raise InvalidParameter("regex", regex, "an expression for digits alone, with at most"
                               r" 20 parts: \d{4}, [0-9]+, ^\d\d\d\d$")
    return regex
