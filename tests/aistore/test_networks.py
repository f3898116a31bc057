"""Who a request to AIStore's dialect is from that brings no credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.aistore.conftest import AIStore
from tests.gateway import Gateway, default_users

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.gunicorn


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AIStore]:
    """Yield a client without credentials, whose network stands for the user `near`."""
    users = {**default_users(), "near": {"hadoop_user": "alice", "bucket_root": "/user/alice"}}
    settings = {"auth": {"networks": ["127.0.0.0/8=near"]}}
    directory = tmp_path_factory.mktemp("mapped")
    with Gateway(directory, users=users, settings=settings) as gateway:
        gateway.make_home("alice")
        yield AIStore(gateway, None)


def test_a_program_is_the_user_of_its_network(mapped: AIStore) -> None:
    assert mapped.call("POST", "buckets/near", {"action": "createlb"}).status_code == 200
    assert mapped.call("GET", "buckets/*").json()["ais"] == ["near"]
    assert mapped.gateway.audit()[-1]["user"] == "near"


def test_a_browser_and_who_sends_credentials_are_not(mapped: AIStore) -> None:
    page = {"Origin": "http://elsewhere.example"}
    made = mapped.call("POST", "buckets/by-a-page", {"action": "createlb"}, headers=page)
    assert made.status_code == 401
    wrong = mapped.gateway.request("GET", "/v1/buckets/*", auth=("near", "wrong"))
    assert wrong.status_code == 401
    assert "by-a-page" not in mapped.call("GET", "buckets/*").json()["ais"]


def test_cluster_and_daemon_stay_the_admins(mapped: AIStore) -> None:
    for place in ("cluster?what=stats", "daemon?what=smap"):
        assert mapped.call("GET", place).status_code == 403
