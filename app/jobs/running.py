"""A job as its own work sees it: whom it works for, what it reports, and whether it is to end."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.core.errors import PathError, StorageFault
from app.core.job_errors import JobAborted

if TYPE_CHECKING:
    from app.core.errors import GatewayError
    from app.core.identity import Principal
    from app.jobs.record import Job


class Running:
    """One run of a job in this process; several threads of the work may use it at once.

    What is reported is kept here and written to the store in the background, about once a second
    and at the end, so reporting often costs nothing.
    """

    def __init__(self, job: Job, principal: Principal) -> None:
        self.principal = principal
        self._job = job
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._reason = ""
        self._unsaved = False

    @property
    def job(self) -> Job:
        """The job as it stands now."""
        return self._job

    def progress(
        self, objects: int = 0, bytes: int = 0,  # noqa: A002 - as in the record
        total: int | None = None, failed: str | None = None, cursor: Any = None,
    ) -> None:
        """Report what came to be since the last report, in one piece with its `cursor`.

        `objects` and `bytes` are added, `failed` is the text of one more object that failed. A run
        that goes on from `cursor` begins with the figures of this moment.
        Raises JobAborted where the job was aborted, or is another worker's now.
        """
        with self._lock:
            self._raise_if_ended()
            job = self._job if failed is None else self._job.with_error(failed)
            job = replace(
                job, objects=job.objects + objects, bytes=job.bytes + bytes,
                failed=job.failed + (failed is not None),
                total=job.total if total is None else total)
            self._job = job if cursor is None else job.marked(cursor)
            self._unsaved = True

    def check(self) -> None:
        """Raise JobAborted where the job is to end."""
        with self._lock:
            self._raise_if_ended()

    def wait(self, seconds: float) -> None:
        """Wait; raises JobAborted as soon as the job is to end."""
        if self._ended.wait(seconds):
            self.check()

    def told(self, error: GatewayError) -> str:
        """Return an error's words as the job's user may read them."""
        if isinstance(error, StorageFault):
            return "the gateway's state store cannot be used at the moment"
        if isinstance(error, PathError):
            error.path = self.principal.visible(error.path)
        return "; ".join(error.messages)

    def end(self, reason: str) -> None:
        """Have the work end at its next report; the first reason stays."""
        with self._lock:
            self._reason = self._reason or reason
        self._ended.set()

    @property
    def ending(self) -> str:
        """Why the work is to end; "" while it may go on."""
        return self._reason

    def unsaved(self) -> Job | None:
        """Return the job if something was reported since this was last asked."""
        with self._lock:
            unsaved, self._unsaved = self._unsaved, False
            return self._job if unsaved else None

    def keep_unsaved(self) -> None:
        """Note that what `unsaved` returned could not be written."""
        self._unsaved = True

    def _raise_if_ended(self) -> None:
        if self._reason:
            raise JobAborted(self._reason)
