"""What every worker sees to about once a second: reports, aborts, lost jobs, those that wait.

One look through the jobs that are open tells all of it, so what there is to pay for is what there
is to do.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from app.core.auth_errors import WayUnavailable
from app.core.errors import StorageFault
from app.jobs.claiming import started
from app.jobs.record import Job, JobState
from app.jobs.runs import ABORTED, TAKEN_OVER, USER_CHANGED, USER_GONE, now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.fs.workers import Workers
    from app.jobs.claiming import Claiming
    from app.jobs.ledger import Ledger
    from app.jobs.running import Running
    from app.jobs.runs import Runs

MAX_TRIES = 5
"""So many workers may a job outlive without a step ahead: it may be what ends them."""
NODE_PATIENCE_MS = 24 * 3600 * 1000
"""How long a job waits for the one gateway that may run it."""
LOST = "the gateway's worker that ran the job ended before it was done"


class Upkeep:
    """Looks after the jobs; `open` is how many of each user it has seen that are not over."""

    def __init__(
        self, ledger: Ledger, runs: Runs, workers: Workers, claiming: Claiming,
    ) -> None:
        self.open: Counter[str] = Counter()
        self._ledger = ledger
        self._runs = runs
        self._workers = workers
        self._claiming = claiming
        self._patient_until = 0.0
        self._turn = count()
        self._turns: dict[str, int] = {}

    def beat(self) -> None:
        """Do it once. Raises StorageFault."""
        try:
            self._beat()
        except StorageFault:
            # Leases ran out meanwhile that their workers could not renew.
            self._patient_until = time.monotonic() + self._workers.lease
            raise

    def _beat(self) -> None:
        begun = self._runs.begun()
        jobs = self._ledger.open()
        self.open = Counter(job.user for job in jobs)
        stored = {job.id: job for job in jobs}
        for running in begun:
            self._look_after(running, stored.get(running.job.id))
        alive: dict[str, bool] = {}
        for at, job in enumerate(jobs):
            if job.state.over and not job.worker:
                self._ledger.put_away(job)
            elif job.worker and self._is_lost(job, alive):
                jobs[at] = self._recovered(job)
        self._take_up(_in_turn(jobs, self._turns))

    def _look_after(self, running: Running, stored: Job | None) -> None:
        """Write what a run reported, and end it where it is not to go on."""
        if stored is None or stored.token != running.job.token:
            running.end(TAKEN_OVER)
        elif stored.state.over and not running.job.state.over:
            running.end(ABORTED)
        try:
            principal = self._runs.principal_of(running.job)
        except WayUnavailable:
            principal = running.principal  # as far as is known
        if principal is None:
            running.end(USER_GONE)
        elif principal != running.principal:
            running.end(USER_CHANGED)
        job = running.unsaved()
        if job is not None:
            try:
                self._ledger.change(job.id, lambda stored: _reported(stored, job))
            except StorageFault:
                running.keep_unsaved()
                raise

    def _is_lost(self, job: Job, alive: dict[str, bool]) -> bool:
        """Tell whether the worker of a job is gone; `alive` keeps what is known of workers."""
        if job.worker == self._workers.own_id:
            return not self._runs.has(job)
        if job.worker not in alive:
            alive[job.worker] = (time.monotonic() < self._patient_until
                                 or self._workers.is_alive(job.worker))
        return not alive[job.worker]

    def _recovered(self, lost: Job) -> Job:
        """See that a job goes on, or is over with nothing left of it; return it as it is then."""
        kind = self._claiming.kinds.get(lost.kind)
        if kind is None:
            return lost
        if kind.resumable and not lost.state.over and lost.tries + 1 < MAX_TRIES:
            return self._claiming.change(lost, _queued_again) or lost
        if kind.undo is None or lost.tries >= MAX_TRIES:
            self._claiming.change(lost, lambda job: replace(_given_up(job), worker=""))
        elif self._claiming.takes(lost):
            self._claiming.claim(
                lost, lambda job: replace(_given_up(job), tries=job.tries + 1))
        return lost

    def _take_up(self, queued: list[Job]) -> None:
        """Run what waits, as far as there is room."""
        waiting = False
        for job in queued:
            if self._is_hopeless(job):
                self._claiming.change(job, _not_taken)
            elif self._claiming.takes(job):
                if not self._claiming.claim(job, started):
                    waiting = True
                    break
                self._turns[job.user] = next(self._turn)
        self._claiming.waiting = waiting

    def _is_hopeless(self, job: Job) -> bool:
        """Tell whether a job waits for a gateway that does not come."""
        return (job.node not in ("", self._claiming.node_id)
                and now() - job.created > NODE_PATIENCE_MS)


def _in_turn(jobs: Sequence[Job], turns: Mapping[str, int]) -> list[Job]:
    """Return the jobs that wait in the order of their turns; `jobs` are the oldest first.

    First those of whose user the fewest run or come before; of these, of the user whose last turn
    here was longest ago (`turns`).
    """
    before = Counter(job.user for job in jobs if job.state is JobState.RUNNING)
    waiting = []
    for job in jobs:
        if job.state is JobState.QUEUED:
            waiting.append((before[job.user], turns.get(job.user, -1), job))
            before[job.user] += 1
    return [job for *_, job in sorted(waiting, key=lambda one: one[:2])]


def _reported(stored: Job, job: Job) -> Job:
    return job if stored.token == job.token and stored.state is job.state else stored


def _queued_again(job: Job) -> Job:
    return replace(job.rewound(), tries=job.tries + 1)


def _given_up(job: Job) -> Job:
    return job if job.state.over else job.ending(JobState.FAILED, now(), LOST)


def _not_taken(job: Job) -> Job:
    return job.ending(JobState.FAILED, now(), f"gateway {job.node} did not take the job up")
