"""What is less than a user's rights stays less: path rules, access tokens, networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gateway import Gateway, wait_for
from tests.webhdfs.client import OCTETS, PREFIX, Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.webhdfs.client import Answer

DENIED = (403, "AccessControlException")
USERS = {
    "someone": {"hadoop_user": "alice"},
    "ruled": {"hadoop_user": "alice", "rules": {
        "allow": ["/user/alice/team"], "deny": ["**/secret"]}},
    "far": {"hadoop_user": "alice", "networks": ["192.0.2.0/24"]},
    "admin": {"hadoop_user": "hdfs", "roles": ["admin"]},
}
pytestmark = pytest.mark.gunicorn


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("rights"), users=USERS, workers=1) as gateway:
        gateway.make_home("alice")
        client = Client(gateway.url)
        for path in ("team/f", "team/secret", "mine"):
            client.create(f"/user/alice/{path}")
        yield gateway


@pytest.fixture
def client(gateway: Gateway) -> Client:
    return Client(gateway.url)


@pytest.mark.parametrize(("method", "path", "op", "params"), [
    ("GET", "mine", "OPEN", {}), ("GET", "mine", "GETFILESTATUS", {}),
    ("PUT", "mine", "CREATE", {}), ("POST", "team/secret", "APPEND", {}),
    ("PUT", "team/f", "RENAME", {"destination": "/user/alice/g"}),
    ("PUT", "team/f", "RENAME", {"destination": "/user/alice/g", "renameoptions": "NONE"}),
    ("POST", "team/f", "CONCAT", {"sources": "/user/alice/team/secret"}),
    ("GET", "", "GETCONTENTSUMMARY", {}), ("GET", "", "GETQUOTAUSAGE", {}),
    ("DELETE", "team", "DELETE", {"recursive": "true"}),
    ("PUT", "mine", "SETSTORAGEPOLICY", {"storagepolicy": "COLD"}),
    ("GET", "mine", "GETFILEBLOCKLOCATIONS", {}),
])
def test_what_rules_deny(
    client: Client, method: str, path: str, op: str, params: dict[str, str],
) -> None:
    answer = client.as_user("ruled").ask(method, f"/user/alice/{path}", op, **params)
    assert answer.told == DENIED
    assert client.read("/user/alice/mine") == client.read("/user/alice/team/f") == b"content"


def test_what_rules_allow(client: Client) -> None:
    ruled = client.as_user("ruled")
    ruled.create("/user/alice/team/made", b"by rule")
    assert ruled.read("/user/alice/team/made") == b"by rule"
    listed = ruled.ask("GET", "/user/alice/team", "LISTSTATUS").json["FileStatuses"]["FileStatus"]
    assert "secret" not in {one["pathSuffix"] for one in listed}
    ruled.remove("/user/alice/team/made")


def access_token(gateway: Gateway, **params: str) -> tuple[str, str]:
    made = gateway.request("POST", "/tokens", params={"name": "t", **params})
    assert made.ok, made.text
    return "someone", made.json()["result"]["token"]


def send(client: Client, method: str, url: str, auth: tuple[str, str] | None, **more: object,
         ) -> Answer:
    return client.send(method, url, auth=auth, **more)


def test_an_access_token_gives_no_more_than_it_has(gateway: Gateway, client: Client) -> None:
    who = access_token(gateway, paths="/user/alice/team")
    base = f"{gateway.url}{PREFIX}/user/alice"
    assert send(client, "GET", f"{base}/team/f?op=OPEN", who).body == b"content"
    assert send(client, "GET", f"{base}/mine?op=OPEN", who).told == DENIED
    assert send(client, "GET", f"{base}?op=GETDELEGATIONTOKEN", who).told == (403, "IOException")
    first = send(client, "PUT", f"{base}/team/g?op=CREATE&overwrite=true", who)
    location = first.headers["Location"]
    assert "ticket" not in location
    assert send(client, "PUT", location, None, data=b"x").told == (401, "AuthenticationException")
    assert send(client, "PUT", location, who, data=b"x", headers=OCTETS).status == 201
    elsewhere = location.replace("/team/g", "/mine")
    assert send(client, "PUT", elsewhere, who, data=b"x").told == DENIED


def test_a_reading_token_writes_nothing(gateway: Gateway, client: Client) -> None:
    who = access_token(gateway, **{"read-only": "true"})
    base = f"{gateway.url}{PREFIX}/user/alice"
    assert send(client, "GET", f"{base}/team/f?op=OPEN", who).body == b"content"
    assert send(client, "PUT", f"{base}/team/g?op=CREATE", who).told == DENIED


def test_a_delegation_token_does_not_leave_its_users_networks(
    gateway: Gateway, client: Client,
) -> None:
    token = client.ask("GET", "/", "GETDELEGATIONTOKEN").json["Token"]["urlString"]
    nobody = client.as_user(None)
    assert nobody.ask("GET", "/", "LISTSTATUS", delegation=token).status == 200
    users = {**USERS, "someone": {**USERS["someone"], "networks": ["192.0.2.0/24"]}}
    gateway.write_users(users)
    try:
        def refused() -> bool:
            answer = nobody.ask("GET", "/", "LISTSTATUS", delegation=token)
            return answer.status == 403 and answer.told == DENIED

        wait_for("the networks to count", refused)
    finally:
        gateway.write_users(USERS)
