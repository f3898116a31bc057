"""A gateway whose users have path rules, and a closed part that must stay as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gateway import Gateway
from tests.rules.place import USERS, Place

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Yield the gateway, with what is open and what is closed in it."""
    settings = {"s3": {"public": ["open=ruled", "closed=ruled"]},
                "download": {"hosts": ["127.0.0.1"]}, "streams": {"sweep_seconds": 0.5}}
    with Gateway(tmp_path_factory.mktemp("rules"), users=USERS, settings=settings) as gateway:
        made = Place(gateway)
        made.furnish()
        yield made
