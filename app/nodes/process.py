"""The processes of this gateway: gunicorn's main process and its workers.

What is asked here is asked of Linux's /proc; where there is none, as little as the standard
library knows is told.
"""

from __future__ import annotations

import os
import resource
import signal
import time
from pathlib import Path
from typing import NamedTuple

from app.core.errors import Unsupported

_SERVER_VARIABLE = "SERVER_SOFTWARE"
"""gunicorn sets it for its workers."""


class Load(NamedTuple):
    """What the processes of the gateway take: bytes, and CPU seconds since they began.

    `memory_available` are the bytes that the host has left.
    """

    memory: int
    memory_available: int
    cpu_seconds: float


def master() -> int:
    """Return the process id of gunicorn's main process, 0 where this is no worker of gunicorn.

    A worker is a fork: it has its parent's command line. An orphan has another parent.
    """
    parent = os.getppid()
    if not os.environ.get(_SERVER_VARIABLE, "").startswith("gunicorn"):
        return 0
    own, its = _command(os.getpid()), _command(parent)
    titled = b"gunicorn: "
    alike = own == its or (own.startswith(titled) and its.startswith(titled))
    return parent if own and alike else 0


def started() -> int:
    """Return when the gateway was started, in epoch milliseconds; a reload does not change it."""
    fields = _fields(master() or os.getpid())
    if not fields:
        return int(time.time() * 1000)
    # Not /proc/stat's `btime`: a service may be shown the processes of /proc alone.
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return int((boot + int(fields[19]) / os.sysconf("SC_CLK_TCK")) * 1000)


def stop() -> None:
    """Have gunicorn stop gracefully: what is under way ends whole. Raises Unsupported."""
    pid = master()
    if not pid:
        raise Unsupported("this gateway is no worker of gunicorn: whoever started it stops it")
    os.kill(pid, signal.SIGTERM)


def load() -> Load:
    """Return what all processes of the gateway take."""
    pids = _family()
    page, tick = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
    memory = seconds = 0.0
    for pid in pids:
        if fields := _fields(pid):
            memory += int(fields[21]) * page
            seconds += (int(fields[11]) + int(fields[12])) / tick
    if not memory:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        memory, seconds = usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime
    return Load(int(memory), _available(), seconds)


def _family() -> list[int]:
    """Return gunicorn's main process and its workers, or this process."""
    parent = master()
    if not parent:
        return [os.getpid()]
    try:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    except OSError:
        children = [str(os.getpid())]
    return [parent, *map(int, children)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _fields(pid: int) -> list[str]:
    """Return the fields of a process's stat after its name, from `state` on; [] if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _available() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    found = next((line for line in lines if line.startswith("MemAvailable:")), "x 0 kB")
    return int(found.split()[1]) * 1024
