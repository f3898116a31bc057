"""The stories over an embedded backend and a real HDFS: every answer, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.state.node_id import node_id
from tests.aistore.replay import Case, Player
from tests.aistore.replay_cluster import CLUSTER_2020, CLUSTER_2021
from tests.aistore.replay_objects import EDGES, STORY_2020, STORY_2021
from tests.conftest import BACKENDS, backend_options, furnish
from tests.gateway import Gateway, default_users

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = "/user/alice/replayed"


@pytest.fixture(scope="module", params=BACKENDS)
def player(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Player]:
    """Yield a player whose user is an admin and has buckets of their own, none at first."""
    options = backend_options(request, request.param)
    users = {**default_users(options["superuser"]),
             "player": {"hadoop_user": "alice", "bucket_root": ROOT, "roles": ["admin"]}}
    with Gateway(tmp_path_factory.mktemp("replay"), users=users, **options) as gateway:
        furnish(gateway)
        made = gateway.request("PUT", "/f/directory", params={"path": ROOT})
        assert made.ok, made.text
        yield Player(gateway, "player", {
            "node": node_id(gateway.directory / "data"), "url": gateway.url,
            "port": str(gateway.port)})


@pytest.mark.parametrize("story", [
    pytest.param(STORY_2020, id="2020"), pytest.param(STORY_2021, id="2021"),
    pytest.param(EDGES, id="edges"), pytest.param(CLUSTER_2020, id="cluster-2020"),
    pytest.param(CLUSTER_2021, id="cluster-2021")])
def test_the_answers_are_those_of_aistore(player: Player, story: list[Case]) -> None:
    differences = player.play(story)
    assert not differences, "\n".join(differences)
