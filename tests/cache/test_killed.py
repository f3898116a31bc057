"""kill -9 of workers at any point: what is read afterwards is right, and nothing is lost."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from app.cache import disk as disks
from tests.cache.conftest import CAPACITY, Upstream, chunk_files, read
from tests.cache.worker_process import FILES, SIZE
from tests.gateway import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from app.cache.read_cache import ReadCache

KILLS = 10


def test_workers_killed_at_any_point(
    tmp_path: Path, make: Callable[..., ReadCache], monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk, chance = tmp_path / "disk", random.Random(5)
    command = [sys.executable, "-m", "tests.cache.worker_process", str(disk),
               str(tmp_path / "state.db")]

    def begun(seed: int) -> subprocess.Popen[str]:
        worker = subprocess.Popen(
            [*command, str(seed)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        assert worker.stdout
        assert worker.stdout.readline() == "begins\n"
        return worker

    workers = [begun(number) for number in range(3)]
    try:
        for seed in range(3, KILLS + 3):
            # Not to wait for something, but to strike at another point each time.
            time.sleep(chance.uniform(0, 0.2))
            victim = workers.pop(chance.randrange(len(workers)))
            victim.kill()
            rest, _ = victim.communicate(timeout=30)
            assert not rest
            workers.append(begun(seed))
    finally:
        for worker in workers:
            worker.kill()
            rest, _ = worker.communicate(timeout=30)
    cache = make()
    for number in range(1, FILES + 1):
        upstream = Upstream(SIZE, number=number)
        assert read(cache, upstream) == upstream.content
        assert upstream.read == sum(length for _, length in upstream.opened)
        again = Upstream(SIZE, number=number)
        assert read(cache, again) == again.content
    monkeypatch.setattr(disks, "_YOUNG_SECONDS", -1.0)
    for _ in range(256):
        cache.beat()
    on_disk = sum(file.stat().st_size for file in chunk_files(disk))
    assert on_disk == cache.usage()[str(disk)].used <= CAPACITY
    assert cache.figures().errors == 0
