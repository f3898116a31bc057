"""What is known of a job, as values that other modules may keep, and as records of the store."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from app.core.errors import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.identity import Principal
    from app.state.store import Value

MAX_ERRORS = 20


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    ABORTED = "aborted"

    @property
    def over(self) -> bool:
        """Whether the job will do nothing more."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Job:
    """One job. Times are epoch milliseconds, 0 for what has not happened yet.

    `user` is the gateway user's name; `node` the only gateway that may run it, "" for any.
    `objects` and `bytes` are done, out of `total` objects (-1: unknown); `failed` objects were not,
    the first 20 with a text in `errors`. `cursor` is what the kind needs to go on after a restart.

    `marks` are objects, bytes, failed and the number of errors as they were with this `cursor`:
    what was done after it is done again, and counted then.

    `view` is what the user's paths meant when the job began, see `view_of`; () is not known.
    `access` is the id of the access token that it was begun with: without it, it ends.

    A job that is over and still has a `worker` is being tidied up after. `token` tells one run of a
    job from the next, `tries` counts the runs that ended their worker, and one that was `removed`
    before the end of its last run is hidden until then.
    """

    id: str
    kind: str
    user: str
    bucket: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)
    state: JobState = JobState.QUEUED
    node: str = ""
    created: int = 0
    started: int = 0
    ended: int = 0
    objects: int = 0
    bytes: int = 0
    total: int = -1
    failed: int = 0
    errors: tuple[str, ...] = ()
    cursor: Any = None
    marks: tuple[int, int, int, int] = (0, 0, 0, 0)
    worker: str = ""
    token: str = ""
    tries: int = 0
    removed: bool = False
    view: tuple[str, ...] = ()
    access: str = ""

    @property
    def reference(self) -> str:
        """What the user is looked up by, as `Principal.reference`."""
        return f"{self.user}:{self.access}" if self.access else self.user

    def with_error(self, text: str) -> Job:
        """Return the job with one more text, unless there are enough."""
        if len(self.errors) >= MAX_ERRORS:
            return self
        return replace(self, errors=(*self.errors, printable(text)))

    def marked(self, cursor: Any) -> Job:
        """Return the job with what it needs to go on from here."""
        return replace(self, cursor=cursor, tries=0, marks=(
            self.objects, self.bytes, self.failed, len(self.errors)))

    def rewound(self) -> Job:
        """Return the job as it stood at its cursor, waiting for somebody to go on."""
        objects, size, failed, errors = self.marks
        return replace(self, state=JobState.QUEUED, worker="", token="", objects=objects,
                       bytes=size, failed=failed, errors=self.errors[:errors])

    def ending(self, state: JobState, at: int, text: str = "") -> Job:
        """Return the job as it is over; the reason stands first among its errors."""
        errors = (printable(text), *self.errors)[:MAX_ERRORS] if text else self.errors
        return replace(self, state=state, ended=at, errors=errors)


def may_see(principal: Principal, job: Job) -> bool:
    """Tell whether a job is the principal's to see and to abort: their own; all for admins."""
    return principal.name == job.user or "admin" in principal.roles


def view_of(principal: Principal) -> tuple[str, ...]:
    """Return what gives a user's paths and buckets their meaning: whom HDFS sees, and the roots."""
    return principal.hadoop_user, principal.root, principal.bucket_root


def as_value(job: Job) -> Value:
    """Return the record of a job, without its `spec`."""
    return {name: getattr(job, name) for name in Job.__slots__ if name not in ("id", "spec")}


def job_of(job_id: str, value: Value, spec: Mapping[str, Any]) -> Job:
    """Return the job that `as_value` made a record of."""
    known = {name: value[name] for name in Job.__slots__ if name in value}
    return Job(**{**known, "id": job_id, "spec": spec, "state": JobState(value["state"]),
                  "errors": tuple(value["errors"]), "marks": tuple(value["marks"]),
                  "view": tuple(value.get("view", ()))})
