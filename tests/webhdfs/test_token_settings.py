"""The settings of delegation tokens, as clients of a gateway find them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.gateway import Gateway
from tests.webhdfs.client import Client

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gunicorn


def test_lives_and_numbers_of_tokens_are_set(tmp_path: Path) -> None:
    settings = {"token_renew_seconds": 600, "token_max_seconds": 300, "max_tokens": 1}
    with Gateway(tmp_path, workers=1, settings={"webhdfs": settings}) as gateway:
        client = Client(gateway.url)
        token = client.ask("GET", "/", "GETDELEGATIONTOKEN").json["Token"]["urlString"]
        refused = client.ask("GET", "/", "GETDELEGATIONTOKEN")
        assert refused.told == (403, "AccessControlException")
        assert "too many delegation tokens: a user has at most 1" in refused.message
        until = client.ask("PUT", "/", "RENEWDELEGATIONTOKEN", token=token).json["long"] / 1000
        assert time.time() < until <= time.time() + 300
        assert client.ask("PUT", "/", "CANCELDELEGATIONTOKEN", token=token).status == 200
        assert client.ask("GET", "/", "GETDELEGATIONTOKEN").status == 200
