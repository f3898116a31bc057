"""One process of the cluster: started under a guard, watched by a deadline, killed on demand."""

import os
import random
import signal as signals
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tests.hadoop.jars import HadoopError

GUARD = Path(__file__).with_name("guard.py")
POLL_SECONDS = 0.05
STOP_SECONDS = 10.0
LOG_TAIL_LINES = 40
DEADLY = frozenset({signals.SIGKILL, signals.SIGTERM, signals.SIGINT})


def free_port() -> int:
    """Return a TCP port free on 127.0.0.1, outside the range of outgoing connections.

    A daemon that is killed and started again must find its port free, and the kernel may give
    any port of the ephemeral range to a client meanwhile; so this takes one from below it.
    """
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    chooser = random.SystemRandom()
    for _ in range(200):
        port = chooser.randrange(min(10_000, first // 2), first)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise HadoopError(f"no free TCP port found below {first} on 127.0.0.1")


def wait_until(what: str, ready: Callable[[], bool], *, seconds: float) -> None:
    """Poll `ready` until it is true; raise with `what` when `seconds` have passed."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise HadoopError(f"{what}: not so after {seconds:g} s")
        time.sleep(POLL_SECONDS)


class Guard(Protocol):
    """What a Daemon asks of the process that guards its own, as subprocess.Popen has it."""

    returncode: int | None

    def poll(self) -> int | None:
        """Return the exit status, or None as long as it runs."""

    def wait(self, seconds: float) -> int:
        """Wait for the end; TimeoutExpired when it has not come after these seconds."""


class Daemon:
    """A command with a log file that can be started, killed and started again."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, env: Mapping[str, str]
    ) -> None:
        self.name = name
        self.pid: int | None = None
        self._command = list(command)
        self._log = log
        self._env = dict(env)
        self._log_start = 0
        self._guard: Guard | None = None

    @property
    def running(self) -> bool:
        """Whether the process is there, stopped by a signal or not."""
        return self._guard is not None and self._guard.poll() is None

    def start(self) -> None:
        """Start the process; it is not ready for work before its own signs say so."""
        if self.running:
            raise HadoopError(f"{self.name} is running already, as process {self.pid}")
        self._log.touch()
        self._log_start = self._log.stat().st_size
        self._guard, line = self._spawn()
        if not line:
            raise HadoopError(f"{self.name} did not start; see {self._log}")
        self.pid = int(line)

    def has_logged(self, text: str) -> bool:
        """Whether the process has written `text` into its log since its latest start."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            return text.encode() in log.read()

    def signal(self, number: signals.Signals) -> None:
        """Send a signal, and wait for the end when it is a deadly one."""
        if not self.running or self.pid is None:
            raise HadoopError(f"{self.name} is not running")
        os.kill(self.pid, number)
        if number in DEADLY:
            self._wait()

    def stop(self) -> None:
        """End the process if it is there, by SIGKILL: nothing of a test cluster is kept."""
        if self.running:
            self.signal(signals.SIGKILL)

    def finish(self, *, seconds: float) -> None:
        """Wait for a command that ends by itself, and raise unless it succeeded."""
        self._wait(seconds)
        assert self._guard is not None
        if self._guard.returncode != 0:
            raise HadoopError(self.explain(f"{self.name} ended with {self._guard.returncode}"))

    def await_ready(self, what: str, ready: Callable[[], bool], *, seconds: float) -> None:
        """Poll `ready` while the process lives; raise with the log's tail on end or deadline."""

        def alive_and_ready() -> bool:
            if not self.running:
                raise HadoopError("the process has ended")
            return ready()

        try:
            wait_until(what, alive_and_ready, seconds=seconds)
        except HadoopError as error:
            raise HadoopError(self.explain(f"{self.name}: {error}")) from None

    def explain(self, message: str) -> str:
        """Return `message` followed by the last lines of the log."""
        lines = self._log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "\n".join([message, f"the end of {self._log}:", *lines])

    def _spawn(self) -> tuple[Guard, bytes]:
        """Start the guard; return it with the line that has the process id."""
        guard = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", str(GUARD), str(os.getpid()), str(self._log)),
                *self._command,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=self._env,
            # Ctrl-C belongs to the launcher, which stops its daemons in order.
            start_new_session=True,
        )
        assert guard.stdout is not None
        with guard.stdout as told:
            return guard, told.readline()

    def _wait(self, seconds: float = STOP_SECONDS) -> None:
        assert self._guard is not None
        try:
            self._guard.wait(seconds)
        except subprocess.TimeoutExpired:
            raise HadoopError(
                self.explain(f"{self.name} is still running after {seconds:g} s")
            ) from None
