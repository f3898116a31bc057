"""The runs of jobs in this process, each in a thread of its own, from claim to last word."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from app.core.errors import GatewayError, StorageFault
from app.core.identity import Principal
from app.core.job_errors import JobAborted
from app.core.paths import ROOT, HdfsPath
from app.jobs.record import Job, JobState, view_of
from app.jobs.running import Running

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.auth.directory import Directory
    from app.jobs.ledger import Ledger

ABORTED = "the job was aborted"
HANDED_ON = "the gateway's worker ends, the job goes on in another"
TAKEN_OVER = "another worker of the gateway has taken the job over"
USER_GONE = ("the user is no longer in the users file, or inactive, or the access token that the"
             " job was begun with is no longer good")
USER_CHANGED = "the user's entry in the users file was changed while the job ran"
USER_MOVED = ("the user has another Hadoop user or root than when the job began: its paths mean"
              " something else by now")
_AGAIN_SECONDS = 1.0
_log = logging.getLogger(__name__)


class Kind(NamedTuple):
    """What a kind of jobs does; `undo` removes what a run left that could not do so itself.

    So many run `at_once` in a process, 0: as many as there is room for jobs.
    """

    work: Callable[[Running], None]
    resumable: bool
    undo: Callable[[Running], None] | None = None
    at_once: int = 0


class Ending(NamedTuple):
    """How a run ended: the state of the job after it (QUEUED: another goes on), and why.

    A state of None leaves that of the record, which is over already.
    """

    state: JobState | None
    text: str = ""


class Runs:
    """What runs here; `left` is called after each run, when there is room for another."""

    def __init__(self, ledger: Ledger, users: Directory, left: Callable[[], None]) -> None:
        self._ledger = ledger
        self._users = users
        self._left = left
        self._lock = threading.Lock()
        self._tokens: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._begun: dict[str, Running] = {}

    def __len__(self) -> int:
        return len(self._tokens)

    def reserve(self, job: Job, token: str, most: int) -> bool:
        """Take one of `most` places for a run that is about to be claimed."""
        with self._lock:
            if len(self._tokens) >= most or job.id in self._tokens:
                return False
            self._tokens[job.id] = token
            self._kinds[job.id] = job.kind
            return True

    def count(self, kind: str) -> int:
        """Return how many jobs of a kind have a place here."""
        with self._lock:
            return sum(one == kind for one in self._kinds.values())

    def release(self, job_id: str) -> None:
        """Give the place of a run back."""
        with self._lock:
            self._begun.pop(job_id, None)
            self._tokens.pop(job_id, None)
            self._kinds.pop(job_id, None)

    def has(self, job: Job) -> bool:
        """Tell whether the present run of a job is this process's."""
        return bool(job.token) and self._tokens.get(job.id) == job.token

    def begun(self) -> list[Running]:
        """Return the runs whose claims are written."""
        with self._lock:
            return list(self._begun.values())

    def of(self, job: Job) -> Running | None:
        """Return the present run of a job, if it is here."""
        return self._begun.get(job.id) if self.has(job) else None

    def principal_of(self, job: Job) -> Principal | None:
        """Return whom a job works for, as the users file has them now."""
        user = self._users.find(job.reference)
        return user.principal if user and user.active else None

    def launch(self, job: Job, kind: Kind) -> None:
        """Run a claimed job whose place is reserved; undo, where it is over already."""
        principal = self.principal_of(job)
        running = Running(job, principal or _as_begun(job))
        if principal is None:
            running.end(USER_GONE)
        elif job.view not in ((), view_of(principal)):
            running.end(USER_MOVED)
        with self._lock:
            self._begun[job.id] = running
        threading.Thread(
            target=self._run, args=(job, kind, running), daemon=True,
            name=f"httpfs-proxy-job-{job.id}").start()

    def _run(self, job: Job, kind: Kind, running: Running) -> None:
        try:
            ending = _carried_out(job, kind, running)
            _log.info("job %s (%s of %s): %s %s", job.id, job.kind, job.user,
                      ending.state or job.state, ending.text)
            self._conclude(running.job, ending)
        finally:
            self.release(job.id)
            self._left()

    def _conclude(self, job: Job, ending: Ending) -> None:
        """Write how a run ended, however long the store is away."""
        while True:
            try:
                self._ledger.change(job.id, lambda stored: concluded(stored, job, ending))
            except StorageFault as problem:
                _log.warning("the end of job %s is not written yet: %r", job.id, problem)
                time.sleep(_AGAIN_SECONDS)
            else:
                return


def concluded(stored: Job, job: Job, ending: Ending) -> Job:
    """Return the record of a job after a run that knows it as `job`."""
    if stored.token != job.token:
        return stored
    if stored.state.over:
        return replace(job, state=stored.state, ended=stored.ended, worker="",
                       removed=stored.removed)
    if ending.state in (JobState.QUEUED, None):
        return job.rewound()
    return replace(job.ending(ending.state, now(), ending.text), worker="")


def now() -> int:
    """Return the time in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def _as_begun(job: Job) -> Principal:
    """Return the user of a job as they were when it began, now with no right to write."""
    hadoop_user, root, bucket_root = job.view or ("", ROOT, ROOT)
    return Principal(job.user, hadoop_user, HdfsPath(root), read_only=True,
                     bucket_root=HdfsPath(bucket_root))


def _carried_out(job: Job, kind: Kind, running: Running) -> Ending:
    """Do the work of a run, or undo it."""
    try:
        if not job.state.over and running.ending not in (USER_GONE, USER_MOVED):
            kind.work(running)
            return Ending(JobState.FINISHED)
        if kind.undo:
            kind.undo(running)
    except JobAborted as aborted:
        return _broken_off(kind, aborted.reason)
    except GatewayError as error:
        return Ending(JobState.FAILED, running.told(error))
    except Exception:
        _log.exception("job %s (%s of %s) failed", job.id, job.kind, job.user)
        return Ending(JobState.FAILED, f"internal error; the log has it as job {job.id}")
    return Ending(None) if job.state.over else Ending(JobState.FAILED, running.ending)


def _broken_off(kind: Kind, reason: str) -> Ending:
    if reason == HANDED_ON or (reason == USER_CHANGED and kind.resumable):
        return Ending(JobState.QUEUED, reason)
    return Ending(JobState.ABORTED if reason == ABORTED else JobState.FAILED, reason)
