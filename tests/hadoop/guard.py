"""Run one command that cannot outlive its launcher: `guard.py LAUNCHER_PID LOG COMMAND…`.

The guard stays between the two. It polls a pidfd of each, so it notices the launcher's death
whatever killed it and whichever thread had started the guard; and it is the only parent of the
command, which asks the kernel (PR_SET_PDEATHSIG) to be killed should the guard die first.
The command's process id is the guard's one line of output; its exit status is the guard's own.
"""

import ctypes
import os
import select
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(launcher: int, log: str, command: list[str]) -> int:
    """Start `command` with its output in `log`, and wait for it or for the launcher to end."""
    watched = os.pidfd_open(launcher)
    if os.getppid() != launcher:
        return 0
    child = fork_bound()
    if child == 0:
        _become(command, log)
        os._exit(127)
    os.write(sys.stdout.fileno(), b"%d\n" % child)
    return watch(child, watched)


def fork_bound() -> int:
    """Fork a child that is killed should this process end; return what fork returns."""
    libc = ctypes.CDLL(None, use_errno=True)
    guard = os.getpid()
    child = os.fork()
    if child == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:
            os._exit(127)
    return child


def watch(child: int, launcher: int) -> int:
    """Return the exit status of `child`, killed when `launcher`, a pidfd, ends before it."""
    ready = select.poll()
    running = os.pidfd_open(child)
    for descriptor in (launcher, running):
        ready.register(descriptor, select.POLLIN)
    if running not in {descriptor for descriptor, _ in ready.poll()}:
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) % 256


def log_to(log: str) -> None:
    """Send this process's output into the file `log`."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)


def _become(command: list[str], log: str) -> None:
    log_to(log)
    try:
        os.execv(command[0], command)
    except OSError as error:
        os.write(2, f"cannot run {command[0]}: {error}\n".encode())


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
