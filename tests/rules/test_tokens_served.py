"""Access tokens over the wire: in every dialect, with what they are for, as long as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.gateway import wait_for
from tests.rules.place import CLOSED, HOME, OPEN, SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rules.place import Place

pytestmark = pytest.mark.gunicorn
READS = (
    f"/f/file/content?path={OPEN}/file", "/api/v1/s3/open/file", "/v1/objects/open/file",
    f"/api/v1/paths/{OPEN}/file/download-file", f"/webhdfs/v1{OPEN}/file?op=OPEN")
FORBIDDEN = tuple(url.replace("open/file", "closed/file") for url in READS)


class Wire:
    """Sends requests with a token."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.session = requests.Session()
        self.session.trust_env = False

    def create(self, user: str = "free", **params: str) -> tuple[str, str]:
        """Make a token by the API; return it and its id."""
        answer = self.place.request(user, "POST", "/tokens", params=params)
        assert answer.status_code == 200, answer.text
        assert "no-store" in answer.headers["Cache-Control"]
        result = answer.json()["result"]
        return result["token"], result["about"]["id"]

    def send(
        self, token: str, method: str, url: str, *, basic: str = "", **options: Any,
    ) -> requests.Response:
        """Send a request with a token: as Bearer, or as the password of `basic`."""
        if basic:
            options["auth"] = (basic, token)
        else:
            options["headers"] = {"Authorization": f"Bearer {token}", **options.get("headers", {})}
            options["auth"] = _as_it_is
        return self.session.request(
            method, self.place.gateway.url + url, timeout=60, allow_redirects=True, **options)

    def ids(self, by: str, **params: str) -> set[str]:
        """Return the ids that are listed to a user."""
        answer = self.place.request(by, "GET", "/tokens", params=params)
        return {token["id"] for token in answer.json()["result"]["tokens"]}


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


@pytest.fixture
def wire(place: Place) -> Iterator[Wire]:
    wire = Wire(place)
    yield wire
    wire.session.close()


def test_every_dialect_takes_a_token(wire: Wire) -> None:
    token, _ = wire.create()
    for url in READS:
        for basic in ("free", ""):
            if url.startswith("/api/v1/s3") and not basic:
                continue  # S3's clients have no Bearer
            answer = wire.send(token, "GET", url, basic=basic)
            assert (answer.status_code, answer.text) == (200, "open"), (url, answer.text)
    lines = [line for line in wire.place.gateway.audit() if line["auth"] == "token"]
    assert lines
    assert {line["user"] for line in lines} == {"free"}
    assert token not in wire.place.gateway.audit_file.read_text()
    assert token not in wire.place.gateway.logged()


def test_a_token_of_some_paths_opens_nothing_else_in_any_dialect(wire: Wire) -> None:
    token, _ = wire.create(paths=OPEN, **{"read-only": "true"})
    for url in READS:
        assert wire.send(token, "GET", url, basic="free").text == "open"
    for url in FORBIDDEN:
        answer = wire.send(token, "GET", url, basic="free")
        assert answer.status_code == 403 or "PERMISSION_DENIED" in answer.text, (url, answer.text)
        assert SECRET not in answer.text
    for method, url in (("PUT", f"/f/file/content?path={OPEN}/new"), ("PUT", "/api/v1/s3/open/new"),
                        ("PUT", "/v1/objects/open/new"),
                        ("PUT", f"/webhdfs/v1{OPEN}/new?op=CREATE&data=true"),
                        ("POST", f"/api/v1/paths/{OPEN}/new/create-file"),
                        ("DELETE", f"/f/file?path={OPEN}/file")):
        answer = wire.send(token, method, url, basic="free", data=b"x" if method == "PUT" else None,
                           headers={"Content-Type": "application/octet-stream"}
                           if method == "PUT" else {})
        assert answer.status_code == 403 or "PERMISSION_DENIED" in answer.text, (url, answer.text)
    assert "new" not in wire.place.names("free", OPEN)


def test_a_token_goes_no_further_than_its_users_rules(wire: Wire) -> None:
    token, _ = wire.create("denied", paths=HOME)
    assert wire.send(token, "GET", READS[0]).text == "open"
    assert wire.send(token, "GET", FORBIDDEN[0]).status_code == 403


def test_a_stream_opened_with_a_password_is_narrowed_by_the_token(wire: Wire) -> None:
    token, _ = wire.create(paths=OPEN)
    opened = wire.place.request("free", "POST", f"/api/v1/paths/{CLOSED}/file/open-file", json={})
    url = f"/api/v1/streams/{opened.text}/read"
    answer = wire.send(token, "POST", url)
    assert "PERMISSION_DENIED" in answer.text
    assert SECRET not in answer.text
    assert wire.place.request("free", "POST", url).text == SECRET


def test_a_job_has_the_rights_of_the_token_that_began_it(wire: Wire) -> None:
    token, token_id = wire.create(paths=OPEN)
    started = wire.send(token, "DELETE", "/v1/buckets/closed", json={
        "action": "delete", "value": {"objnames": ["file"]}})
    assert started.status_code in (200, 202, 403), started.text

    def over() -> bool:
        jobs = wire.place.request("admin", "GET", "/v1/cluster", params={"what": "xaction"})
        return '"endTime":""' not in jobs.text

    wait_for("the end of the job", over)
    assert wire.place.by("free", "GET", "/f/file/content", path=f"{CLOSED}/file").text == SECRET
    wire.place.request("free", "DELETE", "/tokens", params={"id": token_id})


def test_a_revoked_token_is_refused_by_every_worker_at_once(wire: Wire) -> None:
    token, token_id = wire.create()
    for _ in range(8):  # new connections, so that both workers have taken it
        wire.session.close()
        assert wire.send(token, "GET", "/users/me").status_code == 200
    gone = wire.place.request("free", "DELETE", "/tokens", params={"id": token_id})
    assert gone.status_code == 204
    for _ in range(8):
        wire.session.close()
        refused = wire.send(token, "GET", "/users/me")
        assert refused.status_code == 401
        assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    again = wire.place.request("free", "DELETE", "/tokens", params={"id": token_id})
    assert again.status_code == 404


def test_tokens_make_no_tokens_and_see_no_others(wire: Wire) -> None:
    token, token_id = wire.create()
    _, other_id = wire.create()
    assert wire.send(token, "POST", "/tokens").status_code == 403
    listed = wire.send(token, "GET", "/tokens").json()["result"]["tokens"]
    assert [one["id"] for one in listed] == [token_id]
    assert wire.send(token, "DELETE", f"/tokens?id={other_id}").status_code == 404
    assert wire.send(token, "DELETE", f"/tokens?id={token_id}").status_code == 204
    assert wire.send(token, "GET", "/users/me").status_code == 401
    assert other_id in wire.ids("free")


def test_users_see_their_own_and_admins_those_of_all(wire: Wire) -> None:
    _, token_id = wire.create(name="mine")
    assert token_id in wire.ids("free")
    assert token_id not in wire.ids("ruled")
    assert token_id in wire.ids("admin", user="free")
    assert wire.place.request("ruled", "GET", "/tokens", params={"user": "free"}
                              ).status_code == 403
    for user, params, status in (("ruled", {"id": token_id}, 404),
                                 ("ruled", {"id": token_id, "user": "free"}, 403),
                                 ("admin", {"id": token_id}, 404),
                                 ("admin", {"id": token_id, "user": "free"}, 204)):
        answer = wire.place.request(user, "DELETE", "/tokens", params=params)
        assert answer.status_code == status, (user, params, answer.text)


def test_a_page_of_another_origin_makes_no_tokens(wire: Wire) -> None:
    before = wire.ids("free")
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = wire.place.request("free", "POST", "/tokens", headers=headers)
        assert answer.status_code == 403
    assert wire.ids("free") == before


def test_an_admins_token_opens_no_administrative_part(wire: Wire) -> None:
    token, token_id = wire.create("admin")
    assert wire.send(token, "GET", "/v1/cluster?what=smap").status_code == 403
    assert wire.send(token, "GET", "/tokens?user=free").status_code == 403
    wire.place.request("admin", "DELETE", "/tokens", params={"id": token_id})


@pytest.mark.parametrize("params", [
    {"days": "0"}, {"days": "366"}, {"days": "x"}, {"paths": "relative"}, {"id": "x"}])
def test_what_cannot_be_asked_for(wire: Wire, params: dict[str, str]) -> None:
    method = "DELETE" if "id" in params else "POST"
    answer = wire.place.request("free", method, "/tokens", params=params)
    assert answer.status_code == 400, answer.text


def test_the_command_makes_lists_and_revokes(wire: Wire) -> None:
    made = _command(wire, "create", "free", "--name", "cron job", "--path", OPEN, "--read-only",
                    "--days", "0.5")
    assert made.returncode == 0, made.stderr
    about, token = made.stdout.splitlines()
    assert about.startswith("made access token ")
    assert wire.send(token, "GET", READS[0]).text == "open"
    assert wire.send(token, "GET", FORBIDDEN[0]).status_code == 403
    listed = _command(wire, "list", "free").stdout
    row = next(line for line in listed.splitlines() if "cron job" in line)
    assert OPEN in row
    assert token not in listed
    token_id = row.split()[0]
    assert "never" not in row
    done = _command(wire, "revoke", token_id)
    assert done.stdout == f"revoked access token {token_id} of user 'free'\n"
    assert wire.send(token, "GET", READS[0]).status_code == 401
    failed = _command(wire, "revoke", token_id)
    assert (failed.returncode, failed.stderr) == (1, "httpfs-proxy: no such access token\n")
    quiet = _command(wire, "create", "free", "--quiet").stdout.strip()
    assert wire.send(quiet, "GET", "/users/me").status_code == 200
    given = wire.place.by("free", "GET", "/webhdfs/v1/", op="GETDELEGATIONTOKEN")
    looked = {"op": "GETFILESTATUS", "delegation": given.json()["Token"]["urlString"]}
    assert wire.place.gateway.request(
        "GET", "/webhdfs/v1/", user=None, params=looked).status_code == 200
    ended = _command(wire, "revoke", "--all-of", "free").stdout
    assert ended.endswith(" access tokens and 1 delegation tokens of user 'free'\n")
    assert wire.send(quiet, "GET", "/users/me").status_code == 401
    assert wire.place.gateway.request(
        "GET", "/webhdfs/v1/", user=None, params=looked).status_code == 403


def _command(wire: Wire, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", "tokens", *arguments], capture_output=True, text=True,
        timeout=60, check=False,
        env={**os.environ, "GATEWAY_CONFIG": str(wire.place.gateway.config_file)})
