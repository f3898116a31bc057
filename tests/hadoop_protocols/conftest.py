"""What tests of Hadoop's own protocols share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hadoop.cluster import Cluster
from tests.hadoop_protocols.trio import Trio

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "alice"


@pytest.fixture(scope="session")
def trio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trio]:
    """Yield an HDFS of three DataNodes and three replicas; who kills one starts it again."""
    with Cluster(tmp_path_factory.mktemp("trio"), datanodes=3, httpfs=False,
                 conf={"dfs.replication": "3"}) as cluster:
        cluster.make_user(USER)
        cluster.make_user("bob")
        trio = Trio(cluster, USER)
        yield trio
        trio.close()
