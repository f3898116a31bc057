r"""Regular expressions of strangers, matched in time that grows with the text and not beyond.

Python's `re` tries one way after the other, and a pattern like `(a*)*b` has it try for years. Here
all ways are followed at once (K. Thompson, "Regular Expression Search Algorithm", 1968). The
language is that of POSIX's extended expressions, and \d \w \s and their opposites: no
back-references, no looking around.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from app.core.errors import InvalidParameter

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_PATTERN = 256
MAX_STEPS = 500
"""So many steps may a pattern have once its counted repetitions are written out."""
_MAX_DEPTH = 30
_COUNT = re.compile(r"\{([0-9]{1,3})(,([0-9]{1,3})?)?\}")
_SET = re.compile(r"\[\^?\]?(?:\[:[a-z]+:\]|\\.|[^\]\\])*\]", re.DOTALL)
_IN_SET = re.compile(r"\[:([a-z]+):\]|\\.|[\[&|~]", re.DOTALL)
_CLASSES = {"alnum": r"a-zA-Z0-9", "alpha": "a-zA-Z", "digit": "0-9", "lower": "a-z",
            "upper": "A-Z", "space": r"\s", "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9A-Fa-f"}


class _Step(NamedTuple):
    """`kind` is take (a character that `accepts`), fork, begin, end or match; `ways` lead on."""

    kind: str
    ways: tuple[int, ...] = ()
    accepts: Callable[[str], object] | None = None


class Pattern:
    """A compiled pattern."""

    def __init__(self, steps: list[_Step], start: int) -> None:
        self._steps = steps
        self._start = start

    def search(self, text: str) -> bool:
        """Tell whether the pattern matches anywhere in `text`."""
        here: set[int] = set()
        for place in range(len(text) + 1):
            at = place == 0, place == len(text)
            reached: set[int] = set()
            if self._follow({*here, self._start}, *at, into=reached):
                return True
            if place < len(text):
                here = {way for number in reached
                        if (step := self._steps[number]).accepts and step.accepts(text[place])
                        for way in step.ways}
        return False

    def _follow(self, first: set[int], begins: bool, ends: bool, into: set[int]) -> bool:
        """Put all that can be reached without a character into `into`; True on a match."""
        left = list(first)
        while left:
            number = left.pop()
            if number in into:
                continue
            into.add(number)
            step = self._steps[number]
            if step.kind == "match":
                return True
            if step.kind == "fork" or (step.kind == "begin" and begins) or (
                    step.kind == "end" and ends):
                left += step.ways
        return False


def compiled(text: str, parameter: str = "regex") -> Pattern:
    """Return the pattern in `text`; `parameter` is what an error calls it.

    Raises InvalidParameter.
    """
    if len(text) > MAX_PATTERN:
        raise InvalidParameter(parameter, text, f"at most {MAX_PATTERN} characters")
    compiler = _Compiler(text)
    try:
        last = compiler.add("match")
        start = compiler.whole(last)
    except ValueError as error:
        raise InvalidParameter(parameter, text, f"a POSIX extended regular expression: {error}"
                               ) from None
    return Pattern(compiler.steps, start)


class _Compiler:
    """Reads a pattern into steps, from its end to its beginning where they are joined.

    A part of it is a function: it gets the step that comes after it, and returns its first one.
    """

    def __init__(self, text: str) -> None:
        self.steps: list[_Step] = []
        self._text = text
        self._place = 0
        self._depth = 0

    def add(self, kind: str, ways: tuple[int, ...] = (),
            accepts: Callable[[str], object] | None = None) -> int:
        if len(self.steps) >= MAX_STEPS:
            raise ValueError("it is too large")
        self.steps.append(_Step(kind, ways, accepts))
        return len(self.steps) - 1

    def whole(self, last: int) -> int:
        part = self._choice()
        if self._place < len(self._text):
            raise ValueError("a ')' without its '('")
        return part(last)

    def _peek(self) -> str:
        return self._text[self._place:self._place + 1]

    def _choice(self) -> Callable[[int], int]:
        parts = [self._sequence()]
        while self._peek() == "|":
            self._place += 1
            parts.append(self._sequence())
        if len(parts) == 1:
            return parts[0]
        return lambda after: self.add("fork", tuple(part(after) for part in parts))

    def _sequence(self) -> Callable[[int], int]:
        parts: list[Callable[[int], int]] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated())

        def build(after: int) -> int:
            for part in reversed(parts):
                after = part(after)
            return after

        return build

    def _repeated(self) -> Callable[[int], int]:
        part = self._single()
        while True:
            bounds = self._bounds()
            if bounds is None:
                return part
            part = self._times(part, *bounds)

    def _bounds(self) -> tuple[int, int | None] | None:
        """Return how often what stands before is repeated, None where that is not said."""
        sign = self._peek()
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        if sign in simple:
            self._place += 1
            return simple[sign]
        if sign != "{":
            return None
        found = _COUNT.match(self._text, self._place)
        if not found:
            raise ValueError("a '{' that begins no count")
        self._place = found.end()
        least = int(found[1])
        most = int(found[3]) if found[3] else None if found[2] else least
        if most is not None and most < least:
            raise ValueError("a count that ends before it begins")
        return least, most

    def _times(
        self, part: Callable[[int], int], least: int, most: int | None,
    ) -> Callable[[int], int]:
        def build(after: int) -> int:
            if most is None:
                loop = self.add("fork")
                self.steps[loop] = _Step("fork", (part(loop), after))
                after = loop
            else:
                end = after
                for _ in range(most - least):
                    after = self.add("fork", (part(after), end))
            for _ in range(least):
                after = part(after)
            return after

        return build

    def _single(self) -> Callable[[int], int]:
        sign = self._peek()
        self._place += 1
        match sign:
            case "(":
                return self._group()
            case "^":
                return lambda after: self.add("begin", (after,))
            case "$":
                return lambda after: self.add("end", (after,))
            case "*" | "+" | "?" | "{":
                raise ValueError(f"nothing before '{sign}'")
        return self._taking(self._acceptor(sign))

    def _group(self) -> Callable[[int], int]:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ValueError("it is too deep")
        part = self._choice()
        if self._peek() != ")":
            raise ValueError("a '(' without its ')'")
        self._place += 1
        self._depth -= 1
        return part

    def _taking(self, accepts: Callable[[str], object]) -> Callable[[int], int]:
        return lambda after: self.add("take", (after,), accepts)

    def _acceptor(self, sign: str) -> Callable[[str], object]:
        """Return what tells whether one character is taken."""
        if sign == ".":
            return lambda _: True
        if sign == "[":
            return self._set()
        if sign == "\\":
            sign = self._peek()
            self._place += 1
            if sign in tuple("dDwWsS"):
                return re.compile(f"\\{sign}", re.ASCII).fullmatch
            if not sign or sign.isalnum():
                raise ValueError("a '\\' before what needs none")
        return sign.__eq__

    def _set(self) -> Callable[[str], object]:
        """Return the test of a set; Python's own knows all there is to it, one character a time."""
        found = _SET.match(self._text, self._place - 1)
        if not found:
            raise ValueError("a '[' without its ']'")
        self._place = found.end()
        inner = _IN_SET.sub(_in_set, found[0][1:-1])
        try:
            return re.compile(f"[{inner}]", re.ASCII).fullmatch
        except (re.error, FutureWarning):
            raise ValueError("a set that cannot be read") from None


def _in_set(found: re.Match[str]) -> str:
    """Return for Python what stands in a set."""
    if found[1] is None:
        return found[0] if found[0].startswith("\\") else f"\\{found[0]}"
    if found[1] not in _CLASSES:
        raise ValueError(f"no such class: {found[1]}")
    return _CLASSES[found[1]]
