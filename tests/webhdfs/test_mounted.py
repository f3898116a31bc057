"""Below a mount everything is named as it is called here, errors too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gateway import Gateway
from tests.webhdfs.client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE, POINT = "/user/bob/source", "/user/alice/m"
pytestmark = pytest.mark.gunicorn


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Yield a client of a gateway that shows a directory of bob's to alice."""
    with Gateway(tmp_path_factory.mktemp("mounted"), workers=1) as gateway:
        gateway.make_home("alice")
        gateway.make_home("bob")
        client = Client(gateway.url)
        other = client.as_user("other")
        other.ask("PUT", f"{SOURCE}/mine", "MKDIRS", permission="700")
        other.ask("PUT", SOURCE, "SETPERMISSION", permission="777")
        mounted = gateway.request(
            "POST", f"/api/v1/paths/{POINT}/mount", user="admin", params={"src": SOURCE})
        assert mounted.status_code == 200, mounted.text
        yield client


def test_content(client: Client) -> None:
    client.create(f"{POINT}/f", b"through the mount")
    assert client.read(f"{POINT}/f") == client.read(f"{SOURCE}/f") == b"through the mount"
    assert client.ask("PUT", f"{POINT}/f", "RENAME", destination=f"{POINT}/g").json == {
        "boolean": True}
    (block,) = client.ask("GET", f"{POINT}/g", "GETFILEBLOCKLOCATIONS").json[
        "BlockLocations"]["BlockLocation"]
    assert block["length"] == 17


MISSING, DENIED = (404, "FileNotFoundException"), (403, "AccessControlException")


@pytest.mark.parametrize(("told", "request_line", "params"), [
    (MISSING, "GET none GETFILESTATUS", {}),
    (MISSING, "GET none OPEN", {}),
    (DENIED, "GET mine LISTSTATUS", {}),
    (DENIED, "PUT mine/x MKDIRS", {}),
    (DENIED, "PUT mine SETOWNER", {"owner": "alice"}),
    (MISSING, "GET none GETQUOTAUSAGE", {}),
    (MISSING, "PUT none RENAME", {"destination": f"{POINT}/x", "renameoptions": "NONE"}),
])
def test_errors(
    client: Client, told: tuple[int, str], request_line: str, params: dict[str, str],
) -> None:
    method, path, op = request_line.split()
    answer = client.ask(method, f"{POINT}/{path}", op, **params)
    assert answer.told == told
    assert "bob" not in answer.message
    assert f"{POINT}/" in answer.message


def test_a_mount_point_stays(client: Client) -> None:
    removed = client.ask("DELETE", POINT, "DELETE", recursive="true")
    assert removed.told == (403, "AccessControlException")
    assert client.ask("GET", POINT, "GETFILESTATUS").status == 200


def test_snapshots(client: Client) -> None:
    admin = client.as_user("admin")
    assert admin.ask("PUT", POINT, "ALLOWSNAPSHOT").status == 200
    made = admin.ask("PUT", POINT, "CREATESNAPSHOT", snapshotname="s")
    assert made.json == {"Path": f"{POINT}/.snapshot/s"}
    (told,) = admin.ask("GET", POINT, "GETSNAPSHOTLIST").json["SnapshotList"]
    assert told["fullPath"] == f"{POINT}/.snapshot/s"
