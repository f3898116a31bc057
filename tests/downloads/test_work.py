"""One run of a download without a gateway around it."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest

from app.core.errors import AccessDenied, UpstreamUnavailable
from app.core.identity import Principal
from app.core.job_errors import JobAborted
from app.downloads import records, work
from app.downloads.account import Account
from app.downloads.fetching import Fetcher, Limits
from app.downloads.guard import Guard
from app.downloads.orders import Orders
from app.downloads.plan import Item, listed
from app.jobs.record import Job
from app.jobs.running import Running
from app.jobs.runs import ABORTED, HANDED_ON
from app.settings import DownloadSettings
from app.state import open_store
from tests.downloads.sources import Source, Visit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from app.state.store import Store

KEPT_SECONDS = 60.0


class Bench:
    """Downloads whose objects become entries of `objects`; `faults` are raised first, in turn."""

    def __init__(self, store: Store, source: Source) -> None:
        self.store = store
        self.source = source
        self.objects: dict[str, bytes] = {}
        self.faults: list[Exception] = []
        fetcher = Fetcher(
            Guard([source.authority], [ip_network("127.0.0.1/32")]), Limits(20.0, 0, 0))
        self.room = work.Downloads(
            store, fetcher, DownloadSettings(at_once=2), self.put, kept_seconds=KEPT_SECONDS)

    def put(self, _who: Principal, place: tuple[str, str], pieces: Iterable[bytes],
            _type: str) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.objects[place[1]] = b"".join(pieces)

    def running(self, *names: str) -> Running:
        plan = listed([Item(name, f"{self.source.url}/{name}") for name in names])
        key = records.keep(self.store, plan, {"x-secret": "opensesame"})
        spec = {"kept": key, "orders": Orders()._asdict(), "plan_total": plan.total}
        return Running(Job("1", work.KIND, "someone", "bck", spec), Principal("someone", "alice"))

    def secrets(self) -> list[object]:
        return [value["headers"] for _, value in self.store.scan(records.PLANS)
                if value["headers"]]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(work, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(work, "UPSTREAM_PAUSES", (0.0, 0.0, 0.0))
    with Source(lambda visit: visit.answer(visit.target.encode())) as source:
        yield Bench(open_store("sqlite:", tmp_path), source)


def test_hdfs_that_is_away_is_waited_for(bench: Bench) -> None:
    bench.faults = [UpstreamUnavailable("away")] * 3
    running = bench.running("a")
    bench.room.work(running)
    assert bench.objects == {"a": b"/a"}
    assert (running.job.objects, running.job.bytes, running.job.failed) == (1, 2, 0)
    assert not bench.secrets()


def test_hdfs_that_stays_away(bench: Bench) -> None:
    bench.faults = [UpstreamUnavailable("away")] * 4
    running = bench.running("a")
    bench.room.work(running)
    assert (running.job.objects, running.job.failed) == (0, 1)
    assert running.job.errors == ("a: away",)


def test_what_may_not_be_written_is_not_tried_again(bench: Bench) -> None:
    bench.faults = [AccessDenied("/bck/a")]
    running = bench.running("a")
    bench.room.work(running)
    assert running.job.errors == ("a: permission denied: /bck/a",)
    assert not bench.faults
    assert not bench.objects


def test_a_fault_of_the_gateway_ends_the_job(bench: Bench) -> None:
    bench.faults = [RuntimeError("nobody expected it")]
    with pytest.raises(RuntimeError):
        bench.room.work(bench.running("a", "b", "c"))
    assert not bench.secrets()


@pytest.mark.parametrize(("reason", "kept"), [(ABORTED, False), (HANDED_ON, True)])
def test_what_is_kept_when_it_is_ended(bench: Bench, reason: str, *, kept: bool) -> None:
    running = bench.running("a", "b")

    def ending(visit: Visit) -> None:
        running.end(reason)
        visit.hang()

    bench.source.script = ending
    with pytest.raises(JobAborted):
        bench.room.work(running)
    assert bool(bench.secrets()) is kept
    assert not bench.objects
    assert running.job.failed == 0


def test_it_goes_on_where_it_was(bench: Bench) -> None:
    running = bench.running("a", "b", "c")
    bench.source.scripts["/b"] = lambda visit: visit.answer(b"", status="404 Never")
    bench.room.work(running)
    cursor = running.job.cursor
    assert all(Account(cursor).has(number) for number in range(3))
    assert {one["name"] for one in Account(cursor).errors} == {"b"}
    bench.source.visits.clear()
    records.cancel(bench.store, "1", 0)
    again = bench.running("a", "b", "c", "d")
    again.progress(cursor=cursor)
    bench.room.work(again)
    assert bench.source.targets() == ["/d"]


def test_what_was_cancelled_before_it_began(bench: Bench) -> None:
    running = bench.running("a", "b")
    records.cancel(bench.store, "1", 1)
    bench.room.work(running)
    assert bench.source.targets() == ["/a"]
    assert running.job.errors == ("b: it was cancelled",)
    assert records.cancelled(bench.store, "1") == frozenset()
