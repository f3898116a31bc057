"""Fields of the JSON that a client sends, read strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core.errors import InvalidParameter, MissingParameter

if TYPE_CHECKING:
    from collections.abc import Mapping

_FLAGS = {"true": True, "false": False, "1": True, "0": False}


class Fields:
    """The members of one JSON object; null counts as absent, unknown members are ignored.

    Every method raises InvalidParameter with the member's name, its value and what is allowed.
    """

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._members = members

    def has(self, *names: str) -> bool:
        """Tell whether one of these members is there."""
        return any(self._members.get(name) is not None for name in names)

    def text(self, *names: str, default: str = "") -> str:
        """Return the first of these members that is there, a string."""
        name, value = self._first(names)
        if value is None:
            return default
        if not isinstance(value, str):
            raise InvalidParameter(name, str(value), "a string")
        return value

    def text_or_number(self, *names: str) -> str:
        """Return a string, or an integer in digits; "" where there is none."""
        _, value = self._first(names)
        number = isinstance(value, int) and not isinstance(value, bool)
        return str(value) if number else self.text(*names)

    def required(self, *names: str) -> str:
        """Return a string that must be there and not be empty. Raises MissingParameter."""
        value = self.text(*names)
        if not value:
            raise MissingParameter(names[0], "a string")
        return value

    def integer(self, *names: str, default: int = 0, least: int = 0, most: int = 2**63) -> int:
        """Return an integer, given as a number or in digits, within the bounds."""
        name, value = self._first(names)
        if value is None or value == "":
            return default
        allowed = f"an integer from {least} to {most}"
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise InvalidParameter(name, str(value), allowed)
        text = str(value)
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= 20  # noqa: PLR2004
                and least <= int(text) <= most):
            raise InvalidParameter(name, text, allowed)
        return int(text)

    def flag(self, *names: str, default: bool = False) -> bool:
        """Return a truth value, given as such or in words."""
        name, value = self._first(names)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        found = _FLAGS.get(str(value).lower())
        if found is None:
            raise InvalidParameter(name, str(value), "true or false")
        return found

    def texts(self, *names: str) -> list[str]:
        """Return an array of strings, [] where there is none."""
        name, value = self._first(names)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise InvalidParameter(name, str(value), "an array of strings")
        return value

    def is_object(self, *names: str) -> bool:
        """Tell whether a member is there and an object, not text or a list."""
        return isinstance(self._first(names)[1], dict)

    def inner(self, *names: str) -> Fields:
        """Return the members of an object, none where it is absent."""
        return Fields(self.members(*names))

    def members(self, *names: str) -> dict[str, Any]:
        """Return an object as it was sent, {} where it is absent."""
        name, value = self._first(names)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise InvalidParameter(name, str(value), "an object")
        return value

    def _first(self, names: tuple[str, ...]) -> tuple[str, Any]:
        for name in names:
            if self._members.get(name) is not None:
                return name, self._members[name]
        return names[0], None
