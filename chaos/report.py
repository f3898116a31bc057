"""What a run has shown, as a table of counts."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaos.judge import Verdict
    from chaos.rounds import Round
    from chaos.tally import Tally

SHOWN = 20


def report(seed: str, rounds: Sequence[Round], tally: Tally, verdict: Verdict) -> str:
    """Return the counts, and what is wrong where something is."""
    lines = [f"seed {seed}", f"rounds {len(rounds)}", *_faults(rounds, tally),
             f"operations {sum(tally.operations.values())}",
             *(f"  {kind} {count}" for kind, count in sorted(tally.operations.items())),
             f"acknowledged writes {tally.acknowledged}",
             f"ambiguous {tally.ambiguous}",
             f"turned away {tally.refused}",
             *_list("wrong answers", tally.wrong),
             *_list("lost", verdict.lost),
             *_list("half-written", verdict.half_written),
             *_list("leftovers", verdict.leftovers)]
    return "\n".join(lines)


def _faults(rounds: Sequence[Round], tally: Tally) -> list[str]:
    lines = []
    for fault, count in sorted(Counter(one.fault for one in rounds).items()):
        firsts = [one.first_write for one in rounds if one.fault == fault]
        alls = [one.all_clients for one in rounds if one.fault == fault]
        lines.append(
            f"  {fault} {count}: served after {median(firsts):.1f} s (at most {max(firsts):.1f}),"
            f" all clients after {median(alls):.1f} s (at most {max(alls):.1f});"
            f" failed: {tally.failures[f'{fault}: read']} reads,"
            f" {tally.failures[f'{fault}: write']} writes")
    quiet = tally.failures["quiet: read"], tally.failures["quiet: write"]
    return [*lines, f"  in between failed: {quiet[0]} reads, {quiet[1]} writes"]


def _list(what: str, found: Sequence[object]) -> list[str]:
    return [f"{what} {len(found)}", *(f"  {one}" for one in found[:SHOWN])]
