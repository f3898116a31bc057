"""Bandwidth is that of all transfers of a user together, however many they are."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import create_environ

from app.core.identity import Principal
from app.core.limits import LEAST_RATE
from app.sections.limits import LimitSettings
from app.state.ledger import DOWNLOAD, UPLOAD, Ledger
from app.web import limits
from app.web.body import CHUNK
from app.web.exchange import begin
from app.web.limits import Limits, Meter

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 300.0


class Moment:
    """A clock that stands, and what somebody would have slept since it was last asked for."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept = 0.0

    def sleep(self, seconds: float) -> None:
        self.slept = seconds


@pytest.mark.parametrize("bucket", [UPLOAD, DOWNLOAD])
@pytest.mark.parametrize(("rate", "transfers"), [
    (200_000, 10), (200_000, 900), (LEAST_RATE, 400), (50_000_000, 20)])
def test_many_transfers_get_no_more_than_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bucket: int, rate: int, transfers: int,
) -> None:
    moment = Moment()
    monkeypatch.setattr(limits.time, "sleep", moment.sleep)
    counts = Ledger(tmp_path / "limits", clock=lambda: moment.now)
    gateway = Limits(LimitSettings(user_upload=rate, user_download=rate), counts, lambda *_: None)

    def meter() -> Meter:
        exchange = begin(create_environ("/x"), ())
        exchange.limits, exchange.meter = gateway, gateway.meter(exchange)
        exchange.principal = Principal("alice", "alice")
        assert exchange.meter
        return exchange.meter

    due = [(moment.now, number) for number in range(transfers)]
    meters, total = [meter() for _ in due], 0
    while due[0][0] < 1000.0 + SECONDS:
        moment.now, number = heapq.heappop(due)
        size = min(CHUNK, meters[number].most(bucket))
        moment.slept = 0.001
        (meters[number].received if bucket == UPLOAD else meters[number].sent)(size)
        total += size
        heapq.heappush(due, (moment.now + moment.slept, number))
    at_once = rate + transfers * 16 * 1024  # what may always come at once
    assert total <= at_once * 1.1 + rate * SECONDS * 1.1
