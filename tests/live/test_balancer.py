"""AIStore's rebalance over a real HDFS: the cluster's own balancer, Hadoop's, as a job."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pytest

from tests.aistore.conftest import furnished
from tests.gateway import Gateway, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aistore.conftest import AIStore
    from tests.hadoop.cluster import Cluster

pytestmark = [pytest.mark.hadoop, pytest.mark.gunicorn]
BALANCER = "org.apache.hadoop.hdfs.server.balancer.Balancer"


def job_of(ais: AIStore, job_id: str) -> dict[str, Any]:
    told = ais.call("GET", "cluster/", what="xaction", props="rebalance").json()
    jobs = [job for node in told["target"].values() for job in node["xactionDetails"]]
    return next(job for job in jobs if job["id"] == job_id)


@pytest.mark.parametrize(("arguments", "status"), [
    (("-threshold", "10"), "Completed"),
    (("-threshold", "no number"), "Failed"),
])
def test_the_cluster_s_own_balancer_runs(
    hadoop: Cluster, tmp_path: Path, arguments: tuple[str, ...], status: str,
) -> None:
    command = shlex.join(hadoop.tool(BALANCER, *arguments))
    with Gateway(tmp_path, backend=hadoop.namenode_url, superuser=hadoop.superuser,
                 settings={"node": {"balancer": command}}) as gateway:
        ais = furnished(gateway).as_user("admin")
        started = ais.call("PUT", "cluster/", {"action": "rebalance"})
        assert started.status_code == 200, started.text
        wait_for("its end", lambda: job_of(ais, started.text)["end_time"], seconds=120)
        job = job_of(ais, started.text)
        assert job["status"] == status, job
        assert bool(job["errors"]) == (status == "Failed")
