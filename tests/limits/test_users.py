"""Limits of single users: counted over both workers, told in each dialect's own words."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import requests
from botocore.client import Config
from botocore.exceptions import ClientError
from defusedxml.ElementTree import fromstring

from tests.contract.wire import Wire, WireAnswer
from tests.gateway import PASSWORD, wait_for
from tests.limits.conftest import KEYS, SIZE, put

if TYPE_CHECKING:
    from tests.gateway import Gateway

pytestmark = pytest.mark.gunicorn

CONTENT = "/f/file/content?path=/user/alice/"
BIG = [("Content-Length", str(1 << 20)), ("Content-Type", "application/octet-stream")]


def used_up(gateway: Gateway, path: str, user: str, **options: Any) -> requests.Response:
    """Ask on fresh connections, so that both workers are met, until refused; return the refusal."""
    answers = []
    for _ in range(5):
        with requests.Session() as session:
            session.trust_env = False
            answers.append(session.get(
                gateway.url + path, auth=(user, PASSWORD), timeout=30, **options))
        if answers[-1].status_code in (429, 503):
            break
    assert len(answers) == 4, [answer.status_code for answer in answers]
    return answers[-1]


def test_requests_beyond_the_burst_are_refused_with_429(limited: Gateway) -> None:
    refused = used_up(limited, "/f/file/status?path=/", "hasty")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 100
    assert "too many requests" in refused.json()["error"][0]
    assert limited.request("GET", "/f/file/status?path=/").status_code == 200, "another user"


def test_s3_says_slow_down(limited: Gateway) -> None:
    refused = used_up(limited, "/api/v1/s3/", "s3")
    assert refused.status_code == 503
    assert fromstring(refused.content).findtext("Code") == "SlowDown"
    assert refused.headers["Retry-After"]


def test_alluxio_says_resource_exhausted(limited: Gateway) -> None:
    def ask() -> requests.Response:
        return limited.request("POST", "/api/v1/paths//user/get-status", user="alluxio")

    assert [ask().status_code for _ in range(3)] == [200] * 3
    refused = ask()
    assert refused.status_code == 429
    assert refused.json()["statusCode"] == "RESOURCE_EXHAUSTED"
    assert refused.headers["Retry-After"]


def test_aistore_says_429(limited: Gateway) -> None:
    refused = used_up(limited, "/v1/daemon?what=status", "aistore")
    assert refused.status_code == refused.json()["status"] == 429
    assert refused.headers["Retry-After"]


def test_webhdfs_says_retriable(limited: Gateway) -> None:
    refused = used_up(limited, "/webhdfs/v1/?op=GETFILESTATUS", "webhdfs")
    assert refused.status_code == 429
    assert refused.json()["RemoteException"]["exception"] == "RetriableException"
    assert refused.headers["Retry-After"]


def test_s3_keys_count_for_their_user(limited: Gateway) -> None:
    """What a key asks and what a password asks is one user's."""
    client = boto3.client(
        "s3", endpoint_url=f"{limited.url}/api/v1/s3", region_name="us-east-1",
        aws_access_key_id=KEYS["keyed"][0], aws_secret_access_key=KEYS["keyed"][1],
        config=Config(retries={"max_attempts": 1}))
    for _ in range(2):
        client.list_buckets()
    assert limited.request("GET", "/f/home-directory", user="keyed").status_code == 200
    with pytest.raises(ClientError, match="SlowDown"):
        client.list_buckets()


def test_wrong_passwords_use_up_nothing_of_the_user(limited: Gateway) -> None:
    for _ in range(5):
        answer = limited.request("GET", "/f/home-directory", auth=("envelope", "wrong"))
        assert answer.status_code == 401
    assert limited.request("GET", "/f/home-directory", user="envelope").status_code == 200


def test_refusals_stand_in_the_audit_log_and_the_figures(limited: Gateway) -> None:
    refused = used_up(limited, "/f/file/status?path=/", "metrics")
    line = wait_for("the audit line", lambda: next(
        (line for line in limited.audit() if line["id"] == refused.headers["X-Request-Id"]), None))
    assert (line["user"], line["status"], line["path"]) == ("metrics", 429, "/")
    figures = limited.request("GET", "/metrics").text
    assert 'httpfs_proxy_refused_total{limit="requests",whose="user"}' in figures


# --- transfers


def uploading(stack: ExitStack, gateway: Gateway, user: str, name: str) -> Wire:
    """Begin an upload that goes on until the connection is closed."""
    wire = stack.enter_context(Wire(gateway, user=user))
    wire.send_head("PUT", f"{CONTENT}{name}", [*BIG, ("Expect", "100-continue")])
    wire.socket.settimeout(30)
    return wire


def continued(wire: Wire) -> bool:
    return wire.socket.recv(100, socket.MSG_PEEK).startswith(b"HTTP/1.1 100 ")


def refusal(wire: Wire) -> WireAnswer:
    answer = wire.answer()
    assert answer.interim == [], "nothing of the body was asked for"
    return answer


def test_one_transfer_too_many_is_refused_before_its_body(limited: Gateway) -> None:
    with ExitStack() as stack:
        wires = [uploading(stack, limited, "two", f"two-{number}") for number in range(2)]
        assert all(continued(wire) for wire in wires)
        third = refusal(uploading(stack, limited, "two", "two-3"))
        assert third.status == 429
        assert "too many transfers" in third.errors
        assert int(third.headers["retry-after"]) >= 1
        download = limited.request("GET", f"{CONTENT}file", user="two")
        assert download.status_code == 429, "a download is a transfer, too"
        small = limited.request("GET", f"{CONTENT}file", user="two", headers={"Range": "bytes=0-9"})
        assert small.status_code == 206, "a few bytes are not"
        assert limited.request("GET", f"{CONTENT}file").status_code == 200, "another user"
    wait_for("room again", lambda: limited.request(
        "GET", f"{CONTENT}file", user="two").status_code == 200)


def test_a_refused_read_of_a_stream_moves_it_not(limited: Gateway) -> None:
    """Who reads on when there is room again misses no byte."""
    content = bytes(range(256)) * 1000
    assert put(limited, "streamed", content, user="someone").status_code == 201
    opened = limited.request(
        "POST", "/api/v1/paths//user/alice/streamed/open-file", user="streamer")
    url = f"/api/v1/streams/{opened.text}/read"
    with ExitStack() as stack:
        assert continued(uploading(stack, limited, "streamer", "blocking"))
        assert limited.request("POST", url, user="streamer").status_code == 429

    def read() -> requests.Response | None:
        answer = limited.request("POST", url, user="streamer")
        return answer if answer.status_code == 200 else None

    assert wait_for("room again", read).content == content


def test_a_refused_step_of_webhdfs_leaves_its_ticket_good(limited: Gateway) -> None:
    step = limited.request("PUT", "/webhdfs/v1/user/alice/stepped?op=CREATE", user="streamer",
                           allow_redirects=False).headers["Location"]

    def follow() -> int:
        return requests.put(step, data=bytes(SIZE), timeout=60, headers={
            "Content-Type": "application/octet-stream"}).status_code

    with ExitStack() as stack:
        assert continued(uploading(stack, limited, "streamer", "blocking"))
        assert follow() == 429
    assert wait_for("room again", lambda: (status := follow()) != 429 and status) == 201
    assert follow() == 401, "it is good once"


def test_a_refused_download_of_webhdfs_leaves_its_ticket_good(limited: Gateway) -> None:
    step = limited.request("GET", "/webhdfs/v1/user/alice/file?op=OPEN&noredirect=true",
                           user="streamer").json()["Location"]

    def follow() -> requests.Response:
        return requests.get(step, timeout=60)

    with ExitStack() as stack:
        assert continued(uploading(stack, limited, "streamer", "blocking"))
        assert [follow().status_code for _ in range(2)] == [429, 429]
    done = wait_for("room again", lambda: (answer := follow()).status_code != 429 and answer)
    assert done.content == bytes(SIZE)
    assert follow().status_code == 401, "it is good once"


def test_what_a_killed_worker_had_under_way_is_free(limited: Gateway) -> None:
    with ExitStack() as stack:
        wire = uploading(stack, limited, "killed", "killed")
        assert continued(wire)
        assert limited.request("GET", f"{CONTENT}file", user="killed").status_code == 429
        limited.kill_worker(limited.worker_of(wire.socket))
        # Some connections are reset: the kernel gave them to the one that was killed.
        wait_for("room again", lambda: _asked(limited, "killed") == 200)


def _asked(gateway: Gateway, user: str) -> int:
    try:
        return gateway.request("GET", f"{CONTENT}file", user=user).status_code
    except requests.ConnectionError:
        return 0


def test_a_transfer_that_fails_is_over(limited: Gateway) -> None:
    for _ in range(3):
        answer = limited.request("GET", f"{CONTENT}nothing-there", user="loud")
        assert answer.status_code == 404
        assert put(limited, "no/such\0name", bytes(SIZE), user="loud").status_code == 400
    assert limited.request("GET", f"{CONTENT}file", user="loud").status_code == 200


# --- bandwidth, body


def test_bandwidth_is_kept_and_others_are_quick(limited: Gateway) -> None:
    """Of 600 kB at 200 kB/s the first second's are there: two seconds at least are waited."""
    def timed(action: Any) -> float:
        started = time.monotonic()
        assert action().ok
        return time.monotonic() - started

    with ThreadPoolExecutor(2) as pool:
        transfers = [
            pool.submit(timed, lambda: requests.get(
                f"{limited.url}{CONTENT}file", auth=("downloader", PASSWORD), timeout=60,
                headers={"Accept-Encoding": "identity"})),
            pool.submit(timed, lambda: requests.put(
                f"{limited.url}{CONTENT}paced&overwrite=true", data=bytes(SIZE), timeout=60,
                auth=("uploader", PASSWORD), headers={"Content-Type": "application/octet-stream"})),
        ]
        others = [timed(lambda: limited.request("GET", "/f/file/status?path=/")) for _ in range(20)]
        assert all(transfer.result() > 1.9 for transfer in transfers)
    assert sorted(others)[10] < 1.0
    assert limited.request("GET", f"{CONTENT}paced").content == bytes(SIZE)


def test_a_body_may_be_too_large_for_one_user_alone(limited: Gateway) -> None:
    assert put(limited, "small", bytes(1000), user="small").status_code == 201
    assert put(limited, "small", bytes(1001), user="small").status_code == 413
    assert put(limited, "small", iter([bytes(600)] * 2), user="small").status_code == 413
    url = "/api/v1/s3/user/alice-small"
    assert limited.request("PUT", url, user="small", data=bytes(1001)).status_code == 400
    assert put(limited, "small", bytes(1001), user="someone").status_code in (200, 201, 204)
