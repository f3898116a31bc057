"""kill -9 at each step of a rename over another object: both are whole, under one name or two."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import HADOOP
from tests.contract.client import visible_and_hidden
from tests.gateway import wait_for
from tests.live.test_every_step import SWEPT_SECONDS, Step, count, killed_at, scene, ways

if TYPE_CHECKING:
    from tests.live.test_every_step import Scene

__all__ = ["scene", "ways"]
OLD, NEW = b"the one that is replaced" * 100, b"the one that takes its place" * 100
# Where HttpFS cannot replace a file in one step: old aside, new in place, old away.
STEPS = {"namenode": [Step("RENAME")],
         "httpfs": [Step("RENAME"), Step("RENAME", 2), Step("DELETE")]}


def each_step() -> list[Any]:
    """Return backend, step and side of it for all steps."""
    return [
        pytest.param(backend, step, before, marks=HADOOP,
                     id=f"{backend}-{'before' if before else 'after'}-{step.operation}{step.nth}")
        for backend, steps in STEPS.items() for step in steps for before in (True, False)]


@pytest.mark.parametrize(("backend", "step", "before"), each_step())
def test_a_rename_over_an_object(scene: Scene, step: Step, *, before: bool) -> None:
    files = scene.files
    files.call("DELETE", "/f/file", 204, path=files.at("old"))
    files.put("a", NEW)
    files.put("b", OLD)
    bucket = files.directory.strip("/").replace("/", ":")
    killed_at(scene, step, before=before, change={
        "method": "POST", "url": f"/v1/objects/{bucket}/a", "params": {},
        "data": json.dumps({"action": "rename", "name": "b"}).encode()})

    def is_settled() -> bool:
        names = set(visible_and_hidden(files))
        return names in ({"a", "b"}, {"b"}) and count(files) == len(names)

    wait_for("only what should be there", is_settled, seconds=SWEPT_SECONDS)
    if set(visible_and_hidden(files)) == {"b"}:
        assert files.read("b") == NEW
    else:
        assert (files.read("a"), files.read("b")) == (NEW, OLD)
