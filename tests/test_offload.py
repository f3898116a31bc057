"""Long computations hold up neither each other's order nor a gevent hub."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from app.offload import Offload, has_green_threads

UNDER_GEVENT = """
{first}
from app.offload import Offload, has_green_threads
from app.auth.passwords import Passwords
passwords = Passwords(width=2)
from gevent import monkey
monkey.patch_all()
import gevent, time
assert has_green_threads()
text = passwords.hash("right")
started = time.perf_counter()
running = most = 0

def check(i):
    global running, most
    with passwords.slot():
        running += 1
        most = max(most, running)
        assert passwords.verify("right" if i % 2 else "wrong", text) is bool(i % 2)
        running -= 1

ticks = []
def tick():
    while True:
        ticks.append(time.perf_counter())
        gevent.sleep(0.001)

ticker = gevent.spawn(tick)
gevent.joinall([gevent.spawn(check, i) for i in range(8)], raise_error=True)
ticker.kill()
assert most == 2, most
took = time.perf_counter() - started
print(len(ticks), took)
# Were the hub held up, there would be one tick for each hash.
assert len(ticks) > 40, (len(ticks), took)
try:
    Offload(1).run(int, "x")
except ValueError:
    print("raised")
"""


@pytest.mark.parametrize("first", ["", "from gevent import monkey; monkey.patch_all()"])
def test_a_gevent_hub_goes_on(first: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNDER_GEVENT.format(first=first)], capture_output=True, text=True,
        timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("raised\n")
    assert "Traceback" not in done.stderr


def test_without_gevent_it_runs_where_it_is_called() -> None:
    assert not has_green_threads()
    assert Offload(1).run(threading.get_ident) == threading.get_ident()
    with pytest.raises(ValueError, match="invalid literal"):
        Offload(1).run(int, "x")


def test_no_more_than_the_width_at_once() -> None:
    offload = Offload(2)
    lock = threading.Lock()
    running: list[int] = []
    most = 0

    def work() -> None:
        nonlocal most
        with offload.slot():
            with lock:
                running.append(1)
                most = max(most, len(running))
            time.sleep(0.01)
            with lock:
                running.pop()

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == 2
