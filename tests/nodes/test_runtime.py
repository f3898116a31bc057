"""Settings that change at run time, durations, versions, disks and processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from app.core.errors import InvalidParameter, Unsupported
from app.core.node_errors import UnknownSetting
from app.nodes import process
from app.nodes.disks import Disks
from app.nodes.durations import duration, parse_duration
from app.nodes.node import Node
from app.nodes.orders import Orders
from app.nodes.runtime import HEARTBEAT_ALLOWED, Changeable, RuntimeSettings, parse_heartbeat
from app.nodes.versions import version_of
from app.state.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "state.db")) as made:
        yield made


class Gateway:
    """What the settings of one gateway are."""

    def __init__(self, store: SqliteStore, name: str) -> None:
        self.level = "INFO"
        self.heartbeat = 5.0
        self.settings = RuntimeSettings(store, name, (
            Changeable(("stats_time", "periodic.stats_time"), HEARTBEAT_ALLOWED, parse_heartbeat,
                       lambda value: setattr(self, "heartbeat", value)),
            Changeable(("log.level",), "any text", str,
                       lambda value: setattr(self, "level", value))))


def test_for_all_or_for_one_and_the_later_counts(store: SqliteStore) -> None:
    one, two = Gateway(store, "one"), Gateway(store, "two")
    one.settings.change({"periodic.stats_time": "1m30s"}, everywhere=True)
    two.settings.beat()
    assert one.heartbeat == two.heartbeat == 90.0
    two.settings.change({"stats_time": "2s", "log.level": "DEBUG"}, everywhere=False)
    one.settings.beat()
    assert (one.heartbeat, one.level) == (90.0, "INFO")
    assert (two.heartbeat, two.level) == (2.0, "DEBUG")
    again = Gateway(store, "two")
    again.settings.beat()
    assert (again.heartbeat, again.level) == (2.0, "DEBUG")
    one.settings.change({"stats_time": "7s"}, everywhere=True)
    two.settings.beat()
    assert (two.heartbeat, two.level) == (7.0, "DEBUG")


def test_all_or_none(store: SqliteStore) -> None:
    one = Gateway(store, "one")
    with pytest.raises(UnknownSetting, match=r"backend\.url.*stats_time, log\.level"):
        one.settings.change({"stats_time": "1s", "backend.url": "x"}, everywhere=True)
    for wrong in ("", "1", "s", "0s", "-1s", "1s ", "2h", "1d", "1s1"):
        with pytest.raises(InvalidParameter, match="from 200ms to 1h"):
            one.settings.change({"log.level": "DEBUG", "stats_time": wrong}, everywhere=True)
    assert (one.heartbeat, one.level) == (5.0, "INFO")


@pytest.mark.parametrize(("text", "seconds"), [
    ("10s", 10), ("1m30s", 90), ("100ms", 0.1), ("1.5h", 5400), ("250us", 0.00025)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("seconds", [0.2, 1, 60, 90, 3600, 5400, 86400])
def test_durations_are_read_back(seconds: float) -> None:
    assert parse_duration(duration(seconds)) == seconds


def test_a_version_grows_with_what_it_tells_of(store: SqliteStore) -> None:
    first = version_of(store, "map", {"a": [1, 2], "b": None})
    assert version_of(store, "map", {"b": None, "a": [1, 2]}) == first
    second = version_of(store, "map", {"a": [1, 2]})
    assert second == first._replace(number=first.number + 1)
    assert version_of(store, "other", {}).uuid != first.uuid


def test_processes_of_this_gateway() -> None:
    assert process.master() == 0
    load = process.load()
    assert load.memory > 1_000_000
    assert load.memory_available > 1_000_000
    assert load.cpu_seconds > 0
    with pytest.raises(Unsupported):
        process.stop()


def test_the_start_is_known_where_proc_shows_processes_alone() -> None:
    # As under systemd's ProcSubset=pid.
    script = (
        "from pathlib import Path\n"
        "whole = Path.read_text\n"
        "def read_text(self, *given):\n"
        "    if self.parent == Path('/proc'):\n"
        "        raise FileNotFoundError(self)\n"
        "    return whole(self, *given)\n"
        "Path.read_text = read_text\n"
        "from app.nodes import process\n"
        "print(process.started())\n"
    )
    before = time.time()
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True)
    # The kernel counts in hundredths of a second.
    assert before - 0.1 <= int(done.stdout) / 1000 <= time.time() + 0.1


def test_a_parent_that_is_no_gunicorn_is_not_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    # Whoever inherits the variable from a gunicorn is no worker of it.
    monkeypatch.setenv("SERVER_SOFTWARE", "gunicorn/27.0")
    assert process.master() == 0


def test_nobody_is_ordered_to_stop_where_this_gateway_cannot(store: SqliteStore) -> None:
    other = Node("other", "http://other", 1000, "1", 1)
    with pytest.raises(Unsupported):
        Orders(store, "one", 1).stop([other])
    assert not [*store.scan("node-stop")]


def test_an_order_to_the_one_before_is_forgotten(store: SqliteStore) -> None:
    store.put("node-stop", "one", {"started": 1000})
    Orders(store, "one", 999_000).beat()
    assert store.get("node-stop", "one") is None


def test_rates_of_disks_come_with_the_second_look(tmp_path: Path) -> None:
    disks = Disks()
    assert disks.rates([str(tmp_path), "/proc", "/nowhere"]) == {}
    for name, rates in disks.rates([str(tmp_path)]).items():
        assert os.path.exists(f"/sys/class/block/{name}")  # noqa: PTH110
        assert 0 <= rates.busy <= 100
