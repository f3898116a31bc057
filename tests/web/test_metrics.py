"""The gateway's figures: exact at any moment, over processes and threads."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from prometheus_client.values import MutexValue

from app.web.cells import cell

if TYPE_CHECKING:
    from pathlib import Path

COUNTING = """
import os, sys, threading
from types import SimpleNamespace
from app.web.metrics import Metrics
metrics = Metrics()

def ask(operation, status, seconds, received=0, sent=0):
    metrics.begin()
    metrics.end(SimpleNamespace(
        operation=operation, status=status, bytes_in=received, bytes_out=sent), seconds)

sys.setswitchinterval(1e-6)
ask("file_status", 200, 0.001, sent=100)
ask("file_status", 200, 0.0011, sent=100)
ask("file_status", 404, 1000)
ask("", 400, 0)
metrics.begin()
child = os.fork()
if not child:
    ask("file_status", 200, 0.02, received=7)
    metrics.begin()
    text = metrics.exposition()[0].decode()
    os._exit(0 if 'active_requests 2.0' in text else 1)
assert os.waitpid(child, 0)[1] == 0
threads = [threading.Thread(target=lambda: [ask("busy", 200, 0.1, 1, 2) for _ in range(3000)])
           for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
for number in range(200): ask(f"operation_{number:03d}", 200, 0.1)
print(metrics.exposition()[0].decode())
"""


def figures(directory: Path) -> dict[str, float]:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(directory)}
    told = subprocess.run(
        [sys.executable, "-c", COUNTING], env=environment, check=True, capture_output=True,
        text=True, timeout=60).stdout
    lines = (line.rpartition(" ") for line in told.splitlines() if line and line[0] != "#")
    return {name: float(value) for name, _, value in lines}


def test_each_request_counts_once_whoever_served_it(tmp_path: Path) -> None:
    told = figures(tmp_path)

    def one(name: str, **labels: str) -> float:
        inside = ",".join(f'{label}="{value}"' for label, value in labels.items())
        return told[f"httpfs_proxy_{name}{{{inside}}}"]

    status = {"operation": "file_status"}
    assert one("requests_total", **status, status="200") == 3
    assert one("requests_total", **status, status="404") == 1
    assert one("requests_total", operation="none", status="400") == 1
    assert one("received_bytes_total", **status) == 7
    assert one("sent_bytes_total", **status) == 200
    assert one("request_seconds_count", **status) == 4
    assert round(one("request_seconds_sum", **status), 6) == 1000.0221
    below = [one("request_seconds_bucket", le=bound, **status)
             for bound in ("0.001", "0.0025", "0.01", "0.025", "600.0", "+Inf")]
    assert below == [1, 2, 2, 3, 3, 4]
    assert told["httpfs_proxy_active_requests"] == 1, "the child is gone"
    busy = {"operation": "busy"}
    assert one("requests_total", **busy, status="200") == 12000
    assert (one("received_bytes_total", **busy), one("sent_bytes_total", **busy)) == (12000, 24000)
    assert all(one("requests_total", operation=f"operation_{number:03d}", status="200") == 1
               for number in range(200)), "the files have grown by then"


def test_a_number_that_is_not_mapped_counts_too() -> None:
    value: Any = MutexValue(  # type: ignore[no-untyped-call]
        "counter", "a", "a", (), (), "")
    cell(value)[0] += 2
    cell(value)[0] += 3
    assert value.get() == 5


def test_figures_lie_on_disk_space_that_they_have(tmp_path: Path) -> None:
    # A write where a mapped file has a hole and the disk no room ends the process.
    figures(tmp_path)
    files = list(tmp_path.glob("*.db"))
    assert len({file.stem.rpartition("_")[2] for file in files}) > 1, "of more processes than one"
    for file in files:
        stat = file.stat()
        assert stat.st_blocks * 512 >= stat.st_size, file.name
