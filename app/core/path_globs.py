r"""Globs over HDFS paths, matched in time linear in the path: a bit for each place in the pattern.

/data/team      this path and, as with every pattern, all below it
/data/*/in      `*` is any run of characters of one name, `?` is one character
/data/**/tmp    `**` as a whole name is any number of names, none too
**/secret       is `/**/secret`
/user/{user}    the gateway user's name; `{hadoop_user}`: whom HDFS sees
\*  \?  \{  \\  the character itself

Names are compared as HDFS has them, character by character, upper and lower case apart. A `:`
stands for the character that object keys with a colon have in HDFS, whose names have none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.core.objects import COLON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_CHARS = 1000
_ANY = "**"
_ESCAPED = "*?{}\\"


@dataclass(frozen=True, slots=True)
class NamePattern:
    """One name with `*` or `?`: bit `i` of a state is set when its first `i` places have matched.

    `takes` has the places that take a character, `others` those that take any but these; `stars`
    the places of `*`.
    """

    takes: tuple[tuple[str, int], ...]
    others: int
    stars: int
    end: int

    def matches(self, name: str) -> bool:
        """Tell whether the whole name matches; costs a few operations for each character."""
        takes, stars = dict(self.takes), self.stars
        state = 1 | (1 & stars) << 1
        for char in name:
            state = (state & takes.get(char, self.others)) << 1 | state & stars
            state |= (state & stars) << 1
            if not state:
                return False
        return bool(state & self.end)


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern. States of a match are ints with a bit for each place; 0: nothing more can match.

    `names` has a NamePattern, a name as it is, or `**`.
    """

    names: tuple[NamePattern | str | None, ...]
    _any: int = field(init=False, repr=False, compare=False)
    _plain: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _wild: tuple[tuple[NamePattern, int], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find the places of each name, so that a step looks at each but once."""
        places: dict[NamePattern | str | None, int] = {}
        for place, name in enumerate(self.names):
            places[name] = places.get(name, 0) | 1 << place
        object.__setattr__(self, "_any", places.pop(None, 0))
        object.__setattr__(self, "_plain", {
            name: bits for name, bits in places.items() if isinstance(name, str)})
        object.__setattr__(self, "_wild", tuple(
            (name, bits) for name, bits in places.items() if isinstance(name, NamePattern)))

    @property
    def begin(self) -> int:
        """The state at `/`."""
        return self._closed(1)

    @property
    def places(self) -> int:
        """How many places can be under way at once: what a name costs at most."""
        return len(self.names) - self.names.index(None) if None in self.names else 1

    def step(self, state: int, name: str) -> int:
        """Return the state after one more name. What has matched stays so for all below."""
        if not state or state >> len(self.names):
            return state
        after = state & self._any | (state & self._plain.get(name, 0)) << 1
        for pattern, bits in self._wild:
            if state & bits and pattern.matches(name):
                after |= (state & bits) << 1
        return self._closed(after)

    def run(self, names: Sequence[str]) -> int:
        """Return the state after these names."""
        state = self.begin
        for name in names:
            if not state or state >> len(self.names):
                break
            state = self.step(state, name)
        return state

    def covers(self, state: int) -> bool:
        """Tell whether the path of this state, and so all below it, matches."""
        return bool(state >> len(self.names))

    def below(self, directory: str) -> Glob:
        """Return what matches in `directory`, an absolute path, what this does in `/`."""
        return Glob((*filter(None, directory.split("/")), *self.names))

    def floats(self, state: int) -> bool:
        """Tell whether only what may lie anywhere below (`**`) could match from here on."""
        return all(self.names[place] is None or (place > 0 and self.names[place - 1] is None)
                   for place in range(len(self.names)) if state >> place & 1)

    def _closed(self, state: int) -> int:
        # No two `**` stand side by side.
        return state | (state & self._any) << 1


def parse(text: str, words: Mapping[str, str] | None = None) -> Glob:
    """Return the glob that `text` is; `words` stand for `{…}`. Raises ValueError with a reason.

    Without `words` any of the two known is taken, as a name that nothing has.
    """
    if len(text) > MAX_CHARS:
        raise ValueError(f"a pattern has at most {MAX_CHARS} characters")
    if text.startswith("**/") or text == _ANY:
        text = f"/{text}"
    if not text.startswith("/"):
        raise ValueError(f"{text!r} begins neither with '/' nor with '**/'")
    known = {"user": "", "hadoop_user": ""} if words is None else words
    names: list[NamePattern | str | None] = []
    for part in text[1:].split("/") if text != "/" else ():
        name = None if part == _ANY else _name(part, text, known)
        if name is not None or names[-1:] != [None]:
            names.append(name)
    while names[-1:] == [None]:
        names.pop()  # what matches a directory matches all in it
    return Glob(tuple(names))


def _name(part: str, text: str, words: Mapping[str, str]) -> NamePattern | str:
    if part in ("", ".", ".."):
        raise ValueError(f"{text!r} has an empty name, '.' or '..' in it")
    if _ANY in part:
        raise ValueError(f"{text!r}: '**' stands for whole names only")
    places = _places(part, text, words)
    if all(isinstance(place, str) for place in places):
        return "".join(place for place in places if isinstance(place, str))
    return _compiled(places)


_ONE, _STAR = None, True
"""The places of `?` and `*`; others are the character that they take."""


def _places(part: str, text: str, words: Mapping[str, str]) -> list[str | bool | None]:
    places: list[str | bool | None] = []
    rest = part
    while rest:
        char, rest = rest[0], rest[1:]
        if char == "\\":
            if not rest or rest[0] not in _ESCAPED:
                raise ValueError(f"{text!r}: '\\' stands before one of {' '.join(_ESCAPED)}")
            char, rest = rest[0], rest[1:]
            places.append(char)
        elif char in "{}":
            word, brace, rest = rest.partition("}")
            if char == "}" or not brace or word not in words:
                raise ValueError(f"{text!r}: known are {{user}} and {{hadoop_user}}; write '\\{{'"
                                 " for a brace")
            places.extend(words[word].replace(":", COLON))
        else:
            places.append({"*": _STAR, "?": _ONE, ":": COLON}.get(char, char))
    return places


def _compiled(places: Sequence[str | bool | None]) -> NamePattern:
    takes: dict[str, int] = {}
    stars = others = 0
    for index, place in enumerate(places):
        if place is _STAR:
            stars |= 1 << index
        elif place is _ONE:
            others |= 1 << index
        else:
            takes[str(place)] = takes.get(str(place), 0) | 1 << index
    return NamePattern(tuple((char, bits | others) for char, bits in sorted(takes.items())),
                       others, stars, 1 << len(places))
