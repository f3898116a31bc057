"""Every refusal has its audit line, and no line, log or answer has a secret."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import requests

from app.auth.keys_writer import create_key
from tests.attacks.conftest import said
from tests.gateway import Gateway, default_users, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.gunicorn

PASSWORD, WRONG = "right-hidden-4711", "wrong-hidden-4711"
SIGNATURE = "hidden4711" * 6 + "abcd"
CONTENT = "/f/file/content?path="


class Scene(NamedTuple):
    """A gateway, its S3 secret, and what its users send."""

    gateway: Gateway
    secret: str
    key_id: str


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    directory: Path = tmp_path_factory.mktemp("told")
    keys, master = directory / "keys.yaml", directory / "keys.master"
    key = create_key(keys, master, "someone")
    users = {name: {**entry, "password": PASSWORD} for name, entry in default_users().items()}
    users["spent"] = {"hadoop_user": "bob", "password": PASSWORD,
                      "limits": {"requests": 0.001, "burst": 1}}
    settings: dict[str, Any] = {
        "auth": {"lockout_failures": 3, "lockout_seconds": 600.0},
        "s3": {"keys_file": str(keys), "master_key_file": str(master)},
    }
    with Gateway(directory, users=users, settings=settings) as gateway:
        made = requests.put(f"{gateway.url}/f/directory?path=/private&permission=700",
                            auth=("admin", PASSWORD), timeout=30)
        assert made.status_code == 201
        yield Scene(gateway, key.secret, key.key_id)


def tour(scene: Scene) -> list[requests.Response]:
    """Fail in every way that there is; return the answers."""
    url = scene.gateway.url
    user, wrong, spent = ("someone", PASSWORD), ("someone", WRONG), ("spent", PASSWORD)
    bearer = {"Authorization": f"Bearer hfp_{WRONG}"}
    v4 = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scene.key_id}/20240101/us-east-1/s3/"
                           f"aws4_request, SignedHeaders=host, Signature={SIGNATURE}",
          "x-amz-date": "20240101T000000Z"}
    octets = {"Content-Type": "application/octet-stream"}
    large = b"x" * 100_000
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/f/file/status?path=/", {}),
        ("GET", "/f/file/status?path=/", {"auth": wrong}),
        ("GET", "/f/file/status?path=/", {"headers": bearer}),
        ("GET", "/f/file/status?path=/", {"headers": {"Authorization": f"Digest {WRONG}"}}),
        ("GET", "/f/file/status?path=/private/x", {"auth": user}),
        ("GET", "/f/nothing", {"auth": user}),
        ("PATCH", "/f/file/status?path=/", {"auth": user}),
        ("GET", "/f/file/status?path=/&path=a:b", {"auth": user}),
        ("PUT", f"{CONTENT}/private/x", {"auth": user, "data": large, "headers": octets}),
        ("PUT", f"{CONTENT}/tmp/x", {"auth": user, "data": b"x", "headers": {
            **octets, "Content-Encoding": "br"}}),
        ("PUT", f"{CONTENT}/tmp/x", {"auth": user, "data": b"no gzip", "headers": {
            **octets, "Content-Encoding": "gzip"}}),
        ("GET", "/f/file/status?path=/", {"auth": spent}),
        ("GET", "/f/file/status?path=/", {"auth": spent}),
        ("GET", "/api/v1/s3/user", {"headers": v4}),
        ("GET", f"/api/v1/s3/user?AWSAccessKeyId={scene.key_id}&Expires=1&Signature={SIGNATURE}",
         {}),
        ("GET", f"/api/v1/s3/user?X-Amz-Signature={SIGNATURE}", {}),
        ("POST", "/api/v1/paths//private/x/get-status", {"auth": user}),
        ("GET", "/v1/buckets/none", {"auth": wrong}),
        ("GET", f"/webhdfs/v1/?op=LISTSTATUS&delegation={SIGNATURE}", {}),
        ("GET", "/webhdfs/v1/?op=LISTSTATUS&user.name=hdfs", {}),
        *(("GET", "/f/file/status?path=/", {"auth": wrong}) for _ in range(4)),
    ]
    return [requests.request(method, url + path, timeout=60, **options)
            for method, path, options in calls]


def test_every_refusal_has_its_line_and_nothing_its_secret(scene: Scene) -> None:
    gateway = scene.gateway
    with requests.get(gateway.url + "/healthz", timeout=30) as answer:
        assert answer.ok
    answers = tour(scene)
    refused = [answer for answer in answers if answer.status_code >= 400]
    assert {400, 401, 403, 404, 405, 415, 429} <= {answer.status_code for answer in refused}
    for request in (b"GET /f/x?delegation=%b HTTP/1.1 x\r\n\r\n" % SIGNATURE.encode(),
                    b"GET / HTTP/1.1\r\nAuthorization Basic %b\r\n\r\n" % _basic(PASSWORD)):
        answers_raw = said(gateway, request)
        assert b" 400 " in answers_raw
        assert _secrets(scene, answers_raw.decode()) == []

    ids = {answer.headers["X-Request-Id"]: answer for answer in refused}
    wait_for("a line of each", lambda: ids.keys() <= {line["id"] for line in gateway.audit()})
    for line in gateway.audit():
        if line["id"] in ids:
            request = ids[line["id"]].request
            assert line["status"] == ids[line["id"]].status_code
            assert (line["method"], line["address"]) == (request.method, "127.0.0.1")
            assert line["operation"] is not None or line["status"] in (404, 405), line
    assert {line["user"] for line in gateway.audit()} >= {"someone", "spent", None}

    assert _secrets(scene, gateway.audit_file.read_text()) == []
    assert _secrets(scene, gateway.logged()) == []
    for answer in answers:
        assert _secrets(scene, answer.text + str(answer.headers)) == [], answer.request.url


def _basic(password: str) -> bytes:
    return base64.b64encode(f"someone:{password}".encode())


def _secrets(scene: Scene, text: str) -> list[str]:
    """Return which secrets stand in a text, as they are or as they were sent."""
    secrets = [PASSWORD, WRONG, SIGNATURE, scene.secret, "argon2",
               *(_basic(word).decode().rstrip("=") for word in (PASSWORD, WRONG))]
    return [secret for secret in secrets if secret in text]
