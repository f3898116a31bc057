"""Jobs: begun by a request, carried on by the gateways' workers until they are over.

A job is claimed by one worker as a stream is: by its id and a token, in one step. A worker that
died, by its lease or the process table, loses its jobs to the next that looks: each does so about
once a second, and sees only what is open.
"""

from __future__ import annotations

import atexit
import logging
import secrets
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.core.errors import GatewayError, StorageFault
from app.core.job_errors import JobRunning, NoSuchJob, TooManyJobs
from app.jobs.ledger import Ledger
from app.jobs.record import Job, JobState
from app.jobs.runs import ABORTED, HANDED_ON, TAKEN_OVER, USER_CHANGED, USER_GONE, Kind, Runs, now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.auth.users import UserDirectory
    from app.core.identity import Principal
    from app.fs.workers import Workers
    from app.jobs.running import Running
    from app.settings import JobSettings
    from app.state.store import Store

MAX_OPEN = 10_000
MAX_TRIES = 5
"""So many workers may a job outlive without a step ahead."""
BEAT_SECONDS = 1.0
_NOBODY = "-"
"""A worker that never lived."""
_LOST = "the gateway's worker that ran the job ended before it was done"
_NODE_PATIENCE_MS = 24 * 3600 * 1000
_LEAVING_SECONDS = 5.0
_log = logging.getLogger(__name__)


class Jobs:
    """All jobs of the gateways that share `store`; `may_run` tells whether this one takes any.

    Those for its own node it takes always.
    """

    def __init__(
        self, store: Store, workers: Workers, users: UserDirectory, settings: JobSettings,
        node_id: str, *, may_run: Callable[[], bool] = lambda: True,
    ) -> None:
        self._ledger = Ledger(store, settings.kept_seconds)
        self._workers = workers
        self._at_once = settings.at_once
        self._node_id = node_id
        self._may_run = may_run
        self._kinds: dict[str, Kind] = {}
        self._wake = threading.Event()
        self._runs = Runs(self._ledger, users, self._wake.set)
        self._beating = threading.Lock()
        self._retired = False
        self._waiting = False
        self._open = 0
        self._patient_until = 0.0

    def register(
        self, kind: str, work: Callable[[Running], None], *, resumable: bool,
        undo: Callable[[Running], None] | None = None,
    ) -> None:
        """Have jobs of this kind done by `work`, again from `cursor` if they are `resumable`.

        `undo` is called in some worker after a run that ended with its worker, if the job does not
        go on: it removes what is left. A run that is aborted sees to that itself.
        """
        self._kinds[kind] = Kind(work, resumable, undo)

    def start(
        self, kind: str, principal: Principal, spec: Mapping[str, Any], *, bucket: str = "",
        node: str = "",
    ) -> Job:
        """Begin a job; it is written down when this returns. Raises TooManyJobs, JobTooLarge.

        It runs here at once where there is room, else within about a second where there is.
        """
        found = self._kinds[kind]
        if self._open >= MAX_OPEN:
            raise TooManyJobs(MAX_OPEN)
        job = Job(secrets.token_hex(8), kind, principal.name, bucket, dict(spec), node=node,
                  created=now())
        own = replace(_started(job), worker=self._workers.own_id, token=secrets.token_hex(8))
        here = (not self._waiting and self._takes(job)
                and self._runs.reserve(job.id, own.token, self._at_once))
        try:
            self._ledger.add(own if here else job)
        except BaseException:
            if here:
                self._runs.release(job.id)
            raise
        self._open += 1
        if not here:
            self._wake.set()
            return job
        self._runs.launch(own, found)
        return own

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
        if not self._beating.acquire(blocking=False):
            return
        try:
            self._beat()
        except StorageFault:
            # Leases ran out meanwhile that nobody could renew.
            self._patient_until = time.monotonic() + self._workers.lease
            raise
        finally:
            self._beating.release()

    # --- the process

    def start_background(self) -> None:
        """Beat in the background from now on; when the process ends, hand on what runs."""
        atexit.register(self._leave)
        threading.Thread(target=self._keep, name="httpfs-proxy-jobs", daemon=True).start()

    def retire(self) -> None:
        """Take up no more jobs, and hand on those that others can go on with."""
        self._retired = True
        for running in self._runs.begun():
            if self._kinds[running.job.kind].resumable:
                running.end(HANDED_ON)

    @property
    def busy(self) -> bool:
        """Whether any job runs in this process."""
        return len(self._runs) > 0

    def _keep(self) -> None:
        failed = False
        while True:
            self._wake.wait(BEAT_SECONDS)
            self._wake.clear()
            try:
                self.beat()
            except GatewayError as error:
                _log.log(logging.DEBUG if failed else logging.WARNING,
                         "jobs wait for the state store: %r", error)
                failed = True
                time.sleep(BEAT_SECONDS)
            except Exception:
                _log.exception("looking after jobs failed, will try again")
                time.sleep(BEAT_SECONDS)
            else:
                failed = False

    def _leave(self) -> None:
        self.retire()
        give_up = time.monotonic() + _LEAVING_SECONDS
        while self.busy and time.monotonic() < give_up:
            time.sleep(0.05)

    # --- the beat

    def _beat(self) -> None:
        begun = self._runs.begun()
        jobs = self._ledger.open()
        self._open = len(jobs)
        stored = {job.id: job for job in jobs}
        for running in begun:
            self._look_after(running, stored.get(running.job.id))
        alive: dict[str, bool] = {}
        for job in jobs:
            if job.state.over and not job.worker:
                self._ledger.put_away(job)
            elif job.worker and self._is_lost(job, alive):
                self._recover(job)
        self._take_up([job for job in jobs if job.state is JobState.QUEUED])

    def _look_after(self, running: Running, stored: Job | None) -> None:
        """Write what a run reported, and end it where it is not to go on."""
        if stored is None or stored.token != running.job.token:
            running.end(TAKEN_OVER)
        elif stored.state.over and not running.job.state.over:
            running.end(ABORTED)
        principal = self._runs.principal_of(running.job)
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

    def _recover(self, lost: Job) -> None:
        """See that a job goes on, or is over with nothing left of it."""
        kind = self._kinds.get(lost.kind)
        if kind is None:
            return
        if kind.resumable and not lost.state.over and lost.tries + 1 < MAX_TRIES:
            self._change(lost, _queued_again)
        elif kind.undo is None or lost.tries >= MAX_TRIES:
            self._change(lost, lambda job: replace(_given_up(job), worker=""))
        elif self._takes(lost):
            self._claim(
                lost, kind, lambda job: replace(_given_up(job), tries=job.tries + 1))

    def _take_up(self, queued: list[Job]) -> None:
        """Run what waits, as far as there is room."""
        waiting = False
        for job in queued:
            kind = self._kinds.get(job.kind)
            if self._is_hopeless(job):
                self._change(job, lambda job: job.ending(
                    JobState.FAILED, now(), f"gateway {job.node} did not take the job up"))
            elif kind and self._takes(job):
                waiting = not self._claim(job, kind, _started) or waiting
        self._waiting = waiting

    def _is_hopeless(self, job: Job) -> bool:
        """Tell whether a job waits for a gateway that does not come."""
        return (job.node not in ("", self._node_id)
                and now() - job.created > _NODE_PATIENCE_MS)

    def _takes(self, job: Job) -> bool:
        if self._retired:
            return False
        return job.node == self._node_id if job.node else self._may_run()

    def _claim(self, seen: Job, kind: Kind, change: Callable[[Job], Job]) -> bool:
        """Run a job here, unless another worker is faster; tell whether there was room."""
        token = secrets.token_hex(8)
        if not self._runs.reserve(seen.id, token, self._at_once):
            return False
        mine = None
        try:
            claimed = self._change(seen, lambda job: replace(
                change(job), worker=self._workers.own_id, token=token))
            if claimed is not None and claimed.token == token:
                mine = self._ledger.with_spec(claimed)
        finally:
            if mine is None:
                self._runs.release(seen.id)
        if mine is not None:
            self._runs.launch(mine, kind)
        return True

    def _change(self, seen: Job, change: Callable[[Job], Job]) -> Job | None:
        """Change a job that is still as it was seen."""
        def changed(stored: Job) -> Job:
            same = (stored.state, stored.worker, stored.token) == (
                seen.state, seen.worker, seen.token)
            return change(stored) if same else stored

        return self._ledger.change(seen.id, changed)

    def _live(self, job: Job) -> Job:
        """Return a job with what its run here has reported since it was last written."""
        running = self._runs.of(job)
        return job if running is None or job.state.over else replace(running.job, spec=job.spec)


def _started(job: Job) -> Job:
    return replace(job, state=JobState.RUNNING, started=job.started or now())


def _queued_again(job: Job) -> Job:
    return replace(job, state=JobState.QUEUED, worker="", token="", tries=job.tries + 1)


def _given_up(job: Job) -> Job:
    return job if job.state.over else job.ending(JobState.FAILED, now(), _LOST)


def _aborted(job: Job) -> Job:
    """Return a job as it is aborted; whoever runs it, or ran it last, has to tidy up after it."""
    if job.state.over:
        return job
    worker = job.worker or (_NOBODY if job.started else "")
    return replace(job.ending(JobState.ABORTED, now()), worker=worker)


def _reported(stored: Job, job: Job) -> Job:
    return job if stored.token == job.token and stored.state is job.state else stored
