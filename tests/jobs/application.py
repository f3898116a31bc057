"""The gateway with two kinds of jobs that a test can watch and hold, and URLs to them.

`copy` goes on from its cursor, `sort` cannot. Each step appends a line `<pid> <step>` to the file
`log` of the job's description; before the step `hold`, the job waits until the file `go` is there.
`undo` of a sort appends `<pid> undone`.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import request

from app import create_app
from app.jobs import EXTENSION

if TYPE_CHECKING:
    from flask import Flask

    from app.jobs.jobs import Jobs
    from app.jobs.running import Running


def make() -> Flask:
    """Return the application."""
    app = create_app()
    jobs: Jobs = app.extensions[EXTENSION]
    jobs.register("copy", work, resumable=True)
    jobs.register("sort", work, resumable=False, undo=undo)

    @app.post("/tests/jobs")
    def start() -> dict[str, Any]:
        asked = request.get_json()
        user = jobs._runs._users.find(asked["user"])
        assert user
        return asdict(jobs.start(asked["kind"], user.principal, asked["spec"]))

    @app.get("/tests/jobs")
    def listed() -> list[dict[str, Any]]:
        # As it is stored: what the run here has not written yet dies with it.
        return [asdict(job) for job in jobs._ledger.all(lambda _job: True)]

    @app.delete("/tests/jobs/<job_id>")
    def abort(job_id: str) -> dict[str, Any]:
        return asdict(jobs.abort(job_id))

    return app


def work(running: Running) -> None:
    """Do the steps of a job."""
    spec = running.job.spec
    for step in range(running.job.cursor or 0, spec["steps"]):
        if step == spec["hold"]:
            note(running, "held")
            while not Path(spec["go"]).exists():
                running.wait(0.05)
        note(running, str(step))
        running.progress(objects=1, total=spec["steps"], cursor=step + 1)


def undo(running: Running) -> None:
    """Note that a sort was undone."""
    note(running, "undone")


def note(running: Running, text: str) -> None:
    """Append a line to a job's log."""
    with Path(running.job.spec["log"]).open("a") as log:
        log.write(f"{os.getpid()} {text}\n")
