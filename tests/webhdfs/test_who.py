"""Who asks, and what they may not claim: names, tokens, tickets, roots."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from app.auth.hadoop_token import from_url_string, identifier, vlong
from tests.gateway import PASSWORD, wait_for
from tests.webhdfs.client import OCTETS, PREFIX

if TYPE_CHECKING:
    from tests.gateway import Gateway
    from tests.webhdfs.client import Client

IMPERSONATION = (403, "AuthorizationException")
NOBODY = (401, "AuthenticationException")
NO_TOKEN = (403, "InvalidToken")


@pytest.mark.parametrize("name", ["user.name", "doas"])
def test_names_may_only_say_who_it_is_anyway(hdfs: Client, name: str) -> None:
    for own in ("someone", "alice", ""):
        answer = hdfs.query("GET", "/", {"op": "GETFILESTATUS", name: own})
        assert answer.status == 200
    for other in ("bob", "hdfs", "other"):
        answer = hdfs.query("GET", "/", {"op": "GETFILESTATUS", name: other})
        assert answer.told == IMPERSONATION
        assert answer.message == f"User: someone is not allowed to impersonate {other}"
        assert hdfs.as_user(None).query(
            "GET", "/", {"op": "GETFILESTATUS", name: other}).told == NOBODY


def test_without_credentials(hdfs: Client, embedded_gateway: Gateway) -> None:
    answer = hdfs.as_user(None).ask("GET", "/", "LISTSTATUS")
    assert answer.told == NOBODY
    assert "Basic " in answer.headers["WWW-Authenticate"]
    wrong = hdfs.send("GET", f"{hdfs.url}{PREFIX}/?op=LISTSTATUS", auth=("someone", "wrong"))
    assert wrong.told == NOBODY


def test_readers_change_nothing(hdfs: Client, room: str) -> None:
    reader = hdfs.as_user("reader")
    assert reader.ask("GET", room, "GETFILESTATUS").status == 200
    for method, op, params in (
            ("PUT", "CREATE", {}), ("PUT", "MKDIRS", {}), ("DELETE", "DELETE", {}),
            ("PUT", "RENAME", {"destination": "/user/alice/x"}), ("PUT", "REMOVEACL", {}),
            ("PUT", "SETSTORAGEPOLICY", {"storagepolicy": "COLD"}), ("POST", "APPEND", {}),
            ("GET", "CHECKACCESS", {"fsaction": "-w-"})):
        answer = reader.ask(method, f"{room}/x", op, **params)
        assert answer.told == (403, "AccessControlException"), (op, answer)


# --- redirects


def test_a_ticket_is_good_once_and_for_its_request_alone(hdfs: Client, room: str) -> None:
    def place() -> str:
        return hdfs.ask("PUT", f"{room}/f", "CREATE", overwrite="true").headers["Location"]

    url = place()
    assert hdfs.send("PUT", url, data=b"one", headers=OCTETS).status == 201
    assert hdfs.send("PUT", url, data=b"two", headers=OCTETS).told == NOBODY
    for other in (lambda url: url.replace("/f?", "/g?"),
                  lambda url: url.replace("overwrite=true", "overwrite=false"),
                  lambda url: f"{url}&permission=777",
                  lambda url: url.replace("ticket=", "ticket=x")):
        assert hdfs.send("PUT", other(place()), data=b"two", headers=OCTETS).told == NOBODY
    assert hdfs.send("POST", place().replace("CREATE", "APPEND"), data=b"x").told == NOBODY
    assert hdfs.read(f"{room}/f") == b"one"


def test_a_ticket_gets_no_other_ticket(hdfs: Client, room: str) -> None:
    hdfs.create(f"{room}/f")
    for method, op in (("PUT", "CREATE"), ("POST", "APPEND")):
        url = hdfs.ask(method, f"{room}/f", op).headers["Location"]
        for again in (url.replace("data=true", "data=false"), url.replace("&data=true", ""),
                      f"{url}&noredirect=true"):
            assert hdfs.send(method, again).told == NOBODY
    for op in ("OPEN", "GETFILECHECKSUM"):
        url = hdfs.ask("GET", f"{room}/f", op, noredirect="true").json["Location"]
        assert hdfs.send("GET", f"{url}&noredirect=true").told == NOBODY
        assert hdfs.send("GET", url).status == 200


def test_credentials_do_without_the_ticket(hdfs: Client, room: str) -> None:
    url = hdfs.ask("PUT", f"{room}/f", "CREATE").headers["Location"].partition("&ticket=")[0]
    assert hdfs.send("PUT", url, data=b"one").told == NOBODY
    made = hdfs.send("PUT", url, data=b"one", auth=("someone", PASSWORD))
    assert made.status == 201


def test_a_page_of_another_origin_changes_nothing(hdfs: Client, room: str) -> None:
    for method, op in (("PUT", "MKDIRS"), ("POST", "UNSETSTORAGEPOLICY"), ("DELETE", "DELETE"),
                       ("GET", "GETDELEGATIONTOKEN")):
        answer = hdfs.send(
            method, f"{hdfs.url}{PREFIX}{room}?op={op}", auth=("someone", PASSWORD),
            headers={"Origin": "https://evil.example.com"})
        assert answer.told == (403, "AccessControlException"), op


# --- delegation tokens


def token_of(client: Client, **params: str) -> str:
    answer = client.ask("GET", "/", "GETDELEGATIONTOKEN", **params)
    assert answer.status == 200, answer
    return str(answer.json["Token"]["urlString"])


def test_a_token_stands_for_its_user(hdfs: Client, room: str) -> None:
    token, nobody = token_of(hdfs), hdfs.as_user(None)
    made = nobody.write("PUT", f"{room}/f", "CREATE", b"content", {"delegation": token})
    assert made.status == 201
    assert nobody.ask("GET", f"{room}/f", "OPEN", delegation=token).body == b"content"
    status = nobody.ask("GET", f"{room}/f", "GETFILESTATUS", delegation=token).json
    assert status["FileStatus"]["owner"] == "alice"
    other = nobody.query(
        "GET", room, {"op": "LISTSTATUS", "delegation": token, "user.name": "bob"})
    assert other.told == IMPERSONATION
    assert hdfs.as_user("other").ask("GET", room, "LISTSTATUS", delegation=token).told == NO_TOKEN


def test_a_token_makes_no_tokens(hdfs: Client) -> None:
    token = token_of(hdfs)
    answer = hdfs.as_user(None).ask("GET", "/", "GETDELEGATIONTOKEN", delegation=token)
    assert answer.told == (400, "IllegalArgumentException")


def test_a_token_is_renewed_and_cancelled(hdfs: Client) -> None:
    token, nobody = token_of(hdfs, renewer="other"), hdfs.as_user(None)
    until = hdfs.ask("PUT", "/", "RENEWDELEGATIONTOKEN", token=token).json["long"]
    assert hdfs.as_user("other").ask(
        "PUT", "/", "RENEWDELEGATIONTOKEN", token=token).json["long"] >= until
    for op in ("RENEWDELEGATIONTOKEN", "CANCELDELEGATIONTOKEN"):
        assert hdfs.as_user("admin").ask("PUT", "/", op, token=token).told == NO_TOKEN
    assert hdfs.ask("PUT", "/", "CANCELDELEGATIONTOKEN", token=token).status == 200
    assert nobody.ask("GET", "/", "LISTSTATUS", delegation=token).told == NO_TOKEN
    assert hdfs.ask("PUT", "/", "RENEWDELEGATIONTOKEN", token=token).told == NO_TOKEN


@pytest.mark.parametrize("forged", ["zz", "AAAAAA", "ä", "A" * 100_000])
def test_what_is_no_token(hdfs: Client, forged: str) -> None:
    answer = hdfs.as_user(None).ask("GET", "/", "LISTSTATUS", delegation=forged[:6000])
    assert answer.told == NO_TOKEN


def test_a_token_with_another_password(hdfs: Client) -> None:
    token = from_url_string(token_of(hdfs))
    forged = token._replace(password=bytes(len(token.password))).to_url_string()
    assert hdfs.as_user(None).ask("GET", "/", "LISTSTATUS", delegation=forged).told == NO_TOKEN


def test_a_token_looks_like_hadoops(hdfs: Client) -> None:
    token = from_url_string(token_of(hdfs, renewer="yarn", service="10.0.0.1:8080"))
    assert (token.kind, token.service) == ("WEBHDFS delegation", "10.0.0.1:8080")
    assert token.identifier.startswith(b"\0\x07someone\x04yarn\0")
    authority = hdfs.url.partition("://")[2]
    assert from_url_string(token_of(hdfs)).service == authority
    assert from_url_string(token.to_url_string()) == token


@pytest.mark.parametrize(("number", "written"), [
    (0, "00"), (127, "7f"), (-112, "90"), (128, "8f80"), (-113, "8770"), (65536, "8d010000"),
    (1795299105310, "8a01a2002a5a1e")])
def test_numbers_are_as_java_writes_them(number: int, written: str) -> None:
    assert vlong(number).hex() == written


def test_a_token_of_hadoops_own() -> None:
    issued = ("HgAFYWxpY2UFYWxpY2UAigGiACpipYoBoiQ25qUBAhQ_K-vRU1LeBi5gx2VvhYOhH8m4fhJXRUJIREZTIGRl"
              "bGVnYXRpb24A")
    token = from_url_string(issued)
    assert (token.kind, token.service, len(token.password)) == ("WEBHDFS delegation", "", 20)
    assert token.to_url_string() == issued
    assert token.identifier[:-1] == identifier(
        "alice", "alice", 1795299107493, 1795903907493, 1)[:-1]


def test_secrets_are_not_logged(hdfs: Client, room: str, embedded_gateway: Gateway) -> None:
    token = token_of(hdfs)
    hdfs.as_user(None).ask("GET", room, "LISTSTATUS", delegation=token)
    url = hdfs.ask("PUT", f"{room}/f", "CREATE").headers["Location"]
    hdfs.send("PUT", url, data=b"x")
    embedded_gateway.request("GET", "/f/file/status", params={"path": room})
    wanted = {("webhdfs.LISTSTATUS", "delegation"), ("webhdfs.CREATE", "password"),
              ("webhdfs.CREATE", "ticket")}
    # Another worker's line may come after that of the last answer.
    wait_for("the lines of all of them", lambda: wanted <= {
        (line["operation"], line.get("auth")) for line in embedded_gateway.audit()})
    text = embedded_gateway.audit_file.read_text() + embedded_gateway.logged()
    assert token not in text
    assert url.partition("ticket=")[2] not in text


def test_the_log_has_the_destination_however_its_parameter_is_written(
    hdfs: Client, room: str, embedded_gateway: Gateway,
) -> None:
    hdfs.create(f"{room}/f")
    moved = hdfs.query("PUT", f"{room}/f", {"OP": "RENAME", "Destination": f"{room}/g"})
    assert moved.json == {"boolean": True}
    embedded_gateway.request("GET", "/f/file/status", params={"path": room})
    line = next(one for one in embedded_gateway.audit()
                if one["operation"] == "webhdfs.RENAME" and one["path"] == f"{room}/f")
    assert line["destination"] == f"{room}/g"


# --- roots


def test_a_confined_user_sees_their_root_alone(hdfs: Client) -> None:
    confined = hdfs.as_user("confined")
    for path in ("/user/alice/room/in/f", "/user/alice/secret"):
        hdfs.create(path)
    assert confined.ask("GET", "/", "GETHOMEDIRECTORY").json == {"Path": "/"}
    assert confined.ask("GET", "/", "GETTRASHROOT").json == {"Path": "/.Trash"}
    assert confined.read("/in/f") == b"content"
    assert confined.ask("PUT", "/in/f", "RENAME", destination="/out").json == {"boolean": True}
    assert confined.read("/out") == b"content"
    escape = confined.ask("PUT", "/out", "RENAME", destination="/../secret")
    assert escape.told == (400, "InvalidPathException")
    joined = confined.ask("POST", "/out", "CONCAT", sources="/../secret")
    assert joined.told == (400, "InvalidPathException")
    assert confined.ask("DELETE", "/", "DELETE", recursive="true").json == {"boolean": False}
    assert confined.ask("PUT", "/", "ENABLEECPOLICY", ecpolicy="RS-6-3-1024k").told == (
        403, "AccessControlException")
    hdfs.remove("/user/alice/secret")


@pytest.mark.parametrize(("method", "path", "op", "params"), [
    ("GET", "/none", "GETFILESTATUS", {}), ("GET", "/f/x", "GETFILESTATUS", {}),
    ("GET", "/none", "OPEN", {}), ("GET", "/none", "LISTSTATUS", {}),
    ("PUT", "/f", "RENAME", {"destination": "/none/g", "renameoptions": "NONE"}),
    ("PUT", "/f", "RENAME", {"destination": "/d", "renameoptions": "NONE"}),
    ("POST", "/f", "CONCAT", {"sources": "/none"}), ("PUT", "/", "CREATESNAPSHOT", {}),
    ("PUT", "/f", "SETOWNER", {"owner": "bob"}), ("DELETE", "/d", "DELETE", {}),
    ("GET", "/f", "GETXATTRS", {"encoding": "hex", "xattr_name": "user.none"}),
])
def test_messages_have_no_real_paths(
    everywhere: Client, method: str, path: str, op: str, params: dict[str, str],
) -> None:
    confined = everywhere.as_user("confined")
    confined.create("/f")
    confined.create("/d/f")
    answer = confined.ask(method, path, op, **params)
    assert answer.status in (400, 403, 404)
    assert "alice/room" not in answer.body.decode()
    assert "/user" not in answer.message
    redirect = confined.ask("PUT", "/g", "CREATE")
    assert redirect.headers["Location"].startswith(f"{everywhere.url}{PREFIX}/g?")


def test_a_path_that_cannot_be_joined_is_not_told_as_it_really_is(
    hdfs: Client, embedded_gateway: Gateway,
) -> None:
    confined = hdfs.as_user("confined")
    for name in ("t", "x"):
        confined.create(f"/a,b/{name}")
    refused = embedded_gateway.request(
        "POST", "/f/file/content", user="confined", params={"path": "/a,b/t", "sources": "x"})
    assert refused.status_code == 501
    assert "room" not in refused.text
    confined.remove("/a,b")


def test_curl_follows_by_itself(hdfs: Client, room: str) -> None:
    done = subprocess.run(
        ["curl", "--silent", "--fail", "--location", "--user", f"someone:{PASSWORD}",
         "--request", "PUT", "--data-binary", "hello",
         f"{hdfs.url}{PREFIX}{room}/f?op=CREATE"], check=False, capture_output=True)
    assert done.returncode == 0, done
    assert hdfs.read(f"{room}/f") == b"hello"
