"""What processes cost, as the kernel accounts it in /proc."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TICKS = os.sysconf("SC_CLK_TCK")
RESET_PEAK = "5"


class Processes:
    """The serving processes by role; pids are asked anew each time, as workers come and go."""

    def __init__(self, roles: Mapping[str, Callable[[], Sequence[int]]]) -> None:
        self._roles = roles

    def cpu(self) -> dict[str, float]:
        """Return the CPU seconds, user and system, that each role has used so far."""
        return {role: sum(map(_cpu_seconds, pids())) for role, pids in self._roles.items()}

    def memory(self, role: str) -> float:
        """Return the resident MiB of a role's processes together."""
        return sum(_status_mib(pid, "VmRSS") for pid in self._roles[role]())

    def peak_memory(self, role: str) -> float:
        """Return the sum of each process's largest resident MiB since `reset_peak`."""
        return sum(_status_mib(pid, "VmHWM") for pid in self._roles[role]())

    def reset_peak(self, role: str) -> None:
        """Begin to look for the peak anew."""
        for pid in self._roles[role]():
            Path(f"/proc/{pid}/clear_refs").write_text(RESET_PEAK)


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return the CPU seconds each role used between two accounts."""
    return {role: after[role] - before[role] for role in after}


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _status_mib(pid: int, field: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:"))
