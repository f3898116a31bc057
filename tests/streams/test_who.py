"""Who a request without credentials is from: `auth.networks`, and to whom it opens nothing."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.gateway import PASSWORD, Gateway, default_users, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

pytestmark = pytest.mark.gunicorn

STATUS = "/api/v1/paths///get-status"
NEAR, FAR = "192.0.2.7", "203.0.113.9"


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that knows loopback as `confined`, whom no proxy stands in front of."""
    settings = {"auth": {"networks": ["127.0.0.0/8=confined", "192.0.2.0/24=other"]}}
    with Gateway(tmp_path_factory.mktemp("mapped"), settings=settings) as gateway:
        gateway.make_home("alice")
        _make_room(gateway)
        yield gateway


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway behind a proxy on loopback; loopback and a network of clients are mapped."""
    settings = {
        "auth": {"networks": ["127.0.0.0/8=confined", "192.0.2.0/24=other", "192.0.2.66=gone"]},
        "web": {"trusted_proxies": ["127.0.0.1", "10.0.0.0/8"]},
    }
    with Gateway(tmp_path_factory.mktemp("behind"), settings=settings) as gateway:
        gateway.make_home("alice")
        _make_room(gateway)
        yield gateway


def _make_room(gateway: Gateway) -> None:
    made = gateway.request("PUT", "/f/directory", params={"path": "/user/alice/room"})
    assert made.ok, made.text


def asked(gateway: Gateway, path: str = STATUS, **headers: str) -> requests.Response:
    """Send a POST without credentials."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return gateway.request("POST", path, user=None, headers=named)


def assert_unknown(answer: requests.Response) -> None:
    assert answer.status_code == 401, answer.text
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert answer.json()["statusCode"] == answer.json()["status"] == "UNAUTHENTICATED"


def test_without_the_setting_nobody_is_known_by_address(tmp_path: Any) -> None:
    with Gateway(tmp_path, workers=1) as gateway:
        assert_unknown(asked(gateway))
        assert "auth.networks" not in gateway.logged()


def test_a_client_of_the_network_is_its_user_everywhere_in_the_dialect(mapped: Gateway) -> None:
    made = asked(mapped, "/api/v1/paths//by-address/create-file")
    assert made.status_code == 200, made.text
    stream = f"/api/v1/streams/{made.json()}"
    assert mapped.request("POST", f"{stream}/write", user=None, data=b"abc").json() == 3
    assert asked(mapped, f"{stream}/close").status_code == 200
    line = mapped.audit()[-1]
    assert line["user"] == "confined"
    assert line["hadoopUser"] == "alice"
    assert line["address"] == "127.0.0.1"
    status = mapped.request("GET", "/f/file/status", params={"path": "/user/alice/room/by-address"})
    assert status.json()["result"]["status"]["owner"] == "alice"


def test_their_streams_are_the_users(mapped: Gateway) -> None:
    number = asked(mapped, "/api/v1/paths//mine/create-file").json()
    foreign = mapped.request("POST", f"/api/v1/streams/{number}/close", user="other")
    assert foreign.status_code == 500
    own = mapped.request("POST", f"/api/v1/streams/{number}/close", user="confined")
    assert own.status_code == 200


@pytest.mark.parametrize("authorization", [
    "Basic Y29uZmluZWQ6d3Jvbmc=", "Basic", "Bearer token", "", "nonsense"])
def test_credentials_count_alone_where_there_are_any(mapped: Gateway, authorization: str) -> None:
    assert_unknown(asked(mapped, Authorization=authorization))


def test_the_right_password_names_its_own_user(mapped: Gateway) -> None:
    assert mapped.request("POST", STATUS, user="other").status_code == 200
    assert mapped.audit()[-1]["user"] == "other"


@pytest.mark.parametrize("header", [
    {"X_Forwarded_For": "127.0.0.1"}, {"X_Forwarded_For": NEAR}, {"X_Forwarded_For": FAR},
    {"X_Forwarded_Proto": "https"}, {"Forwarded": f"for={NEAR}"}, {"Via": "1.1 proxy"},
])
def test_a_proxy_that_nobody_configured_opens_nothing(
    mapped: Gateway, header: dict[str, str],
) -> None:
    assert_unknown(asked(mapped, **header))
    assert mapped.audit()[-1]["user"] is None


@pytest.mark.parametrize("header", [
    {"Origin": "https://page.example.net"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"},
    {"Accept_Language": "en"}, {"Accept_Language": ""}, {"Referer": "http://127.0.0.1/"},
])
def test_a_browsers_request_is_from_nobody(mapped: Gateway, header: dict[str, str]) -> None:
    answer = asked(mapped, "/api/v1/paths//victim/create-directory", **header)
    assert_unknown(answer)
    assert "browser" in answer.json()["message"]
    gone = mapped.request("POST", "/api/v1/paths//victim/exists", user="confined")
    assert gone.json() is False


@pytest.mark.parametrize("url", [
    "/f/home-directory", "/users/me", "/f/listing?path=/", "/api/v1/s3", "/api/v1/s3/bucket/key"])
def test_no_other_dialect_knows_anybody_by_address(mapped: Gateway, url: str) -> None:
    assert mapped.request("GET", url, user=None).status_code in (401, 403)
    assert mapped.audit()[-1]["user"] in (None, "anonymous")


@pytest.mark.parametrize(("forwarded", "user"), [
    (NEAR, "other"), (f"{FAR}, {NEAR}", "other"), (f"{NEAR}:4711", "other"),
    (f"{NEAR}, 10.0.0.5", "other"), ("127.0.0.1", "confined"),
])
def test_the_client_that_a_configured_proxy_names_is_known(
    behind: Gateway, forwarded: str, user: str,
) -> None:
    assert asked(behind, X_Forwarded_For=forwarded).status_code == 200
    assert behind.audit()[-1]["user"] == user


@pytest.mark.parametrize("header", [
    {}, {"X_Forwarded_For": FAR}, {"X_Forwarded_For": f"127.0.0.1, {FAR}"},
    {"X_Forwarded_For": f"{NEAR}, {FAR}"}, {"X_Forwarded_For": f"{NEAR}, {FAR}, 10.0.0.5"},
    {"X_Forwarded_For": "unknown"}, {"X_Forwarded_For": ""}, {"X_Forwarded_For": "10.0.0.5, x"},
    {"X_Forwarded_Proto": "https"}, {"Forwarded": f"for={NEAR}"}, {"X_Forwarded_For": "192.0.2.66"},
])
def test_strangers_behind_a_configured_proxy_are_strangers(
    behind: Gateway, header: dict[str, str],
) -> None:
    assert_unknown(asked(behind, **header))


def test_a_unix_socket_has_no_address(tmp_path: Any) -> None:
    path = tmp_path / "gateway.sock"
    gateway = Gateway(
        tmp_path / "gateway", workers=1, gunicorn_args=["--bind", f"unix:{path}"],
        settings={"auth": {"networks": ["0.0.0.0/0=other", "::/0=other"]}})
    with gateway:
        assert _over_socket(str(path), "") == b"401"
        assert _over_socket(str(path), f"X-Forwarded-For: {NEAR}\r\n") == b"200"
        assert _over_socket(str(path), "X-Forwarded-For: unix:\r\n") == b"401"


def _over_socket(path: str, header: str) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(path)
        client.sendall(f"POST {STATUS} HTTP/1.1\r\nHost: gateway\r\n{header}"
                       "Connection: close\r\nContent-Length: 0\r\n\r\n".encode())
        return client.makefile("rb").readline().split()[1]


def test_users_count_as_the_file_has_them_at_each_request(tmp_path: Any) -> None:
    users = default_users()
    with Gateway(tmp_path, workers=1, users=users,
                 settings={"auth": {"networks": ["127.0.0.1=other", "127.0.0.0/8=someone"]}},
                 ) as gateway:
        assert asked(gateway).status_code == 200
        gateway.write_users({**users, "other": {**users["other"], "active": False}})
        wait_for("the disabled user to be out", lambda: asked(gateway).status_code == 401)
        gateway.write_users({**users, "other": {**users["other"], "read_only": True}})
        wait_for("the user to be back", lambda: asked(gateway).status_code == 200)
        refused = asked(gateway, "/api/v1/paths//user/bob/x/create-directory")
        assert refused.json()["statusCode"] == "PERMISSION_DENIED"
        del users["other"]
        gateway.write_users(users)
        wait_for("the removed user to be out", lambda: asked(gateway).status_code == 401)
        assert gateway.request("POST", STATUS, user="someone").status_code == 200


def test_the_log_warns_of_each_mapping(mapped: Gateway) -> None:
    log = mapped.logged()
    for network, user, root in (("127.0.0.0/8", "confined", "/user/alice/room"),
                                ("192.0.2.0/24", "other", "/")):
        opened = f"from {network} needs no credentials and is user '{user}'"
        assert any("WARNING" in line and opened in line
                   and line.endswith(f"reads and writes below {root}") for line in log.splitlines())


def test_plain_http_is_no_obstacle_where_no_credentials_travel(behind: Gateway) -> None:
    assert asked(behind, X_Forwarded_For=NEAR, X_Forwarded_Proto="http").status_code == 200
    with_password = behind.request(
        "POST", STATUS, auth=("other", PASSWORD),
        headers={"X-Forwarded-For": NEAR, "X-Forwarded-Proto": "http"})
    assert with_password.status_code == 403
