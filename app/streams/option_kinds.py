"""Kinds of option values: from JSON to Python, as tolerant as Alluxio's own reader (Jackson) is.

Jackson takes "true" for true, "12" and 12.9 for 12. Where it would refuse, so does this, with
MalformedOptions. Names of constants are taken in any case: 1.8 wrote `Once`, 2.9 writes `ONCE`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from app.core.errors import printable
from app.core.stream_errors import MalformedOptions

if TYPE_CHECKING:
    from collections.abc import Callable

Json = Any
"""What a JSON parser returns, never None: null is an option that was not given."""
_BITS = {"NONE": 0, "EXECUTE": 1, "WRITE": 2, "WRITE_EXECUTE": 3, "READ": 4, "READ_EXECUTE": 5,
         "READ_WRITE": 6, "ALL": 7}
_TRUE = {"true", "True", "TRUE"}
_FALSE = {"false", "False", "FALSE", ""}
_MODE_FIELDS = ("ownerBits", "groupBits", "otherBits")
_MAX_MODE = 0o7777
_MAX_DIGITS = 20
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NAME = re.compile(r"[^\x00-\x1f/:,]{1,255}")


def _refused(name: str, value: Json, wanted: str) -> MalformedOptions:
    return MalformedOptions(
        f'Cannot deserialize value of "{name}" from {printable(repr(value))}: it must be {wanted}')


def boolean(name: str, value: Json) -> bool:
    """Return true or false; numbers but 0 are true."""
    if isinstance(value, bool | int):
        return bool(value)
    if isinstance(value, str) and value.strip() in _TRUE | _FALSE:
        return value.strip() in _TRUE
    raise _refused(name, value, "true or false")


def whole(least: int, most: int) -> Callable[[str, Json], int]:
    """Return a kind: whole numbers from `least` to `most`; fractions are cut off."""

    def kind(name: str, value: Json) -> int:
        number = _number(value)
        if number is None or not least <= number <= most:
            raise _refused(name, value, f"a whole number from {least} to {most}")
        return number

    return kind


def _number(value: Json) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    try:
        if isinstance(value, float):
            return int(value)
        if isinstance(value, str) and len(value) <= _MAX_DIGITS:
            return int(value) if value.isascii() and "_" not in value else None
    except (OverflowError, ValueError):
        pass
    return None


def text(name: str, value: Json) -> str:
    """Return text; numbers and truth values are text as JSON writes them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str) and not _SURROGATE.search(value):
        return value
    raise _refused(name, value, "text")


def user_or_group(name: str, value: Json) -> str:
    """Return the name of a user or group, as HDFS can have it."""
    found = text(name, value)
    if not _NAME.fullmatch(found):
        raise _refused(name, value, "a user's or group's name")
    return found


def choice(*names: str) -> Callable[[str, Json], str]:
    """Return a kind: one of `names`, in any case."""

    def kind(name: str, value: Json) -> str:
        if isinstance(value, str) and value.upper() in names:
            return value.upper()
        raise _refused(name, value, f"one of the values accepted for it: [{', '.join(names)}]")

    return kind


def mode(name: str, value: Json) -> str:
    """Return octal digits: of the three names of bits, or of a number (420 is "644")."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_MODE:
        return f"{value:03o}"
    if not isinstance(value, dict):
        raise _refused(name, value, f"an object of {', '.join(_MODE_FIELDS)}")
    unknown = [field for field in value if field not in _MODE_FIELDS]
    if unknown:
        raise unrecognized(unknown[0], name, _MODE_FIELDS)
    bits = choice(*_BITS)
    return "".join(str(_BITS[bits(field, "NONE" if value.get(field) is None else value[field])])
                   for field in _MODE_FIELDS)


def text_map(name: str, value: Json) -> dict[str, str]:
    """Return an object whose values are text."""
    return {text(name, key): text(f"{name}.{key}", one)
            for key, one in json_object(name, value).items()
            if one is not None}


def json_object(name: str, value: Json) -> dict[str, Json]:
    """Return an object as it is."""
    if not isinstance(value, dict):
        raise _refused(name, value, "an object")
    return value


def json_list(name: str, value: Json) -> list[Json]:
    """Return a list as it is."""
    if not isinstance(value, list):
        raise _refused(name, value, "a list")
    return value


def unrecognized(field: str, holder: str, known: tuple[str, ...]) -> MalformedOptions:
    """Return the error for a field that `holder` does not have."""
    names = ", ".join(f'"{name}"' for name in known)
    return MalformedOptions(
        f'Unrecognized field "{printable(field)}" ({holder}), not marked as ignorable'
        f" ({len(known)} known properties: {names})")
