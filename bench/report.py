"""From rounds of figures to medians, ratios, targets and a table."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Figures = dict[str, float]
"""One round's figures of one party, by their names."""


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the values lie (nearest rank)."""
    if not values:
        return float("nan")
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class Spread(NamedTuple):
    """A median and the least and greatest value around it."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        if self.least == self.most:
            return shown(self.median)
        return f"{shown(self.median)} ({shown(self.least)} to {shown(self.most)})"


def spread(values: Iterable[float]) -> Spread:
    """Return the spread of some values."""
    found = list(values)
    return Spread(statistics.median(found), min(found), max(found))


def shown(value: float) -> str:
    """Return a number with as many digits as mean something."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


@dataclass
class Results:
    """The rounds of one measurement: for each party a list of figures, one a round."""

    title: str
    rounds: dict[str, list[Figures]] = field(default_factory=dict)

    def add(self, party: str, figures: Figures) -> None:
        """Add a round of a party."""
        self.rounds.setdefault(party, []).append(figures)

    def names(self) -> list[str]:
        """Return the names of all figures, in the order in which they were first told."""
        told = [figures for rounds in self.rounds.values() for figures in rounds]
        return list(dict.fromkeys(name for figures in told for name in figures))

    def of(self, party: str, name: str) -> Spread | None:
        """Return a figure of a party over the rounds, None where the party has none such."""
        values = [figures[name] for figures in self.rounds.get(party, []) if name in figures]
        return spread(values) if values else None

    def ratio(self, name: str, other: str) -> Spread | None:
        """Return the gateway's figure as a share of another's, round by round."""
        pairs = zip(self.rounds.get("gateway", []), self.rounds.get(other, []), strict=True)
        values = [ours[name] / theirs[name] for ours, theirs in pairs
                  if theirs.get(name) and name in ours]
        return spread(values) if values else None


@dataclass(frozen=True)
class Target:
    """What the gateway should reach: a figure, or (with `against`) its ratio to another's."""

    bench: str
    name: str
    bound: float
    against: str = ""
    at_most: bool = False

    def verdict(self, results: Results) -> str:
        """Return one line: what is wanted, what was measured, and whether that is met."""
        found = (results.ratio(self.name, self.against) if self.against
                 else results.of("gateway", self.name))
        wanted = f"{'at most' if self.at_most else 'at least'} {shown(self.bound)}"
        what = self.name + (f", as a share of {self.against}'s" if self.against else "")
        if found is None:
            return f"| {what} | {wanted} | not measured | MISS |"
        met = found.median <= self.bound if self.at_most else found.median >= self.bound
        return f"| {what} | {wanted} | {found} | {'met' if met else 'MISS'} |"


def table(results: Results, parties: Sequence[str]) -> list[str]:
    """Return the rows of a Markdown table: ratios first, then each party's own figures."""
    others = [party for party in parties if party != "gateway"]
    header = [*(f"gateway / {party}" for party in others), *parties]
    lines = [f"| {results.title} | {' | '.join(header)} |",
             "|" + " --- |" * (len(header) + 1)]
    for name in results.names():
        cells = [results.ratio(name, other) for other in others]
        cells += [results.of(party, name) for party in parties]
        lines.append(f"| {name} | {' | '.join(str(cell or '') for cell in cells)} |")
    return lines
