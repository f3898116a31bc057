"""Which jobs this process runs: each is claimed in one step, as it was seen, with a new token."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from app.core.auth_errors import WayUnavailable
from app.jobs.record import Job, JobState
from app.jobs.runs import now

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.fs.workers import Workers
    from app.jobs.ledger import Ledger
    from app.jobs.runs import Kind, Runs


class Claiming:
    """Takes up to `at_once` jobs of its `kinds`: those for `node_id`, others where it `may_run`.

    `waiting` says that jobs were seen to wait for room here; who comes now is not to overtake them.
    """

    def __init__(
        self, ledger: Ledger, runs: Runs, workers: Workers, *, at_once: int, node_id: str,
        may_run: Callable[[], bool],
    ) -> None:
        self.kinds: dict[str, Kind] = {}
        self.node_id = node_id
        self.retired = False
        self.waiting = False
        self._ledger = ledger
        self._runs = runs
        self._workers = workers
        self._at_once = at_once
        self._may_run = may_run

    def takes(self, job: Job) -> bool:
        """Tell whether a job is one for this process."""
        kind = self.kinds.get(job.kind)
        if self.retired or kind is None:
            return False
        waits = job.state is JobState.QUEUED  # others are lost: what they left is removed at once
        if waits and kind.at_once and self._runs.count(job.kind) >= kind.at_once:
            return False
        return job.node == self.node_id if job.node else self._may_run()

    def add(self, job: Job) -> Job:
        """Write a new job, and run it here if it may and there is room; return it as written."""
        own = replace(started(job), worker=self._workers.own_id, token=secrets.token_hex(8))
        here = (not self.waiting and self.takes(job)
                and self._runs.reserve(job, own.token, self._at_once))
        try:
            self._ledger.add(own if here else job)
        except BaseException:
            if here:
                self._runs.release(job.id)
            raise
        if not here:
            return job
        self._runs.launch(own, self.kinds[job.kind])
        return own

    def claim(self, seen: Job, change: Callable[[Job], Job]) -> bool:
        """Run a job here, unless another worker is faster; tell whether there was room.

        `change` makes the job that runs of the one that was seen; one that is over is undone. One
        whose user cannot be asked for now is left for later.
        """
        try:
            self._runs.principal_of(seen)
        except WayUnavailable:
            return True
        token = secrets.token_hex(8)
        if not self._runs.reserve(seen, token, self._at_once):
            return False
        mine = None
        try:
            claimed = self.change(seen, lambda job: replace(
                change(job), worker=self._workers.own_id, token=token))
            if claimed is not None and claimed.token == token:
                mine = self._ledger.with_spec(claimed)
        finally:
            if mine is None:
                self._runs.release(seen.id)
        if mine is not None:
            self._runs.launch(mine, self.kinds[mine.kind])
        return True

    def change(self, seen: Job, change: Callable[[Job], Job]) -> Job | None:
        """Change a job that is still as it was seen; return it as it is stored."""
        def changed(stored: Job) -> Job:
            same = (stored.state, stored.worker, stored.token) == (
                seen.state, seen.worker, seen.token)
            return change(stored) if same else stored

        return self._ledger.change(seen.id, changed)


def started(job: Job) -> Job:
    """Return a job as it runs."""
    return replace(job, state=JobState.RUNNING, started=job.started or now())
