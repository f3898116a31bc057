"""Gateways that are born grown up: forked off a process that has imported everything already.

Loading the application takes half a second of a CPU in each of gunicorn's workers, and the tests
start some thousand of them. So each test process has one nursery: it imports the application once,
as gevent's worker would, and forks a guard and a gunicorn for each gateway. What gunicorn does from
there on is its own: it reads its configuration, forks workers, and they make the application.

Passwords are cheap to check there: their hashes cost a hundredth of what real ones must. Who is to
see a gateway as operators start it says `fresh=True` to Gateway.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal as signals
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.hadoop import guard
from tests.hadoop.daemon import Daemon

if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import BufferedReader

    from passlib.context import CryptContext

REPOSITORY = Path(__file__).resolve().parents[1]
MAX_ORDER = 192 * 1024
CHEAP = {"argon2__time_cost": 1, "argon2__memory_cost": 64, "argon2__parallelism": 1}


class Nursery:
    """The nursery of this process, as this process sees it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None

    def fork(self, order: Mapping[str, Any]) -> BufferedReader:
        """Start a guarded gunicorn; the lines to read are its process id and its exit status."""
        answers, theirs = os.pipe()
        try:
            socket.send_fds(self._opened(), [json.dumps(order).encode()], [theirs])
        finally:
            os.close(theirs)
        return os.fdopen(answers, "rb")

    def _opened(self) -> socket.socket:
        with self._lock:
            if self._orders is None or self._process is None or self._process.poll() is not None:
                self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                with theirs:
                    self._process = subprocess.Popen(
                        [sys.executable, "-m", "tests.nursery",
                         str(theirs.fileno()), str(os.getpid())],
                        pass_fds=[theirs.fileno()], cwd=REPOSITORY, stdin=subprocess.DEVNULL,
                        start_new_session=True)
            return self._orders


NURSERY = Nursery()


class ForkedGuard:
    """A guard that the nursery forked, so far as a Daemon has to do with its Popen."""

    def __init__(self, answers: BufferedReader) -> None:
        self._answers = answers
        self._lock = threading.Lock()
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit status, or None as long as it runs."""
        with self._lock:
            if self.returncode is None and self._readable(0):
                with self._answers as answers:
                    # Killed itself, it has nothing to say.
                    self.returncode = int(answers.readline() or -signals.SIGKILL)
        return self.returncode

    def wait(self, seconds: float) -> int:
        """Wait for the end; TimeoutExpired when it has not come after these seconds."""
        if self.returncode is None:
            self._readable(seconds)
        status = self.poll()
        if status is None:
            raise subprocess.TimeoutExpired("gunicorn", seconds)
        return status

    def _readable(self, seconds: float) -> bool:
        # Not select(): a test process may have more than 1,024 descriptors open.
        ready = select.poll()
        ready.register(self._answers, select.POLLIN)
        return bool(ready.poll(seconds * 1000))


class ForkedGunicorn(Daemon):
    """A gunicorn from the nursery: the command is its arguments alone."""

    def _spawn(self) -> tuple[ForkedGuard, bytes]:
        answers = NURSERY.fork(
            {"arguments": self._command, "log": str(self._log), "env": self._env})
        return ForkedGuard(answers), answers.readline()


def cheap_passwords() -> CryptContext:
    """Return the application's way with hashes in a nursery: all as it is, but cheap."""
    from app.auth.passwords import CONTEXT  # noqa: PLC0415 - not before gevent's patches

    return CONTEXT.copy(**CHEAP)


# --- the other end: `python -m tests.nursery SOCKET_DESCRIPTOR LAUNCHER_PID`


def main(orders: socket.socket, launcher: int) -> None:
    """Fork gunicorns until the launcher ends; in one of these, be gunicorn."""
    _import_everything()
    order = _serve(orders, launcher)
    if order is not None:
        from gunicorn.app.wsgiapp import run  # noqa: PLC0415

        os.environ.clear()
        os.environ.update(order["env"])
        guard.log_to(order["log"])
        sys.argv = ["gunicorn", *order["arguments"]]
        run()


def _import_everything() -> None:
    """Import what gunicorn and its workers need, in the state in which a worker imports it.

    That is after gevent's patches. What gunicorn's main process lives by (fork, signals, waiting)
    stays as it is; each worker patches that, too.
    """
    from gevent import events, monkey  # noqa: PLC0415 - patched first of all

    # For each module that is patched, here and in each worker, gevent looks for plugins in all
    # packages that are installed: none has any.
    events.notify_and_call_entry_points = events.notify
    monkey.patch_all(os=False, select=False, signal=False, subprocess=False, sys=False, time=False)
    import gunicorn.app.wsgiapp  # noqa: F401, PLC0415

    import app.factory  # noqa: PLC0415
    import app.web.worker  # noqa: F401, PLC0415
    from app.auth.passwords import CONTEXT  # noqa: PLC0415

    CONTEXT.update(**CHEAP)
    # What is here stays; no child needs to look through it.
    gc.collect()
    gc.freeze()


def _serve(orders: socket.socket, launcher: int) -> dict[str, Any] | None:
    """Fork a guard for each order; return the order in a process that is to be gunicorn."""
    signals.signal(signals.SIGCHLD, signals.SIG_IGN)
    watched = os.pidfd_open(launcher)
    ready = select.poll()
    for descriptor in (orders.fileno(), watched):
        ready.register(descriptor, select.POLLIN)
    while watched not in {descriptor for descriptor, _ in ready.poll()}:
        told, answers, _, _ = socket.recv_fds(orders, MAX_ORDER, 1)
        if not told:
            return None
        if os.fork() == 0:
            orders.close()
            _guard(answers[0], watched)
            os.close(watched)
            return json.loads(told)
        os.close(answers[0])
    return None


def _guard(answers: int, watched: int) -> None:
    """Return in a child of this process, which guards it to its end."""
    os.setsid()
    signals.signal(signals.SIGCHLD, signals.SIG_DFL)
    child = guard.fork_bound()
    if child:
        os.write(answers, b"%d\n" % child)
        status = guard.watch(child, watched)
        os.write(answers, b"%d\n" % status)
        os._exit(status)
    os.close(answers)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
