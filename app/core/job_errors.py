"""The errors of jobs: work that goes on after the request that asked for it was answered.

GatewayError
└── InvalidRequest
    ├── NoSuchJob                    no job of this user has this id, or it was forgotten
    ├── JobRunning                   it is not over yet
    ├── JobTooLarge                  what it was to do takes more room than a record may have
    └── TooManyJobs                  so many are waiting that no more are taken

JobAborted is for the work itself, and no GatewayError: what catches the errors of one object in a
list must not catch it.
"""

from __future__ import annotations

from app.core.errors import InvalidRequest, printable


class NoSuchJob(InvalidRequest):
    """No job has this id, or none that the caller may see."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"no such job: {printable(job_id)}")
        self.job_id = job_id


class JobRunning(InvalidRequest):
    """The job is waiting or running; only one that is over can be removed."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"the job is not over yet, abort it first: {printable(job_id)}")
        self.job_id = job_id


class JobTooLarge(InvalidRequest):
    """The description of a job has more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the job's description is larger than the {limit} bytes allowed; make"
                         " several jobs of it")
        self.limit = limit


class TooManyJobs(InvalidRequest):
    """As many as `limit` jobs wait already; `whose` says whose, if not everybody's count."""

    def __init__(self, limit: int, whose: str = "") -> None:
        jobs = f"{limit} jobs {whose}".rstrip()
        super().__init__(f"{jobs} are waiting or running already; try again later")
        self.limit = limit


class JobAborted(Exception):
    """Raised inside a job's work that is to end now: `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
