"""What one client knows of its names: what it was told, and what may be so because it was not.

Nobody else touches the names of a client. A name has the contents that it may have; an answer
leaves one, a call without an answer those from before and after it. What was asked for without an
answer may still happen later: such a name is read and never written again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from chaos.content import is_content

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chaos.content import Content

Possible = tuple["Content | None", ...]
"""The contents that a name may have; None: nothing is there."""
ABSENT: Possible = (None,)


class Move(NamedTuple):
    """A rename without an answer: exactly one of its names is there."""

    source: str
    destination: str


class Finding(NamedTuple):
    """A name that does not have what it must have."""

    name: str
    verdict: str
    detail: str


@dataclass
class Ledger:
    """The names of one client; `names` has all that it ever used."""

    names: dict[str, Possible] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    _former: dict[str, list[Content]] = field(default_factory=dict)
    _loose: set[str] = field(default_factory=set)

    def settled(self) -> dict[str, Content]:
        """Return the names that certainly are there, with their contents."""
        return {name: possible[0] for name, possible in self.names.items()
                if name not in self._loose and len(possible) == 1 and possible[0] is not None}

    def loose(self) -> list[str]:
        """Return the names of which not all is known."""
        return sorted(self._loose)

    def possible(self, name: str) -> Possible:
        """Return what a name may have."""
        return self.names.get(name, ABSENT)

    def settle(self, name: str, content: Content | None) -> None:
        """Note what a name has, as an answer said."""
        for former in self.possible(name):
            if former is not None:
                self._former.setdefault(name, []).append(former)
        self.names[name] = (content,)

    def loosen(self, name: str, more: Iterable[Content | None]) -> None:
        """Note what else a name may have, now or later."""
        self.names[name] = tuple(dict.fromkeys((*self.possible(name), *more)))
        self._loose.add(name)

    def allows(self, name: str, found: bytes | None) -> bool:
        """Tell whether a name may have this."""
        return any(found is None if content is None
                   else found is not None and is_content(found, content)
                   for content in self.possible(name))

    def judge(self, name: str, found: bytes | None) -> Finding | None:
        """Return what is wrong with what a name has, None where nothing is."""
        if self.allows(name, found):
            return None
        if found is None:
            return Finding(name, "lost", "not there")
        if any(is_content(found, content) for content in self._former.get(name, ())):
            return Finding(name, "lost", "an older content than the one acknowledged")
        return Finding(name, "half-written", f"{len(found)} bytes that nobody wrote so")
