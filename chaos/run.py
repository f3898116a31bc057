"""One run: the world starts, clients work, faults come, and all is judged."""

from __future__ import annotations

import random
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from chaos.faults import FAULTS
from chaos.file_client import FileClient
from chaos.judge import Verdict, judge, unexpected
from chaos.report import report
from chaos.rounds import Round, Rounds
from chaos.s3_client import S3Client
from chaos.stream_client import StreamClient
from chaos.tally import Tally
from chaos.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from chaos.client import Client

MIX: tuple[type[Client], ...] = (
    FileClient, S3Client, FileClient, StreamClient, FileClient, S3Client, FileClient, S3Client)
"""Whom every eight clients are."""
END_SECONDS = 200.0


@dataclass(frozen=True)
class Plan:
    """What a run is to do; `minutes` are those under load."""

    seed: str
    minutes: float = 5.0
    clients: int = 32
    kinds: Sequence[str] = tuple(FAULTS)
    rounds: int = 10_000


class Result(NamedTuple):
    """What came of a run."""

    rounds: list[Round]
    tally: Tally
    verdict: Verdict
    text: str

    @property
    def is_right(self) -> bool:
        """Whether every promise was kept."""
        return not (self.tally.wrong or any(self.verdict))


def run(plan: Plan, directory: Path) -> Result:
    """Do what is planned, with all data in `directory`.

    Raises AssertionError where service did not come back.
    """
    with World(directory) as world, (directory / "failures.log").open("w") as log:
        tally = Tally(log)
        clients = [MIX[i % len(MIX)](i, world.door, plan.seed, tally)
                   for i in range(plan.clients)]
        for client in clients:
            world.make_directory(client.path("")[:-1])
        rounds = Rounds(world, clients, tally, random.Random(plan.seed))
        for client in clients:
            client.start()
        try:
            rounds.run(plan.kinds, time.monotonic() + plan.minutes * 60, plan.rounds)
        except AssertionError:
            print(*tally.wrong, sep="\n", file=sys.stderr)
            raise
        finally:
            _finish(clients)
        print("judging", file=sys.stderr, flush=True)
        verdict = judge(world, clients)
        for what in unexpected(world.gateway.logged()):
            tally.saw_wrong(f"in the gateway's log: {what}")
        return Result(rounds.done, tally, verdict,
                      report(plan.seed, rounds.done, tally, verdict))


def _finish(clients: Sequence[Client]) -> None:
    for client in clients:
        client.finish()
    ends = time.monotonic() + END_SECONDS
    for client in clients:
        client.join(max(0.0, ends - time.monotonic()))
        assert not client.is_alive(), f"{client.name}: a call without an end"
