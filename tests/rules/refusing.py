"""Asks all that is to be refused, and tells what was not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gateway import wait_for
from tests.rules.asked import AIS_JOBS, DIALECTS
from tests.rules.place import INSIDE, SECRET

if TYPE_CHECKING:
    from tests.rules.asked import Ask
    from tests.rules.place import Place


def refused_of(place: Place, dialect: str, user: str) -> list[str]:
    """Ask all operations of a dialect, and return what is wrong with their answers."""
    wrong = []
    for ask in DIALECTS[dialect]():
        told = _answer(place, ask, "ruled-admin" if ask.by_admin else user)
        if told:
            wrong.append(f"{ask.name} {ask.url} {ask.params}: {told}")
    wait_for("the end of all jobs", lambda: _is_idle(place), seconds=120)
    return wrong


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
