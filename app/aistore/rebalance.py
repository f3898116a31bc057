"""Rebalance: the cluster's own balancer, run as a job."""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import signal
import subprocess
import tempfile
from functools import partial
from typing import IO, TYPE_CHECKING

from app.core.errors import Unsupported, UpstreamFault
from app.core.job_errors import JobRunning

if TYPE_CHECKING:
    from app.core.identity import Principal
    from app.jobs.jobs import Jobs
    from app.jobs.record import Job
    from app.jobs.running import Running
    from app.web.services import Services

REBALANCE = "rebalance"
_LOOK_SECONDS = 0.5
_PATIENCE_SECONDS = 10.0
_TAIL = 2000
"""Bytes of the balancer's output that tell why it failed."""
_log = logging.getLogger(__name__)


def register(jobs: Jobs, services: Services) -> None:
    """Have the balancer run by jobs; one that was lost with its worker is not started again."""
    jobs.register(REBALANCE, partial(balance, services.settings.node.balancer), resumable=False)


def start(services: Services, principal: Principal) -> Job:
    """Have the balancer started. Raises Unsupported, JobRunning where it runs already."""
    if not services.settings.node.balancer:
        raise Unsupported("this gateway starts no balancer; set node.balancer to the command that"
                          " starts the cluster's")
    for job in services.jobs.all(kind=REBALANCE):
        if not job.state.over:
            raise JobRunning(job.id)
    return services.jobs.start(REBALANCE, principal, {})


def balance(command: str, running: Running) -> None:
    """Run the balancer until its end or that of the job. Raises UpstreamFault, JobAborted."""
    with tempfile.TemporaryFile() as output:
        try:
            child = subprocess.Popen(  # noqa: S603 - the operator's own command, without a shell
                shlex.split(command), stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True)
        except (OSError, ValueError) as error:
            raise UpstreamFault(f"the balancer cannot be started: {error}") from None
        try:
            while child.poll() is None:
                running.wait(_LOOK_SECONDS)
        finally:
            _end(child)
        if child.returncode:
            _log.warning("the balancer ended with status %s", child.returncode)
            raise UpstreamFault(f"the balancer ended with status {child.returncode}:"
                                f" {_tail(output)}")


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the balancer and what it started, kindly at first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if child.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_PATIENCE_SECONDS)


def _tail(output: IO[bytes]) -> str:
    output.seek(max(0, output.seek(0, os.SEEK_END) - _TAIL))
    lines = output.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
