"""Jobs: begun by a request, carried on by the gateways' workers until they are over.

A job is claimed by one worker as a stream is: by its id and a token, in one step. A worker that
died, by its lease or the process table, loses its jobs to the next that looks.
"""

from __future__ import annotations

import atexit
import logging
import secrets
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.core.errors import GatewayError
from app.core.job_errors import JobRunning, NoSuchJob, TooManyJobs
from app.jobs.claiming import Claiming
from app.jobs.ledger import Ledger
from app.jobs.record import Job, JobState, view_of
from app.jobs.runs import ABORTED, HANDED_ON, Kind, Runs, now
from app.jobs.upkeep import Upkeep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.auth.directory import Directory
    from app.core.identity import Principal
    from app.fs.workers import Workers
    from app.jobs.running import Running
    from app.settings import JobSettings
    from app.state.store import Store

MAX_OPEN = 10_000
"""So many jobs may wait or run: each worker looks through them."""
MAX_OF_USER = 1_000
"""So many of them may be one user's: the others want some, too."""
BEAT_SECONDS = 1.0
_NOBODY = "-"
"""A worker that never lived."""
_LEAVING_SECONDS = 5.0
_log = logging.getLogger(__name__)


class Jobs:
    """All jobs of the gateways that share `store`; `may_run` tells whether this one takes any.

    Those for its own node it takes always.
    """

    def __init__(
        self, store: Store, workers: Workers, users: Directory, settings: JobSettings,
        node_id: str, *, may_run: Callable[[], bool] = lambda: True,
    ) -> None:
        self._wake = threading.Event()
        self._ledger = Ledger(store, settings.kept_seconds)
        self._runs = Runs(self._ledger, users, self._room_came)
        self._claiming = Claiming(
            self._ledger, self._runs, workers, at_once=settings.at_once, node_id=node_id,
            may_run=may_run)
        self._upkeep = Upkeep(self._ledger, self._runs, workers, self._claiming)
        self._beating = threading.Lock()

    def register(
        self, kind: str, work: Callable[[Running], None], *, resumable: bool,
        undo: Callable[[Running], None] | None = None, at_once: int = 0,
    ) -> None:
        """Have jobs of this kind done by `work`, again from `cursor` if they are `resumable`.

        No more than `at_once` of them run at the same time in this process, where that is not 0.

        `undo` is called in some worker after a run that ended with its worker, if the job does not
        go on: it removes what is left. A run that is aborted or fails sees to that itself.
        """
        self._claiming.kinds[kind] = Kind(work, resumable, undo, at_once)

    def start(
        self, kind: str, principal: Principal, spec: Mapping[str, Any], *, bucket: str = "",
        node: str = "",
    ) -> Job:
        """Begin a job; it is written down when this returns. Raises TooManyJobs, JobTooLarge.

        It runs here at once where there is room, else within about a second where there is.
        """
        if kind not in self._claiming.kinds:
            raise ValueError(f"no such kind of jobs: {kind}")
        if self._upkeep.open.total() >= MAX_OPEN:
            raise TooManyJobs(MAX_OPEN)
        if self._upkeep.open[principal.name] >= MAX_OF_USER:
            raise TooManyJobs(MAX_OF_USER, "of yours")
        job = self._claiming.add(Job(
            secrets.token_hex(8), kind, principal.name, bucket, dict(spec), node=node,
            created=now(), view=view_of(principal), access=principal.token))
        self._upkeep.open[principal.name] += 1
        if job.state is JobState.QUEUED:
            self._wake.set()
        return job

    def get(self, job_id: str) -> Job:
        """Return a job. Raises NoSuchJob."""
        job = self._ledger.find(job_id)
        if job is None:
            raise NoSuchJob(job_id)
        return self._live(job)

    def all(
        self, *, kind: str | None = None, user: str | None = None, bucket: str | None = None,
    ) -> list[Job]:
        """Return all jobs, or those of a kind, user or bucket, the oldest first."""
        def wanted(job: Job) -> bool:
            return (kind in (None, job.kind) and user in (None, job.user)
                    and bucket in (None, job.bucket))

        jobs = [self._live(job) for job in self._ledger.all(wanted)]
        return sorted(jobs, key=lambda job: (job.created, job.id))

    def abort(self, job_id: str) -> Job:
        """Have a job end; one that is over stays as it is. Raises NoSuchJob."""
        self._ledger.change(job_id, _aborted)
        job = self.get(job_id)
        running = self._runs.of(job)
        if running and job.state is JobState.ABORTED:
            running.end(ABORTED)
        return job

    def remove(self, job_id: str) -> None:
        """Forget a job that is over. Raises NoSuchJob, JobRunning."""
        if not self.get(job_id).state.over:
            raise JobRunning(job_id)
        if self._ledger.change(job_id, lambda job: replace(job, removed=True)) is None:
            self._ledger.forget(job_id)

    def beat(self) -> None:
        """Write reports, take up what is queued or was lost, put away what is over.

        Raises StorageFault while the store is away.
        """
        if self._beating.acquire(blocking=False):
            try:
                self._upkeep.beat()
            finally:
                self._beating.release()

    # --- the process

    def start_background(self) -> None:
        """Beat in the background from now on; when the process ends, hand on what runs."""
        atexit.register(self._leave)
        threading.Thread(target=self._keep, name="httpfs-proxy-jobs", daemon=True).start()

    def retire(self) -> None:
        """Take up no more jobs, and hand on those that others can go on with."""
        self._claiming.retired = True
        for running in self._runs.begun():
            if self._claiming.kinds[running.job.kind].resumable:
                running.end(HANDED_ON)

    @property
    def busy(self) -> bool:
        """Whether any job runs in this process."""
        return len(self._runs) > 0

    def _keep(self) -> None:
        failing = False
        while True:
            self._wake.wait(BEAT_SECONDS)
            self._wake.clear()
            try:
                self.beat()
            except Exception as error:
                known = isinstance(error, GatewayError)
                _log.log(logging.DEBUG if failing else logging.WARNING,
                         "jobs are not looked after for now: %r", error, exc_info=not known)
                failing = True
                time.sleep(BEAT_SECONDS)
            else:
                failing = False

    def _leave(self) -> None:
        self.retire()
        give_up = time.monotonic() + _LEAVING_SECONDS
        while time.monotonic() < give_up and any(
                running.ending == HANDED_ON for running in self._runs.begun()):
            time.sleep(0.05)

    def _room_came(self) -> None:
        if self._claiming.waiting:
            self._wake.set()

    def _live(self, job: Job) -> Job:
        """Return a job with what its run here has reported since it was last written."""
        running = self._runs.of(job)
        return job if running is None or job.state.over else replace(running.job, spec=job.spec)


def _aborted(job: Job) -> Job:
    """Return a job as it is aborted; whoever runs it, or ran it last, has to tidy up after it."""
    if job.state.over:
        return job
    worker = job.worker or (_NOBODY if job.started else "")
    return replace(job.ending(JobState.ABORTED, now()), worker=worker)
