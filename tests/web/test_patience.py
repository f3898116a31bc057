"""The one clock for all who wait for a request's head."""

from __future__ import annotations

import time

import gevent
import pytest

from app.web.patience import Patience


def test_who_waits_too_long_goes_on_without_an_error_and_nobody_else() -> None:
    ended: list[str] = []
    patience = Patience(0.6)

    def wait(name: str, seconds: float) -> None:
        for _ in range(3):
            with patience:
                gevent.sleep(seconds)
                ended.append(name)

    def elsewhere() -> None:
        with patience:
            pass
        gevent.sleep(1.5)
        ended.append("elsewhere")

    patience.start()
    gevent.joinall(
        [gevent.spawn(wait, "slow", 60), gevent.spawn(wait, "quick", 0.01),
         gevent.spawn(elsewhere)], raise_error=True, timeout=60)
    assert sorted(ended) == ["elsewhere", "quick", "quick", "quick"]


def test_errors_come_out_and_the_wait_is_forgotten() -> None:
    patience = Patience(0.3)
    patience.start()

    def fail() -> str:
        with pytest.raises(OSError, match="broken"), patience:
            raise OSError("broken")
        gevent.sleep(1)
        return "went on"

    before = time.monotonic()
    assert gevent.spawn(fail).get(timeout=60) == "went on"
    assert time.monotonic() - before >= 1
