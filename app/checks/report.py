"""What a check found: each finding is right, worth a look, or wrong with a way to mend it."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class State(Enum):
    """How a thing is."""

    RIGHT = "ok"
    NOTE = "note"
    WRONG = "WRONG"


class Finding(NamedTuple):
    """One finding about one subject; `mend` are lines that say what to do, or nothing."""

    state: State
    about: str
    said: str
    mend: str = ""


class Report:
    """Takes findings, and tells each at once to who listens."""

    def __init__(self, tell: Callable[[Finding], object] = lambda _: None) -> None:
        self.findings: list[Finding] = []
        self._tell = tell

    def right(self, about: str, said: str) -> None:
        """Note what is as it should be."""
        self._add(Finding(State.RIGHT, about, said))

    def note(self, about: str, said: str, mend: str = "") -> None:
        """Note what works and may not be meant."""
        self._add(Finding(State.NOTE, about, said, mend))

    def wrong(self, about: str, said: str, mend: str = "") -> None:
        """Note what does not work."""
        self._add(Finding(State.WRONG, about, said, mend))

    def count(self, state: State) -> int:
        """Return how many findings are of this state."""
        return sum(finding.state is state for finding in self.findings)

    def _add(self, finding: Finding) -> None:
        self.findings.append(finding)
        self._tell(finding)
