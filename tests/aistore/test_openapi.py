"""What /openapi.json tells of AIStore's operations is their table, and is told of each."""

from __future__ import annotations

from app.aistore.openapi import described
from app.aistore.openapi_details import _DETAILS
from app.aistore.table import OPERATIONS

PATHS = described()["paths"]


def test_every_operation_is_described_where_it_is_served() -> None:
    places = {(len(one.place), one.place[0], method.lower())
              for one in OPERATIONS for method in one.methods}
    told = {(url.count("/") - 1, url.split("/")[2], method)
            for url, item in PATHS.items() for method in item}
    assert told == places


def test_every_action_is_told() -> None:
    told = [one["requestBody"]["content"]["application/json"]["schema"]["properties"]
            for item in PATHS.values() for one in item.values() if "requestBody" in one
            and "application/json" in one["requestBody"]["content"]]
    actions = {action for one in told for action in one.get("action", {}).get("enum", ())}
    assert actions == {action for one in OPERATIONS for action in one.actions if action}


def test_no_detail_is_of_an_operation_that_is_not_there() -> None:
    served = {f"{method.upper()} {url.removeprefix('/v1')}"
              for url, item in PATHS.items() for method in item}
    assert set(_DETAILS) - served == set()


def test_each_has_a_name_of_its_own_and_a_sentence() -> None:
    operations = [one for item in PATHS.values() for one in item.values()]
    names = [one["operationId"] for one in operations]
    assert len(set(names)) == len(names)
    assert [name for name, one in zip(names, operations, strict=True)
            if not one["summary"].endswith(".")] == []
