"""Times and durations as Go writes them."""

from __future__ import annotations

import pytest

from app.aistore.times import LAYOUTS, layout_of, seconds_of, written
from app.core.errors import InvalidParameter

TIME = 1_136_239_445_120
"""2006-01-02 22:04:05.12 UTC, the time of Go's layouts."""


@pytest.mark.parametrize(("layout", "text"), [
    ("", "02 Jan 06 22:04 UTC"), ("ANSIC", "Mon Jan  2 22:04:05 2006"),
    ("UnixDate", "Mon Jan  2 22:04:05 UTC 2006"), ("RubyDate", "Mon Jan 02 22:04:05 +0000 2006"),
    ("RFC822", "02 Jan 06 22:04 UTC"), ("RFC822Z", "02 Jan 06 22:04 +0000"),
    ("RFC850", "Monday, 02-Jan-06 22:04:05 UTC"), ("RFC1123", "Mon, 02 Jan 2006 22:04:05 UTC"),
    ("RFC1123Z", "Mon, 02 Jan 2006 22:04:05 +0000"), ("RFC3339", "2006-01-02T22:04:05Z"),
    ("RFC3339Nano", "2006-01-02T22:04:05.12Z"), ("Kitchen", "10:04PM"),
    ("Stamp", "Jan  2 22:04:05"), ("StampMilli", "Jan  2 22:04:05.120"),
    ("StampMicro", "Jan  2 22:04:05.120000"), ("StampNano", "Jan  2 22:04:05.120000000"),
    ("02 Jan 06 15:04 -0700", "02 Jan 06 22:04 +0000"), ("3:04PM", "10:04PM"),
])
def test_a_time_in_each_layout(layout: str, text: str) -> None:
    assert written(TIME, layout_of(layout)) == text
    assert layout_of(layout) in LAYOUTS


def test_whole_seconds_have_no_fraction() -> None:
    assert written(TIME // 1000 * 1000, "RFC3339Nano") == "2006-01-02T22:04:05Z"


@pytest.mark.parametrize(("text", "seconds"), [
    ("0", 0), ("1h30m", 5400), ("90s", 90), ("1.5s", 1.5), ("250ms", 0.25), ("10m", 600),
    ("3000000000", 3), ("1us", 1e-6), ("1m1ns", 60 + 1e-9),
])
def test_a_duration(text: str, seconds: float) -> None:
    assert seconds_of(text, "deadline") == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "ten", "1d", "-1s", "1 s", "9" * 30, "s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(InvalidParameter):
        seconds_of(text, "deadline")


def test_an_unknown_layout_is_refused() -> None:
    with pytest.raises(InvalidParameter):
        layout_of("%Y")
