"""A running gateway with two workers and every way to prove who one is."""

from __future__ import annotations

import ssl
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import boto3
import jwt
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from requests.adapters import HTTPAdapter

from tests.gateway import Gateway, default_users, wait_for
from tests.hadoop.certificates import Authority

from .slapd import PEOPLE, SERVICE, SERVICE_PASSWORD, Slapd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.gunicorn
PROXY = "127.0.0.2"
ISSUER, AUDIENCE = "https://id.example.net", "files"
VERSION_3 = bytes.fromhex("a003020102")
KEY = rsa.generate_private_key(65537, 2048)
DIALECTS = {"/f/file/status?path=/": "GET", "/api/v1/paths///get-status": "POST",
            "/v1/buckets/*": "GET", "/webhdfs/v1/?op=GETFILESTATUS": "GET"}


class World(Gateway):
    """The gateway, with slapd beside it."""

    def __init__(self, directory: Path, slapd: Slapd) -> None:
        self.slapd = slapd
        self.authority = Authority(directory / "ca", "clients")
        keys = directory / "keys.pem"
        keys.write_bytes(KEY.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        users = default_users()
        users["lena"] = {"hadoop_user": "bob", "active": False}
        super().__init__(directory, users=users, environment={
            "GATEWAY_LDAP_BIND_PASSWORD": SERVICE_PASSWORD}, settings={
            "auth": {"ways": ["password", "ldap", "jwt", "certificate"]},
            "ldap": {"urls": [slapd.url], "ca_file": str(slapd.authority.file), "bind_dn": SERVICE,
                     "search_base": PEOPLE, "hadoop_user": "alice", "refresh_seconds": 1,
                     "roles": ["admins=admin"]},
            "jwt": {"issuer": ISSUER, "audience": [AUDIENCE], "keys_file": str(keys),
                    "user_claim": "sub", "hadoop_user": "alice"},
            "certificate": {"patterns": ["CN=(.+)"], "hadoop_user": "alice",
                            "users": ["CN=backup=someone"]},
            "web": {"trusted_proxies": [PROXY], "certificate_header": "x-ssl-client-cert"},
            "s3": {"keys_file": str(directory / "keys.yaml"),
                   "master_key_file": str(directory / "keys.master")}})

    def header(self, name: str) -> dict[str, str]:
        """Return the headers in which a proxy tells a client's certificate."""
        pem = self.authority.identity(name).certificate.read_text()
        return {"X-SSL-Client-Verify": "SUCCESS", "X-SSL-Client-Cert": quote(pem)}

    def through_proxy(self, path: str, headers: dict[str, str]) -> requests.Response:
        """Ask from the address of the proxy; what it tells of the client comes with it."""
        with requests.Session() as session:
            session.mount("http://", FromProxy())
            session.trust_env = False
            return session.request(DIALECTS.get(path, "GET"), self.url + path, timeout=60, headers={
                "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https", **headers})

    def make_key(self, user: str) -> Any:
        """Return an S3 client with a new key of this user."""
        made = subprocess.run(
            [sys.executable, "-m", "app", "--config", str(self.config_file), "keys", "create", user,
             "--quiet"], check=True, capture_output=True, text=True, timeout=60)
        key_id, secret = made.stdout.split()
        return boto3.client(
            "s3", endpoint_url=f"{self.url}/api/v1/s3", region_name="us-east-1",
            aws_access_key_id=key_id, aws_secret_access_key=secret,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}))


class FromProxy(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, source_address=(PROXY, 0), **options)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("ways")
    (directory / "slapd").mkdir()
    with Slapd(directory / "slapd") as slapd:
        dora = slapd.person("dora", "dora's")
        slapd.person("lena", "lena's")
        slapd.group("admins", dora)
        with World(directory, slapd) as gateway:
            gateway.make_home("alice")
            yield gateway


def bearer(name: str, **claims: Any) -> dict[str, str]:
    made = {"iss": ISSUER, "aud": AUDIENCE, "sub": name, "exp": time.time() + 300, **claims}
    return {"Authorization": f"Bearer {jwt.encode(made, KEY, 'RS256')}"}


def ask(world: World, path: str, **options: Any) -> requests.Response:
    return world.request(DIALECTS.get(path, "GET"), path, user=None, **options)


@pytest.mark.parametrize("path", DIALECTS)
def test_every_dialect_takes_every_way(world: World, path: str) -> None:
    answers = {
        "password": world.request(DIALECTS[path], path),
        "ldap": ask(world, path, auth=("dora", "dora's")),
        "jwt": ask(world, path, headers=bearer("erik")),
        "certificate": world.through_proxy(path, world.header("frida")),
    }
    assert {way: answer.status_code for way, answer in answers.items()} == dict.fromkeys(
        answers, 200)
    ids = {answer.headers["X-Request-Id"]: way for way, answer in answers.items()}
    lines = wait_for("the audit lines", lambda: [
        line for line in world.audit() if line["id"] in ids] if len(
            [line for line in world.audit() if line["id"] in ids]) == len(ids) else [])
    assert {line["auth"] for line in lines} == set(answers)
    assert {ids[line["id"]]: line["user"] for line in lines} == {
        "password": "someone", "ldap": "dora", "jwt": "erik", "certificate": "frida"}
    assert all(line["auth"] == ids[line["id"]] for line in lines)


@pytest.mark.parametrize("path", DIALECTS)
def test_a_401_asks_for_every_way(world: World, path: str) -> None:
    asked = ask(world, path)
    assert asked.status_code == 401
    assert asked.raw.headers.getlist("WWW-Authenticate") == [
        'Basic realm="httpfs-proxy", charset="UTF-8"', 'Bearer realm="httpfs-proxy"']
    wrong = ask(world, path, headers=bearer("erik", aud="others"))
    assert wrong.status_code == 401
    assert 'error="invalid_token"' in wrong.headers["WWW-Authenticate"]
    forged = ask(world, path, headers={"Authorization": "Bearer a.b.c"})
    assert 'error="invalid_token"' in forged.headers["WWW-Authenticate"]


def test_s3_takes_passwords_of_ldap_and_no_bearer(world: World) -> None:
    assert ask(world, "/api/v1/s3/", auth=("dora", "dora's")).status_code == 200
    refused = ask(world, "/api/v1/s3/", auth=("dora", "wrong"))
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Basic ")
    assert "Bearer" not in refused.headers["WWW-Authenticate"]
    assert ask(world, "/api/v1/s3/", headers=bearer("erik")).status_code == 400
    assert world.through_proxy("/api/v1/s3/", world.header("frida")).status_code == 200


@pytest.mark.parametrize("path", [*DIALECTS, "/api/v1/s3/"])
def test_a_certificate_that_nobody_can_read_is_nobodys(world: World, path: str) -> None:
    headers = world.header("jana")
    der = ssl.PEM_cert_to_DER_cert(unquote(headers["X-SSL-Client-Cert"]))
    assert der.count(VERSION_3) == 1
    pem = ssl.DER_cert_to_PEM_cert(der.replace(VERSION_3, VERSION_3[:-1] + b"\7"))
    plain = ask(world, path)
    answer = world.through_proxy(path, {**headers, "X-SSL-Client-Cert": quote(pem)})
    assert answer.status_code == plain.status_code
    assert answer.status_code in (401, 403)
    assert answer.headers["Content-Type"] == plain.headers["Content-Type"]


def test_a_certificates_header_of_a_stranger_is_nothing(world: World) -> None:
    path = next(iter(DIALECTS))
    assert ask(world, path, headers=world.header("frida")).status_code == 401
    unverified = {**world.header("frida"), "X-SSL-Client-Verify": "FAILED:expired"}
    assert world.through_proxy(path, unverified).status_code == 401
    assert world.through_proxy(path, world.header("backup")).status_code == 200


def test_who_is_inactive_in_the_users_file_is_so_for_all_ways(world: World) -> None:
    path = next(iter(DIALECTS))
    assert ask(world, path, auth=("lena", "lena's")).status_code == 401
    assert ask(world, path, headers=bearer("lena")).status_code == 401
    assert world.through_proxy(path, world.header("lena")).status_code == 401


def test_s3_keys_work_for_users_of_each_way_while_they_are_there(world: World) -> None:
    person = world.slapd.person("gina", "gina's")
    path = next(iter(DIALECTS))
    assert ask(world, path, headers=bearer("hugo")).status_code == 200
    assert world.through_proxy(path, world.header("ida")).status_code == 200
    clients = {name: world.make_key(name) for name in ("gina", "hugo", "ida", "someone")}
    for client in clients.values():
        assert client.list_buckets()["ResponseMetadata"]["HTTPStatusCode"] == 200
    world.slapd.remove(person)
    wait_for("the end of gina's key", lambda: _refused(clients["gina"]))
    assert not _refused(clients["hugo"])
    assert _refused(world.make_key("never-came"))


def _refused(client: Any) -> bool:
    try:
        client.list_buckets()
    except ClientError as error:
        return error.response["Error"]["Code"] == "InvalidAccessKeyId"
    return False


def test_many_at_once_over_ldap(world: World) -> None:
    """Two gevent workers, each with more first requests than conversations with slapd."""
    people = [f"many{i}" for i in range(12)]
    for name in people:
        world.slapd.person(name, f"{name}'s")
    clients = [subprocess.Popen(
        ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-u", f"{name}:{name}'s",
         f"{world.url}{next(iter(DIALECTS))}"], stdout=subprocess.PIPE, text=True)
        for name in people for _ in range(2)]
    assert [client.communicate(timeout=120)[0] for client in clients] == ["200"] * 24


def test_ldap_away_is_503_for_its_users_alone_and_ready_all_the_same(world: World) -> None:
    path = next(iter(DIALECTS))
    world.slapd.stop()
    try:
        wrong = ask(world, path, auth=("dora", "wrong"))
        assert wrong.status_code == 503
        assert "Retry-After" in wrong.headers
        assert ask(world, "/api/v1/s3/", auth=("dora", "wrong")).status_code == 503
        assert world.request("GET", path).status_code == 200
        assert world.request("GET", "/readyz", user=None).status_code == 200
        assert "LDAP server" in world.logged()
    finally:
        world.slapd.start()
    wait_for("LDAP again", lambda: ask(world, path, auth=("dora", "dora's")).status_code == 200)
    assert SERVICE_PASSWORD not in world.logged()
    assert "dora's" not in world.logged()
