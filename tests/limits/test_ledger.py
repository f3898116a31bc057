"""The counts that workers keep together."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from app.state import ledger
from app.state.ledger import DOWNLOAD, REQUESTS, Ledger

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counts(tmp_path: Path, clock: Clock) -> Ledger:
    return Ledger(tmp_path / "limits", clock=clock)


def fails(*_: object) -> None:
    raise OSError(errno.ENOLCK, "no locks")


ALICE, BOB = ledger.user("alice"), ledger.user("bob")


def test_a_bucket_gives_its_burst_and_then_its_rate(counts: Ledger, clock: Clock) -> None:
    assert [counts.spend(ALICE, 2.0, 3.0) for _ in range(3)] == [0.0] * 3
    assert counts.spend(ALICE, 2.0, 3.0) == 0.5
    assert counts.spend(BOB, 2.0, 3.0) == 0.0, "another's bucket is another"
    clock.now += 0.5
    assert counts.spend(ALICE, 2.0, 3.0) == 0.0
    assert counts.spend(ALICE, 2.0, 3.0) == 0.5, "asking in vain costs nothing"
    clock.now += 100
    assert [counts.spend(ALICE, 2.0, 3.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]


def test_what_is_owed_is_waited_for_within_bounds(counts: Ledger, clock: Clock) -> None:
    def owe(amount: float) -> float:
        return counts.owe(ALICE, DOWNLOAD, amount, rate=100.0, burst=100.0, deepest=6000.0)

    assert owe(100) == 0.0
    assert owe(50) == 0.5
    assert owe(50) == 1.0, "who comes second waits for the first, too"
    clock.now += 1.0
    assert owe(0) == 0.0
    assert owe(1_000_000) == 60.0
    assert counts.owe(ALICE, REQUESTS, 1.0, rate=1.0, burst=1.0, deepest=2.0) == 0.0


def test_a_file_from_before_the_host_was_started_says_nothing(
    tmp_path: Path, clock: Clock,
) -> None:
    before = Ledger(tmp_path / "limits", clock=clock)
    assert before.spend(ALICE, 1.0, 1.0) == 0.0
    clock.now = 5.0
    assert Ledger(tmp_path / "limits", clock=clock).spend(ALICE, 1.0, 1.0) == 0.0


def test_transfers_are_counted_and_freed(counts: Ledger) -> None:
    held = [counts.hold(ALICE, 2), counts.hold(ALICE, 2)]
    assert counts.hold(ALICE, 2) is None
    assert counts.hold(BOB, 2) is not None
    assert held[0] is not None
    counts.free(held[0])
    assert counts.hold(ALICE, 2) is not None
    assert counts.hold(ALICE, 2) is None


def test_what_a_killed_worker_held_is_free(tmp_path: Path) -> None:
    file = tmp_path / "limits"
    code = (f"from pathlib import Path\nfrom app.state import ledger\n"
            f"counts = ledger.Ledger(Path({str(file)!r}))\n"
            "for _ in range(3): assert counts.hold(ledger.user('alice'), 3)\n"
            "print('held', flush=True)\ninput()\n")
    with subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "held\n"
        counts = Ledger(file)
        assert counts.hold(ALICE, 3) is None
        worker.kill()
        # Not waited for: a zombie holds nothing either.
        os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)
        assert counts.hold(ALICE, 3) is not None


def test_processes_count_together(tmp_path: Path) -> None:
    """Four processes at once take what there is, and nothing is counted twice or lost."""
    file = tmp_path / "limits"
    code = (f"from pathlib import Path\nfrom app.state import ledger\n"
            f"counts = ledger.Ledger(Path({str(file)!r}))\n"
            "print(sum(not counts.spend(ledger.user('alice'), 1e-9, 3000) for _ in range(2000)))")
    workers = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
               for _ in range(4)]
    assert sum(int(worker.communicate()[0]) for worker in workers) == 3000


def test_a_lock_that_fails_once_stops_nobody_for_good(
    counts: Ledger, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a network's file system the kernel may have no lock to give."""
    assert counts.spend(ALICE, 1.0, 3.0) == 0.0
    with monkeypatch.context() as patched:
        patched.setattr(ledger.fcntl, "lockf", fails)
        with pytest.raises(OSError, match="no locks"):
            counts.spend(ALICE, 1.0, 3.0)
    later = threading.Thread(target=counts.spend, args=(ALICE, 1.0, 3.0), daemon=True)
    later.start()
    later.join(20)
    assert not later.is_alive()


def test_many_users_find_room_and_who_transfers_is_kept(tmp_path: Path) -> None:
    counts = Ledger(tmp_path / "limits")
    held = counts.hold(ALICE, 1)
    for number in range(20_000):
        counts.spend(ledger.user(f"user {number}"), 1.0, 1.0)
    assert counts.hold(ALICE, 1) is None
    assert held is not None
    counts.free(held)
    assert counts.hold(ALICE, 1) is not None


def test_a_flood_of_addresses_leaves_users_alone(tmp_path: Path) -> None:
    counts = Ledger(tmp_path / "limits", clock=lambda: 1.0)
    assert counts.spend(ALICE, 1.0, 1.0) == 0.0
    for number in range(10_000):
        counts.spend(ledger.address(f"address {number}"), 1.0, 1.0)
    assert counts.spend(ALICE, 1.0, 1.0) == 1.0


def test_a_count_is_cheap(tmp_path: Path) -> None:
    """Microseconds, on a quiet machine; here only that it is nowhere near a millisecond."""
    counts = Ledger(tmp_path / "limits")
    started = time.process_time()
    for _ in range(1000):
        counts.spend(ALICE, 1e9, 1e9)
    assert time.process_time() - started < 0.5
