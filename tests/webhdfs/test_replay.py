"""A gateway over the NameNode answers as the NameNode and HttpFS themselves do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import BACKENDS
from tests.webhdfs import replay_httpfs, replay_story
from tests.webhdfs.client import Client
from tests.webhdfs.replay import SUPERUSER, Server, differences
from tests.webhdfs.table_of_hadoop import HADOOP

if TYPE_CHECKING:
    from tests.gateway import Gateway
    from tests.hadoop.cluster import Cluster

NAMENODE = pytest.mark.parametrize("gateway", [BACKENDS[1]], indirect=True, scope="session")
HOME = "/user/alice"
OF_ITS_OWN = {"GETDELEGATIONTOKEN", "GETHOMEDIRECTORY", "CANCELDELEGATIONTOKEN"}


def served(gateway: Gateway, name: str) -> Server:
    users = {"alice": "someone", "bob": "other", SUPERUSER: "admin"}
    return Server(Client(gateway.url), f"{HOME}/told-{name}-g", users)


def hadoops(cluster: Cluster, url: str, name: str) -> Server:
    users = {"alice": "alice", "bob": "bob", SUPERUSER: cluster.superuser}
    return Server(Client(url, "alice", trusted=True), f"{HOME}/told-{name}-h", users)


@NAMENODE
def test_the_answers_are_those_of_the_namenode(hadoop: Cluster, gateway: Gateway) -> None:
    found = differences(replay_story.STORY, hadoops(hadoop, hadoop.namenode_url, "nn"),
                        served(gateway, "nn"))
    assert not found, "\n".join(found)


@NAMENODE
def test_the_answers_are_those_of_httpfs(hadoop: Cluster, gateway: Gateway) -> None:
    found = differences(replay_httpfs.STORY, hadoops(hadoop, hadoop.httpfs_url, "hf"),
                        served(gateway, "hf"), statuses=False)
    assert not found, "\n".join(found)


def test_the_story_has_all_operations() -> None:
    told = {step.op for step in replay_story.STORY}
    assert {name for names in HADOOP.values() for name in names.split()} - told <= OF_ITS_OWN
