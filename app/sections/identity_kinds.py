"""Kinds of values that say how what a directory, a token or a certificate tells becomes a user."""

from __future__ import annotations

import re
from typing import Any

from app.setting_types import Words

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/-]{0,63}")
_ROLE = re.compile(r"[a-z][a-z0-9_-]{0,63}")


class Secret(str):
    """A text that shows itself nowhere: `repr` says only that there is one."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Show no secret: this may end in a log."""
        return "'…'" if self else "''"


class SecretText:
    """A secret; better given by the environment variable than in the file."""

    allowed = "text"

    def parse(self, given: Any) -> Secret:
        """Take text; what it was is never part of an error."""
        if not isinstance(given, str):
            raise ValueError("what was given is not text; put it in quotes")  # noqa: TRY004
        return Secret(given)


class Matching:
    """A text that matches a pattern."""

    def __init__(self, allowed: str, pattern: str) -> None:
        self.allowed = allowed
        self._pattern = re.compile(pattern)

    def parse(self, given: Any) -> str:
        """Take text that matches."""
        if not isinstance(given, str) or not self._pattern.fullmatch(given):
            raise ValueError(f"{given!r} is not {self.allowed}")
        return given


class Template:
    """A text with placeholders like `{uid}`."""

    def __init__(self, *, empty: bool = False, absolute: bool = False) -> None:
        self._empty = empty
        self._absolute = absolute
        self.allowed = ("a path with `{placeholders}`" if absolute
                        else "text with `{placeholders}`") + (", or empty" if empty else "")

    def parse(self, given: Any) -> str:
        """Take text whose braces are those of placeholders."""
        text = "" if self._empty and given in ("", None) else given
        if not isinstance(text, str) or not (text or self._empty):
            raise ValueError(f"{given!r} is not {self.allowed}")
        for name in placeholders(text):
            if not _NAME.fullmatch(name):
                raise ValueError(f"'{{{name}}}' in {given!r} is no placeholder")
        if set("{}") & set(_PLACEHOLDER.sub("", text)):
            raise ValueError(f"{given!r} has a brace that is not of a placeholder")
        if self._absolute and text and not text.startswith("/"):
            raise ValueError(f"{given!r} does not start with '/'")
        return text


class Lines:
    """A list of texts; those of an environment variable are separated by `;`."""

    allowed = "a list of texts"

    def parse(self, given: Any) -> tuple[str, ...]:
        """Take a list of texts that are not empty."""
        items = given.split(";") if isinstance(given, str) else given
        if not isinstance(items, list | tuple) or not all(isinstance(one, str) for one in items):
            raise ValueError(f"{given!r} is not {self.allowed}")
        taken = tuple(item.strip() for item in items)
        if not isinstance(given, str) and "" in taken:
            raise ValueError(f"{given!r} has an empty text in it")
        return tuple(item for item in taken if item)


class Pairs(Lines):
    """A list of `one=other`, where the last `=` is the one between."""

    def __init__(self, allowed: str, right: re.Pattern[str]) -> None:
        self.allowed = allowed
        self._right = right

    def parse(self, given: Any) -> tuple[str, ...]:
        """Take what has something on the left and what is allowed on the right."""
        items = super().parse(given)
        for item in items:
            left, _, right = item.rpartition("=")
            if not left.strip() or not self._right.fullmatch(right.strip()):
                raise ValueError(f"{item!r} is not of {self.allowed}")
        return items


class GroupRoles(Pairs):
    """A list of groups with a role each: `group=role`."""

    def __init__(self) -> None:
        super().__init__("a list of `group=role`, roles in small letters", _ROLE)


class WayNames(Words):
    """Names of ways to prove who one is, each at most once."""

    def __init__(self, *names: str) -> None:
        super().__init__(
            "a list of " + ", ".join(f"`{name}`" for name in names), "|".join(names))

    def parse(self, given: Any) -> tuple[str, ...]:
        """Take a list with one name at least, and none twice."""
        items = super().parse(given)
        if not items or len(set(items)) < len(items):
            raise ValueError(f"{given!r} is not {self.allowed}, one at least and none twice")
        return items


def placeholders(template: str) -> list[str]:
    """Return the names between braces."""
    return _PLACEHOLDER.findall(template)


def pair(text: str) -> tuple[str, str]:
    """Return both sides of one of `Pairs`."""
    left, _, right = text.rpartition("=")
    return left.strip(), right.strip()
