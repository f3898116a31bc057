"""What is kept of downloads in the state store beside their jobs.

PLANS has what a download fetches and the headers for its sources, which may be secrets, under a key
of its own: lists of downloads need neither. CURRENT has what is under way, written once a second,
CANCELLED the numbers of objects that are not wanted any more, both under the job's id.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

from app.core.download_errors import DownloadStopped
from app.downloads.plan import of_spec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.downloads.plan import Plan
    from app.state.store import Store, Value

CURRENT, CANCELLED, PLANS = "downloads-now", "downloads-cancelled", "downloads-plans"
LONGEST = 30 * 86_400.0
"""Seconds for which a download that is not over may last."""
_CURRENT_SECONDS = 60.0
_KEPT_PLAN = 64 * 1024
"""A longer plan as JSON goes when its download is over: by its links that is not found then."""


class Kept(NamedTuple):
    """What a download fetches, and the headers for its sources."""

    plan: Plan
    headers: Mapping[str, str]


def keep(store: Store, plan: Plan, headers: Mapping[str, str]) -> str:
    """Keep a plan; return the key that its job has of it."""
    key = secrets.token_hex(16)
    store.put(PLANS, key, {"plan": dict(plan.spec), "headers": dict(headers)}, ttl=LONGEST)
    return key


def kept(store: Store, key: str) -> Kept:
    """Return what was kept. Raises DownloadStopped where it is gone."""
    value = store.get(PLANS, key)
    if value is None:
        raise DownloadStopped("what was to be fetched is not kept any more; start it anew")
    return Kept(of_spec(value["plan"]), value["headers"])


def close(store: Store, job_id: str, key: str, seconds: float) -> None:
    """Forget the headers of a download that is over, and a long list; after `seconds` all of it."""
    def closed(value: Value | None) -> Value | None:
        if value is None:
            return None
        is_long = len(json.dumps(value["plan"])) > _KEPT_PLAN
        return {"plan": {"objects": []} if is_long else value["plan"], "headers": {}}

    store.update(PLANS, key, closed, ttl=seconds)
    store.delete(CANCELLED, job_id)
    store.delete(CURRENT, job_id)


def remove(store: Store, key: str) -> None:
    """Forget all of a download."""
    store.delete(PLANS, key)


def tell(store: Store, job_id: str, tasks: Sequence[Mapping[str, Any]]) -> None:
    """Write what is under way of a job."""
    store.put(CURRENT, job_id, {"tasks": list(map(dict, tasks))}, ttl=_CURRENT_SECONDS)


def current(store: Store, job_id: str) -> list[dict[str, Any]]:
    """Return what is under way of a job, as `account.told` tells it; at most a second old."""
    value = store.get(CURRENT, job_id)
    return value["tasks"] if value else []


def cancel(store: Store, job_id: str, number: int) -> None:
    """Have one object of a download not be fetched, whoever runs it."""
    def with_number(value: Value | None) -> Value:
        return {"numbers": sorted({number, *(value or {}).get("numbers", ())})}

    store.update(CANCELLED, job_id, with_number, ttl=LONGEST)


def cancelled(store: Store, job_id: str) -> frozenset[int]:
    """Return the numbers of the objects that are not wanted any more."""
    return frozenset((store.get(CANCELLED, job_id) or {}).get("numbers", ()))
