"""One directory for each test, on each backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.client import Files, fresh_name

if TYPE_CHECKING:
    from tests.gateway import Gateway


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """Return which backend the test runs over: embedded, namenode or httpfs."""
    return str(request.node.callspec.params["gateway"])


@pytest.fixture
def files(gateway: Gateway, backend: str) -> Files:
    """Return the user `someone` (alice) with a new directory of their own."""
    work = Files(gateway, backend, f"/user/alice/{fresh_name()}")
    work.call("PUT", "/f/directory", 201, path=work.directory, permission="755")
    return work
