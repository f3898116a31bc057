"""The stories over an embedded backend and a real HDFS: every answer, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import BACKENDS, backend_options, furnish
from tests.gateway import Gateway, default_users
from tests.streams.replay import Case, Player
from tests.streams.replay_cases import STORY
from tests.streams.replay_edges import EDGES, EXAMPLE

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = "/replayed"
SOURCES = ("srcs", "srcs/mnt1", "srcs/mnt2")


@pytest.fixture(scope="module", params=BACKENDS)
def player(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Player]:
    """Yield a player with a root of its own, whose user may set owners and mount."""
    options = backend_options(request, request.param)
    superuser = options["superuser"]
    users = {**default_users(superuser),
             "player": {"hadoop_user": superuser, "root": ROOT, "roles": ["admin"]}}
    with Gateway(tmp_path_factory.mktemp("replay"), users=users, **options) as gateway:
        furnish(gateway)
        for name in ("", *SOURCES):
            ask(gateway, "PUT", "/f/directory", path=f"{ROOT}/{name}".rstrip("/"), permission="755")
        ask(gateway, "PUT", "/f/file/content", data=b"hi",
            path=f"{ROOT}/srcs/mnt1/hi.txt", permission="644", overwrite="true")
        status = ask(gateway, "GET", "/f/file/status", path=ROOT)["status"]
        yield Player(gateway, "player", {"owner": superuser, "group": status["group"]})


def ask(gateway: Gateway, method: str, url: str, data: bytes | None = None, **params: str) -> Any:
    headers = {"Content-Type": "application/octet-stream"} if data else {}
    answer = gateway.request(
        method, url, user="admin", params=params, data=data, headers=headers)
    assert answer.ok, answer.text
    return answer.json()["result"] if answer.content else None


@pytest.mark.parametrize("story", [
    pytest.param(STORY, id="each-call"), pytest.param(EDGES, id="edges"),
    pytest.param(EXAMPLE, id="example")])
def test_the_answers_are_those_of_alluxio(player: Player, story: list[Case]) -> None:
    differences = player.play(story)
    assert not differences, "\n".join(differences)
