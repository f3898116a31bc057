"""Every operation of every dialect: what rules close is refused, not told, and stays as it is."""

from __future__ import annotations

import pytest

from tests.gateway import wait_for
from tests.rules.asked import AIS_JOBS, DIALECTS, Ask, all_names
from tests.rules.place import INSIDE, RULED, SECRET, Place

pytestmark = pytest.mark.gunicorn


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_operation_is_forgotten(dialect: str) -> None:
    beside = {"DeleteObjects"} if dialect == "s3" else set()
    assert {ask.name for ask in DIALECTS[dialect]()} | beside == all_names()[dialect]


@pytest.mark.parametrize("user", RULED)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_closed_stays_closed(place: Place, dialect: str, user: str) -> None:
    before = place.fingerprint()
    wrong = []
    for ask in DIALECTS[dialect]():
        told = _answer(place, ask, "ruled-admin" if ask.by_admin else user)
        if told:
            wrong.append(f"{ask.name} {ask.url} {ask.params}: {told}")
    assert not wrong, "\n".join(wrong)
    wait_for("the end of all jobs", lambda: _is_idle(place), seconds=120)
    assert place.fingerprint() == before


def _answer(place: Place, ask: Ask, user: str) -> str:
    """Return what is wrong with an answer, "" for nothing."""
    headers = {**ask.headers, **({"Content-Type": ask.type} if ask.type else {})}
    answer = place.request(user, ask.method, ask.url, params=dict(ask.params), data=ask.data,
                           headers=headers)
    if SECRET in answer.text or INSIDE in answer.text.replace(f"deep/{INSIDE}", ""):
        return f"tells what is inside: {answer.text[:500]}"
    if ask.name in AIS_JOBS and answer.status_code < 300:
        return ""
    # Alluxio says so with 500, as its servers do.
    refused = answer.status_code == 403 or '"status":"PERMISSION_DENIED"' in answer.text
    return "" if refused else f"{answer.status_code} {answer.text[:300]}"


def _is_idle(place: Place) -> bool:
    jobs = place.request("admin", "GET", "/v1/cluster", params={"what": "xaction"})
    return jobs.status_code == 200 and '"endTime":""' not in jobs.text
