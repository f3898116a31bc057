"""The records of jobs: those that are not over in one space, the others in another for a while.

What every worker looks through each second is then only what there is to do. Long descriptions lie
apart, so that a report does not write them again. A job that is over is first so in the space of
the open ones, then copied, then taken out: whoever dies in between, the next one goes on.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from app.core.job_errors import JobTooLarge
from app.jobs.record import Job, as_value, job_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.state.store import Store, Value

OPEN, OVER, SPECS = "jobs", "jobs-over", "job-specs"
MAX_SPEC = 16 * 1024**2
_INLINE = 1024
_KEPT_MEMBER = 32 * 1024
"""What of a description is longer as JSON goes with the end of its job: lists of what to do."""


class Ledger:
    """The jobs in `store`; those that are over are forgotten after `kept` seconds."""

    def __init__(self, store: Store, kept: float) -> None:
        self._store = store
        self._kept = kept

    def add(self, job: Job) -> None:
        """Write a new job. Raises JobTooLarge."""
        size = len(json.dumps(job.spec))
        if size > MAX_SPEC:
            raise JobTooLarge(MAX_SPEC)
        value = as_value(job)
        if size > _INLINE:
            self._store.put(SPECS, job.id, dict(job.spec))
        else:
            value["spec"] = dict(job.spec)
        self._store.put(OPEN, job.id, value)

    def find(self, job_id: str) -> Job | None:
        """Return a job, or None."""
        for space in (OPEN, OVER):
            value = self._store.get(space, job_id)
            if value is not None:
                return None if value["removed"] else self._job(job_id, value)
        return None

    def open(self) -> list[Job]:
        """Return all that is not over or not tidied up after, the oldest first.

        Long descriptions are left out.
        """
        jobs = [job_of(job_id, value, value.get("spec", {}))
                for job_id, value in self._store.scan(OPEN)]
        return sorted(jobs, key=lambda job: (job.created, job.id))

    def all(self, wanted: Callable[[Job], bool]) -> Iterator[Job]:
        """Yield all jobs that are `wanted`, each once; `wanted` sees no long descriptions."""
        seen: set[str] = set()
        for space in (OPEN, OVER):
            for job_id, value in self._store.scan(space):
                if job_id in seen:
                    continue
                seen.add(job_id)
                if not value["removed"] and wanted(job_of(job_id, value, value.get("spec", {}))):
                    yield self._job(job_id, value)

    def change(self, job_id: str, change: Callable[[Job], Job]) -> Job | None:
        """Change an open job in one step; return what is stored, None where it is not open.

        `change` sees no long description, and may be called again.
        """
        def changed(value: Value | None) -> Value | None:
            if value is None:
                return None
            after = as_value(change(job_of(job_id, value, value.get("spec", {}))))
            return {**after, "spec": value["spec"]} if "spec" in value else after

        value = self._store.update(OPEN, job_id, changed)
        if value is None:
            return None
        job = job_of(job_id, value, value.get("spec", {}))
        if job.state.over and not job.worker:
            self.put_away(job)
        return job

    def with_spec(self, job: Job) -> Job:
        """Return the job with its description, however long."""
        value = self._store.get(OPEN, job.id)
        return job if value is None else job_of(job.id, as_value(job), self._spec(job.id, value))

    def put_away(self, job: Job) -> None:
        """Move a job that is over to where it is forgotten after a while, or now if removed."""
        value = self._store.get(OPEN, job.id)
        if value is None:
            return
        if job.removed:
            self._store.delete(SPECS, job.id)
        else:
            if "spec" not in value:
                self._store.put(
                    SPECS, job.id, _shortened(self._spec(job.id, value)), ttl=self._kept)
            self._store.put(OVER, job.id, value, ttl=self._kept)
        self._store.delete(OPEN, job.id)

    def forget(self, job_id: str) -> None:
        """Remove a job that was put away."""
        self._store.delete(OVER, job_id)
        self._store.delete(SPECS, job_id)

    def _job(self, job_id: str, value: Value) -> Job:
        return job_of(job_id, value, self._spec(job_id, value))

    def _spec(self, job_id: str, value: Value) -> Value:
        if "spec" in value:
            found: Value = value["spec"]
            return found
        return self._store.get(SPECS, job_id) or {}


def _shortened(spec: Value) -> Value:
    return {name: one for name, one in spec.items() if len(json.dumps(one)) <= _KEPT_MEMBER}
