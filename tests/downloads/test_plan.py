"""What a download fetches, its account and its pace, without a gateway."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.download_errors import InvalidLink
from app.core.errors import InvalidParameter
from app.downloads.account import SHOWN, Account
from app.downloads.flight import Flight
from app.downloads.orders import checked_headers
from app.downloads.pace import Pace
from app.downloads.plan import Item, listed, numbered, of_spec, ranged


def again(spec: object) -> object:
    """Return what the store gives back."""
    return json.loads(json.dumps(spec))


def test_a_plan_is_the_same_when_it_was_kept() -> None:
    for plan in (listed([Item("a", "http://h/1"), Item("b", "http://h/2")]),
                 ranged("h/a{08..12..2}-{1..2}.gz?sig=a/b", "/in/"),
                 numbered("h", "a", ".gz", start=9, end=11, step=1, digits=0)):
        kept = of_spec(again(plan.spec))
        assert kept.total == plan.total
        items = [plan.item(number) for number in range(plan.total)]
        assert [kept.item(number) for number in range(kept.total)] == items
        assert [plan.find(item) for item in items] == list(range(plan.total))
        assert plan.find(Item("a", "http://other/")) is None


def test_what_templates_become() -> None:
    plan = ranged("https://h/x/a{08..10..2}-{1..2}.gz?sig=a/b", "/in/")
    assert [plan.item(number) for number in range(plan.total)] == [
        Item(f"in/a{first}-{second}.gz", f"https://h/x/a{first}-{second}.gz?sig=a/b")
        for first in ("08", "10") for second in (1, 2)]
    plan = numbered("h", "a", "", start=9, end=10, step=1, digits=3)
    assert [plan.item(number) for number in (0, 1)] == [
        Item("a009", "h/a009"), Item("a010", "h/a010")]


def test_the_same_object_twice_is_one() -> None:
    assert listed([Item("a", "http://h/1"), Item("a", "http://h/1")]).total == 1
    with pytest.raises(InvalidParameter):
        listed([Item("a", "http://h/1"), Item("a", "http://h/2")])


def test_a_plan_is_checked() -> None:
    seen: list[str] = []
    listed([Item("a", "http://h/1"), Item("b", "http://i/2")]).check(
        lambda link: seen.append(link.host))
    assert seen == ["h", "i"]
    with pytest.raises(InvalidLink):
        listed([Item("a", "http://h/1"), Item("b", "http://u@i/2")]).check(lambda _: None)


def taken(account: Account) -> list[int]:
    """Return all numbers that are left."""
    return list(iter(account.take, None))


@given(st.permutations(range(12)), st.integers(0, 12), st.integers(0, 12))
def test_an_account_goes_on_where_it_was(order: list[int], begun: int, ended: int) -> None:
    """Whatever the order of the ends, what is left after a restart is what was not over."""
    account = Account(None, 12)
    assert [account.take() for _ in range(begun)] == list(range(begun))
    over = [number for number in order if number < begun][:ended]
    cursor = None
    for number in over:
        flight = Flight(number, f"o{number}", 60.0)
        flight.error = "broken" if number % 3 == 0 else ""
        cursor = account.close(flight)
    account = Account(again(cursor), 12)
    assert all(account.has(number) == (number in over) for number in range(12))
    assert {one["name"] for one in account.errors} == {
        f"o{number}" for number in over if number % 3 == 0}
    assert taken(account) == sorted(set(range(12)) - set(over))


def test_an_account_does_not_grow_without_end() -> None:
    """One object that takes for ever does not make the record of the others long."""
    account = Account(None, 5000)
    cursor = None
    for number in taken(account)[1:]:
        cursor = account.close(Flight(number, f"o{number}", 60.0))
    kept = Account(again(cursor), 5000)
    assert len(kept.finished) == SHOWN
    assert kept.finished[-1]["name"] == "o4999"
    assert len(json.dumps(cursor)) < 40_000
    assert taken(kept) == [0]


def test_a_pace() -> None:
    assert Pace(0).wait_after(10**12) == 0.0
    pace = Pace(3600)
    assert 9.0 < pace.wait_after(10) <= 10.0
    assert 19.0 < pace.wait_after(10) <= 20.0


def test_headers_that_may_be_sent() -> None:
    assert checked_headers({"Authorization": "Bearer a.b", "X-Api-Version": "2 3", "accept": "*/*",
                            }) == {"authorization": "Bearer a.b", "x-api-version": "2 3",
                                   "accept": "*/*"}


@pytest.mark.parametrize("name", [
    "Host", "host", "Cookie", "Connection", "Content-Length", "Transfer-Encoding", "TE", "Range",
    "If-None-Match", "Expect", "Upgrade", "Accept-Encoding", "Proxy-Authorization", "Forwarded",
    "Via", "X-Forwarded-Host", "x-real-ip", "X-Original-URL", "X-Rewrite-URL",
    "X-HTTP-Method-Override", "X-aws-ec2-metadata-token", "X-Google-Metadata-Request",
    "Metadata-Flavor", "Metadata", "", " ", "X-A ", "X-A\r\nHost", "X-A:", "x-é",
])
def test_headers_that_may_not(name: str) -> None:
    with pytest.raises(InvalidParameter):
        checked_headers({name: "a"})


@pytest.mark.parametrize("value", ["a\r\nHost: b", "a\nb", "a\0b", "", " a", "a ", "a" * 8193,
                                   "\u4e2d"])
def test_values_that_may_not(value: str) -> None:
    with pytest.raises(InvalidParameter) as raised:
        checked_headers({"Authorization": value})
    assert "…" in str(raised.value)
