"""Path rules as files and commands have them: lists of patterns by what they do.

rules:
  allow: [/data/team, "/user/{user}"]    # to read and to write
  allow_read: [/warehouse]
  deny: ["**/secret"]                    # a denial always wins
  deny_write: [/data/team/archive]       # also allow_write, deny_read

Where there is any list of what is allowed, all else is not. `app.core.path_globs` has the patterns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from app.core.path_globs import Glob, parse
from app.core.path_rules import Layer

MAX_PATTERNS = 200
"""Of one list; each costs every request of its users a little."""


class RuleTexts(NamedTuple):
    """The lists; None where there is no such list."""

    allow: tuple[str, ...] | None = None
    allow_read: tuple[str, ...] | None = None
    allow_write: tuple[str, ...] | None = None
    deny: tuple[str, ...] | None = None
    deny_read: tuple[str, ...] | None = None
    deny_write: tuple[str, ...] | None = None

    def layer(self, user: str, hadoop_user: str) -> Layer:
        """Return the rules of one user. Raises ValueError."""
        words = {"user": user, "hadoop_user": hadoop_user}

        def globs(*lists: tuple[str, ...] | None) -> tuple[Glob, ...]:
            return tuple(parse(text, words) for each in lists for text in each or ())

        return Layer(
            (globs(self.allow, self.allow_read), globs(self.allow, self.allow_write)),
            (globs(self.deny, self.deny_read), globs(self.deny, self.deny_write)),
            (self.allow, self.allow_read, self.allow_write) != (None, None, None))


def check_rules(given: Any) -> RuleTexts:
    """Take a map of lists. Raises ValueError with a reason."""
    if not isinstance(given, Mapping):
        raise ValueError(f"{given!r} is not a map of {', '.join(RuleTexts._fields)}")  # noqa: TRY004
    for key in given:
        if key not in RuleTexts._fields:
            raise ValueError(f"unknown key {key!r}; known are {', '.join(RuleTexts._fields)}")
    return RuleTexts(**{key: _patterns(key, texts) for key, texts in given.items()})


def _patterns(key: str, texts: Any) -> tuple[str, ...]:
    if not isinstance(texts, list) or len(texts) > MAX_PATTERNS:
        raise ValueError(f"{key}: not a list of at most {MAX_PATTERNS} patterns")
    for text in texts:
        if not isinstance(text, str):
            raise ValueError(f"{key}: {text!r} is not text; put it in quotes")  # noqa: TRY004
        try:
            parse(text)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None
    return tuple(texts)
