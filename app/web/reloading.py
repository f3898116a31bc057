"""Reloads that a broken configuration cannot make an end of the gateway.

gunicorn replaces its workers on SIGHUP without a look at what they will read, and ends when the new
ones cannot start: with them the old ones end, which served well. So the main process has a child
try the configuration first. What cannot be used is refused and logged, and the workers go on.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

USABLE = "usable"
"""What the trial prints of a configuration that workers start with."""
TRIAL_SECONDS = 120.0
_COMMAND = (sys.executable, "-m", "app.trial")


class _Unusable(Exception):
    """gunicorn's own configuration cannot be read."""


def guard(server: Any) -> None:
    """Have gunicorn's main process reload what can be used (server hook `when_ready`)."""
    reload, read = server.reload, server.app.reload

    def read_or_keep() -> None:
        before = server.app.cfg
        try:
            read()
        except SystemExit as error:
            server.app.cfg = before
            os.environ.update(before.env)
            why = error.__context__ or error
            raise _Unusable(f"{type(why).__name__}: {why}") from None

    def guarded() -> None:
        problem = refusal()
        if not problem:
            try:
                reload()
            except _Unusable as error:
                # Raised before anything has changed.
                problem = f"gunicorn's own cannot be read: {error}"
        if problem:
            server.log.error("RELOAD REFUSED: the workers go on with the configuration before, as"
                             " with the new one none would start: %s", problem)

    server.reload, server.app.reload = guarded, read_or_keep


def refusal(command: tuple[str, ...] = _COMMAND, seconds: float = TRIAL_SECONDS) -> str:
    """Return why workers would not start now, "" where they would."""
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command, capture_output=True, text=True, errors="replace", timeout=seconds,
            check=False)
    except subprocess.TimeoutExpired:
        return f"it could not be tried within {seconds:g} seconds"
    # By what it says and not by its exit status: gunicorn may have asked for that before us.
    said = done.stdout.strip()
    if said == USABLE:
        return ""
    return said or " ".join(done.stderr.split()[-40:]) or "the trial ended without a word"
