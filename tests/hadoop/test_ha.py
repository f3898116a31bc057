"""The pair of NameNodes the other tests stand on: one serves, the other takes over."""

import signal
from collections.abc import Iterator

import pytest
import requests

from tests.hadoop.ha import HaCluster
from tests.hadoop.jars import HadoopError
from tests.hadoop.probe import webhdfs

pytestmark = pytest.mark.hadoop

CONTENT = bytes(range(256)) * 100


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HaCluster]:
    with HaCluster(tmp_path_factory.mktemp("ha")) as running:
        running.make_user("alice")
        yield running


def create(base: str, path: str) -> None:
    url = f"{base}/webhdfs/v1{path}?op=CREATE&user.name=alice"
    done = requests.put(url, data=CONTENT, timeout=30)
    assert done.status_code == 201, done.text


def read(base: str, path: str) -> bytes:
    answer = requests.get(f"{base}/webhdfs/v1{path}?op=OPEN&user.name=alice", timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.content


def owner(base: str, path: str) -> str:
    found = webhdfs(base, "GET", path, op="GETFILESTATUS", **{"user.name": "alice"})
    return str(found["FileStatus"]["owner"])


def active(cluster: HaCluster) -> int | None:
    return cluster.active


def test_one_serves_and_the_other_takes_over_planned_and_by_force(cluster: HaCluster) -> None:
    first, second = cluster.namenode_urls
    assert active(cluster) == 0
    create(first, "/user/alice/one")
    with pytest.raises(HadoopError, match=r"answered 403.*StandbyException"):
        owner(second, "/user/alice")
    with pytest.raises(HadoopError, match="nn1 is running"):
        cluster.transition(1, force=True)

    cluster.transition(1)
    assert active(cluster) == 1
    assert read(second, "/user/alice/one") == CONTENT
    create(second, "/user/alice/two")
    with pytest.raises(HadoopError, match=r"answered 403.*StandbyException"):
        owner(first, "/user/alice")

    cluster.kill_namenode(1)
    assert active(cluster) is None
    with pytest.raises(HadoopError, match="no NameNode is active"):
        cluster.make_user("bob")
    cluster.transition(0, force=True)
    assert active(cluster) == 0
    assert read(first, "/user/alice/two") == CONTENT
    create(first, "/user/alice/three")

    cluster.start_namenode(1)
    cluster.transition(1)
    assert read(second, "/user/alice/three") == CONTENT
    assert owner(second, cluster.make_user("bob")) == "bob"
    assert set(cluster.pids) == {"nn1", "nn2", "datanode-0"}


def test_one_that_hangs_goes_on(cluster: HaCluster) -> None:
    cluster.transition(0)
    cluster.kill_namenode(0, signal.SIGSTOP)
    with pytest.raises(requests.Timeout):
        requests.get(f"{cluster.namenode_urls[0]}/jmx", timeout=0.5)
    cluster.kill_namenode(0, signal.SIGCONT)
    assert owner(cluster.namenode_urls[0], "/user/alice") == "alice"
