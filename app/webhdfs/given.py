"""The parameters of a request, read as the NameNode reads them, with its words for wrong ones.

Names are the same in upper and lower case, of several values the first counts, and an empty one is
as good as none (org.apache.hadoop.hdfs.web.resources).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.core.errors import InvalidRequest, Told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.web.query import Query

ILLEGAL = "java.lang.IllegalArgumentException"
MAX_LONG = 2**63 - 1
MAX_INT = 2**31 - 1
MAX_SHORT = 2**15 - 1
MAX_MODE = 0o1777
_NAME = "[A-Za-z_][A-Za-z0-9._-]*"
USER = re.compile(rf"{_NAME}[$]?")
_SHOWN = r"(default:)?(user|group|mask|other):[[A-Za-z_][A-Za-z0-9._-]]*:([rwx-]{3})?"
_ENTRY = rf"(default:)?(user|group|mask|other):({_NAME})?:([rwx-]{{3}})?"
ACL_SPEC = re.compile(f"{_ENTRY}(,{_ENTRY})*")
FS_ACTION = re.compile("[r-][w-][x-]")
_DOMAINS = {ACL_SPEC: f"^{_SHOWN}(,{_SHOWN})*$", FS_ACTION: FS_ACTION.pattern}
"""How Hadoop shows patterns that it writes otherwise."""


def illegal(message: str) -> InvalidRequest:
    """Return what is wrong with a request, as Java's IllegalArgumentException."""
    error = InvalidRequest(message)
    error.told = Told(ILLEGAL, message)
    return error


def invalid(name: str, reason: str) -> InvalidRequest:
    """Return what is wrong with the value of a parameter."""
    return illegal(f'Invalid value for webhdfs parameter "{name}": {reason}')


class Given:
    """The parameters of one request to `operation`."""

    def __init__(self, query: Query, operation: str = "") -> None:
        self._values: dict[str, list[str]] = {}
        for name, values in query.items():
            self._values.setdefault(name.lower(), []).extend(values)
        self.operation = operation

    def text(self, name: str) -> str | None:
        """Return the first value, None for none and for an empty one."""
        return self._values.get(name, [""])[0] or None

    def texts(self, name: str) -> Sequence[str]:
        """Return all values that are not empty."""
        return [value for value in self._values.get(name, ()) if value]

    def required(self, name: str) -> str:
        """Return the value. Raises InvalidRequest where there is none."""
        value = self.text(name)
        if value is None:
            raise illegal(f"Required param {name} for op: {self.operation} is null or empty")
        return value

    def matching(self, name: str, pattern: re.Pattern[str]) -> str | None:
        """Return a value that `pattern` matches whole."""
        value = self.text(name)
        if value is not None and not pattern.fullmatch(value):
            raise invalid(name, f'Invalid value: "{value}" does not belong to the domain'
                                f" {_DOMAINS.get(pattern, f'^{pattern.pattern}$')}")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return `true` or `false` in any case."""
        value = self.text(name)
        if value is None:
            return default
        if value.lower() not in ("true", "false"):
            raise invalid(name, f'Failed to parse "{value}" to Boolean.')
        return value.lower() == "true"

    def number(
        self, name: str, *, least: int = -MAX_LONG, most: int = MAX_LONG, kind: str = "long",
    ) -> int | None:
        """Return a whole number; `kind` is Java's type of it."""
        return self._number(name, 10, least, most, f"{kind} integer")

    def short(self, name: str, *, least: int) -> int | None:
        """Return a whole number of 16 bits."""
        return self._number(name, 10, least, MAX_SHORT, "short integer")

    def mode(self, name: str) -> str | None:
        """Return a mode, octal digits up to 1777."""
        found = self._number(name, 8, 0, MAX_SHORT, "short integer")
        if found is not None and found > MAX_MODE:
            raise invalid(name, f"Invalid parameter range: {name} = {found:o} > 1777")
        return None if found is None else f"{found:o}"

    def words(self, name: str, allowed: Sequence[str], enumeration: str) -> Sequence[str]:
        """Return words with commas between, each one of an `enumeration` of Java's."""
        found = [word.strip().upper() for word in (self.text(name) or "").split(",") if word]
        for word in found:
            if word not in allowed:
                raise invalid(name, f"No enum constant {enumeration}.{word}")
        return found

    def absolute(self, name: str) -> str | None:
        """Return an absolute path."""
        value = self.text(name)
        if value is not None and not value.startswith("/"):
            raise invalid(name, f'Invalid parameter value: {name} = "{value}" is not an absolute'
                                " path.")
        return value

    def _number(self, name: str, radix: int, least: int, most: int, kind: str) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        digits = "[0-7]" if radix == 8 else "[0-9]"  # noqa: PLR2004 - octal
        if not re.fullmatch(f"[+-]?{digits}{{1,19}}", value, re.ASCII):
            raise invalid(name, f'Failed to parse "{value}" as a radix-{radix} {kind}.')
        found = int(value, radix)
        if abs(found) > most:
            raise invalid(name, f'Failed to parse "{value}" as a radix-{radix} {kind}.')
        if found < least:
            raise invalid(name, f"Invalid parameter range: {name} = {found} < {least}")
        return found
