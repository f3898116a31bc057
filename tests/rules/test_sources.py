"""Users who come from their networks alone: right credentials from elsewhere are refused."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import boto3
import pytest
import requests
from botocore.config import Config

from tests.gateway import PASSWORD, Gateway, default_users
from tests.rules.place import HOME, OWNER

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.gunicorn
NETWORKS = ["10.0.0.0/8", "2001:db8::/32"]
USERS = {
    **default_users(),
    "inside": {"hadoop_user": OWNER, "bucket_root": HOME, "networks": NETWORKS},
    "here": {"hadoop_user": OWNER, "networks": ["127.0.0.0/8"]},
}
URLS = (
    f"/f/file/status?path={HOME}", "/users/me", "/api/v1/s3/", "/v1/buckets/*",
    f"/api/v1/paths/{HOME}/exists", f"/webhdfs/v1{HOME}?op=GETFILESTATUS", "/tokens")
INSIDE, OUTSIDE = "10.1.2.3", "192.0.2.1"


def forwarded(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address, "X-Forwarded-Proto": "https"}


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Yield a gateway behind a trusted proxy: this test."""
    directory = tmp_path_factory.mktemp("proxied")
    settings = {"web": {"trusted_proxies": ["127.0.0.1"]},
                "auth": {"networks": ["10.0.0.0/8=inside", "192.0.2.0/24=inside"]},
                "s3": {"keys_file": str(directory / "keys.yaml"),
                       "master_key_file": str(directory / "keys.master")}}
    with Gateway(directory, users=USERS, settings=settings) as gateway:
        for path in ("/user", HOME):
            gateway.request("PUT", "/f/directory", user="admin", params={"path": path},
                            headers=forwarded(INSIDE)).raise_for_status()
        gateway.request("PUT", "/f/file/owner", user="admin", headers=forwarded(INSIDE),
                        params={"path": HOME, "owner": OWNER}).raise_for_status()
        made = gateway.request("PUT", "/api/v1/s3/some", user="inside", headers=forwarded(INSIDE))
        made.raise_for_status()
        yield gateway


@pytest.mark.parametrize("url", URLS)
def test_a_password_counts_only_from_its_users_networks(proxied: Gateway, url: str) -> None:
    method = "POST" if "/exists" in url else "GET"
    answers = {
        address: proxied.request(method, url, user="inside", headers=headers)
        for address, headers in (
            (INSIDE, forwarded(INSIDE)), ("2001:db8::7", forwarded("2001:db8::7")),
            (OUTSIDE, forwarded(OUTSIDE)), ("the proxy itself", {}),
            ("one behind another", forwarded(f"{INSIDE}, {OUTSIDE}")))}
    for address, answer in answers.items():
        if address in (INSIDE, "2001:db8::7"):
            assert answer.status_code == 200, answer.text
        else:
            assert answer.status_code == 403 or "PERMISSION_DENIED" in answer.text, (
                address, answer.text)
    line = proxied.audit()[-1]
    assert (line["user"], line["error"], line["address"], line["auth"]) == (
        "inside", "SourceRefused", OUTSIDE, "password")


def test_a_wrong_password_is_a_wrong_password_wherever_it_comes_from(proxied: Gateway) -> None:
    for address in (INSIDE, OUTSIDE):
        answer = proxied.request("GET", "/users/me", auth=("inside", "wrong"),
                                 headers=forwarded(address))
        assert answer.status_code == 401


def test_a_token_counts_only_from_its_users_networks(proxied: Gateway) -> None:
    made = proxied.request("POST", "/tokens", user="inside", headers=forwarded(INSIDE))
    token = made.json()["result"]["token"]
    for address, status in ((INSIDE, 200), (OUTSIDE, 403)):
        answer = proxied.request("GET", "/users/me", auth=("inside", token),
                                 headers=forwarded(address))
        assert answer.status_code == status


def test_an_s3_key_counts_only_from_its_users_networks(proxied: Gateway) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "keys", "create", "inside", "--quiet"], check=True,
        capture_output=True, text=True,
        env={**os.environ, "GATEWAY_CONFIG": str(proxied.config_file)})
    key_id, secret = done.stdout.split()
    for version in ("s3v4", "s3"):
        client = boto3.client(
            "s3", endpoint_url=f"{proxied.url}/api/v1/s3", aws_access_key_id=key_id,
            aws_secret_access_key=secret, region_name="us-east-1",
            config=Config(signature_version=version, s3={"addressing_style": "path"}))
        url = client.generate_presigned_url("list_objects", {"Bucket": "some"})
        for address, status in ((INSIDE, 200), (OUTSIDE, 403)):
            with requests.Session() as session:
                session.trust_env = False
                answer = session.get(url, headers=forwarded(address), timeout=60)
            assert answer.status_code == status, answer.text
            if status == 403:
                assert "<Code>AccessDenied</Code>" in answer.text


def test_who_is_known_by_the_address_comes_from_their_networks_too(proxied: Gateway) -> None:
    for address, refused in ((INSIDE, False), (OUTSIDE, True)):
        answer = proxied.request("GET", "/v1/buckets/*", user=None, headers=forwarded(address))
        assert (answer.status_code == 403) is refused, answer.text


def test_headers_of_strangers_bring_nobody_inside(embedded_sources: Gateway) -> None:
    for headers in ({}, {"X-Forwarded-For": INSIDE}, {"Forwarded": f"for={INSIDE}"},
                    {"X-Real-IP": INSIDE}):
        answer = embedded_sources.request(
            "GET", "/users/me", auth=("inside", PASSWORD), headers=headers)
        assert answer.status_code == 403, headers
    assert embedded_sources.request("GET", "/users/me", user="here").status_code == 200
    # Whoever may stand behind an unknown proxy is not here for sure.
    behind = embedded_sources.request(
        "GET", "/users/me", user="here", headers={"X-Forwarded-For": "127.0.0.1"})
    assert behind.status_code == 403


@pytest.fixture(scope="module")
def embedded_sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Yield a gateway that trusts no proxy."""
    with Gateway(tmp_path_factory.mktemp("sources"), users=USERS) as gateway:
        yield gateway
