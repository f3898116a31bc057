"""The embedded server and a real HDFS are asked the same, and must answer the same."""

from collections.abc import Iterator

import pytest
import requests

from app.embedded import create_server
from tests.embedded.cases import GROUPS, Case
from tests.embedded.client import Answer, Client
from tests.embedded.normal import answer as normal
from tests.hadoop.cluster import Cluster

pytestmark = pytest.mark.hadoop

USERS = ("alice", "bob", "carol")
CONFIGURATION = {
    # The embedded server's way: a user is in the group of the same name.
    "hadoop.user.group.static.mapping.overrides": ";".join(f"{user}={user}" for user in USERS),
    "fs.trash.interval": "1440",
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    directory = tmp_path_factory.mktemp("hadoop")
    with Cluster(directory, httpfs=False, conf=CONFIGURATION) as running:
        for user in (*USERS, running.superuser):
            running.make_user(user, group=user)
        yield running


@pytest.fixture(scope="module")
def real(cluster: Cluster) -> Iterator[Client]:
    with requests.Session() as session:
        yield RealClient(cluster.namenode_url, session)


@pytest.fixture(scope="module")
def embedded(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Client:
    server = create_server(
        tmp_path_factory.mktemp("embedded"),
        superuser=cluster.superuser,
        replication=1,
        min_blocksize=1024,
    )
    for user in (*USERS, cluster.superuser):
        Client(server, user).status("/")
    return Client(server)


class RealClient(Client):
    """The same client over a socket."""

    def __init__(self, url: str, session: requests.Session) -> None:
        super().__init__(lambda *_: (), base=url)
        self._session = session

    def once(self, method: str, url: str, body: bytes = b"") -> Answer:
        headers = {"Content-Type": "application/octet-stream"}
        answer = self._session.request(
            method, url, data=body, headers=headers, allow_redirects=False, timeout=60
        )
        return Answer(answer.status_code, dict(answer.headers), answer.content)


def ask(client: Client, case: Case, superuser: str) -> tuple[int, object]:
    client.user = superuser if case.user == "root" else case.user
    given = client.call(case.method, case.op, case.path, case.body, **case.parameters)
    headers = {name.lower(): value for name, value in given.headers.items()}
    return normal(given.status, headers.get("content-type", ""), given.body)


@pytest.mark.parametrize("group", GROUPS)
def test_answers_are_equal(group: str, cluster: Cluster, real: Client, embedded: Client) -> None:
    different = []
    for case in GROUPS[group]:
        theirs = ask(real, case, cluster.superuser)
        ours = ask(embedded, case, cluster.superuser)
        if theirs != ours:
            different.append(f"{case}\n  HDFS:     {theirs}\n  embedded: {ours}")
    assert not different, "\n".join(different)


def test_checksums_of_default_size_blocks_are_equal(real: Client, embedded: Client) -> None:
    """Two megabyte blocks and a bit: many chunks in each, and an odd end."""
    content = bytes(range(251)) * 10_000
    for client in (real, embedded):
        client.user = "alice"
        client.create("/user/alice/large", content, blocksize=1024 * 1024)
    sums = [client.get("GETFILECHECKSUM", "/user/alice/large").json for client in (real, embedded)]
    assert sums[0] == sums[1]
    assert real.content("/user/alice/large") == embedded.content("/user/alice/large")
