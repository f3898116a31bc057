"""A gateway for S3's tests, its users with their keys, and boto3 as each of them in four ways."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.client import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from defusedxml.ElementTree import fromstring

from app.auth.keys_writer import create_key
from tests.conftest import furnish
from tests.deploy.front import Certificate, TlsGateway
from tests.gateway import Gateway, default_users
from tests.hadoop.daemon import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGION = "us-east-1"
HOST = "s3.example.net"
PREFIX = "/api/v1/s3"
PUBLIC = "open-to-all"
BUCKET_ROOTS = {"someone": "/user/alice/s3", "reader": "/user/alice/s3", "other": "/user/bob/s3",
                "guest": "/user/alice/s3"}
"""`guest` is another Hadoop user than `someone` and has the same bucket root."""
STYLES = ["path", "virtual", "tls", "prefix"]


class Signer(S3SigV4Auth):
    """Signs x-amz-content-sha256 as it is given, where it is."""

    def add_auth(self, request: AWSRequest) -> None:
        self._given = request.headers.get("x-amz-content-sha256")
        super().add_auth(request)

    def payload(self, request: AWSRequest) -> str:
        return self._given or super().payload(request)


@dataclass
class World:
    """One running gateway whose S3 port is `port`; `key_of` has a key id and secret for each user.
    """

    gateway: Gateway
    port: int
    certificate: Certificate | None = None
    key_of: dict[str, tuple[str, str]] = field(default_factory=dict)
    # A session reads S3's description once, which takes a fifth of a second and 12 MiB.
    _boto: boto3.session.Session = field(default_factory=boto3.session.Session)
    _clients: list[Any] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The S3 port."""
        return f"{urlsplit(self.gateway.url).scheme}://127.0.0.1:{self.port}"

    def client(self, user: str = "someone", *, style: str = "path", **config: Any) -> Any:
        """Return boto3's client at its defaults; `style` is path, virtual or prefix."""
        key_id, secret = self.key_of[user]
        url = self.gateway.url + PREFIX if style == "prefix" else self.url
        if style == "virtual":
            url = f"{urlsplit(self.url).scheme}://{HOST}:{self.port}"
        config.setdefault("proxies", {})
        config.setdefault("retries", {"total_max_attempts": 1})
        config.setdefault("s3", {"addressing_style": "virtual" if style == "virtual" else "path"})
        made = self._boto.client(
            "s3", endpoint_url=url, aws_access_key_id=key_id, aws_secret_access_key=secret,
            config=Config(**{"region_name": REGION, **config}),
            verify=str(self.certificate.file) if self.certificate else None)
        if style == "virtual":
            made.meta.events.register("before-send.s3", self._without_dns)
        self._clients.append(made)
        return made

    def _without_dns(self, request: Any, **_: Any) -> None:
        """Send a request for a name that nobody has to resolve to this machine."""
        parts = urlsplit(request.url)
        request.headers["Host"] = parts.netloc
        request.url = parts._replace(netloc=f"127.0.0.1:{self.port}").geturl()

    def send(
        self, method: str, path: str, *, user: str | None = "someone",
        headers: dict[str, str] | None = None, data: bytes = b"", host: str = "",
        signed: dict[str, str] | None = None,
    ) -> requests.Response:
        """Send a request to the S3 port, signed for `user` (None: not at all), as it is.

        `path` is the target as it goes out; `host` another Host header than the address.
        `signed` are headers that are signed and sent, `headers` are added after signing.
        """
        url = self.url + path
        named = {"Host": host or urlsplit(self.url).netloc, **(signed or {})}
        if user is not None:
            target = AWSRequest(method, f"http://{named['Host']}{path}", named, data)
            Signer(Credentials(*self.key_of[user]), "s3", REGION).add_auth(target)
            named = dict(target.headers)
        request = requests.Request(method, url, named | (headers or {}), data=data).prepare()
        request.url = url  # as it is: requests would tidy it up
        with requests.Session() as session:
            session.trust_env = False
            return session.send(
                request, timeout=60, allow_redirects=False,
                verify=str(self.certificate.file) if self.certificate else True)

    def close(self) -> None:
        """Close what the clients hold open."""
        for client in self._clients:
            client.close()
        self._clients.clear()


def world_in(
    directory: Path, *, certificate: Certificate | None = None, **options: Any,
) -> Iterator[World]:
    """Yield a world over a gateway in this directory, its options as Gateway has them."""
    port = free_port()
    keys, master = directory / "keys.yaml", directory / "keys.master"
    s3 = {"keys_file": str(keys), "master_key_file": str(master), "ports": [port],
          "hosts": [HOST], "public": [f"{PUBLIC}=someone"]}
    users = default_users(options.get("superuser", "hdfs"))
    users["guest"] = {"hadoop_user": "bob"}
    for name, root in BUCKET_ROOTS.items():
        users[name]["bucket_root"] = root
    settings = {"s3": s3 | options.pop("s3", {}), **options.pop("settings", {})}
    args = ["--bind", f"127.0.0.1:{port}", *options.pop("gunicorn_args", [])]
    common = {"settings": settings, "users": users, "gunicorn_args": args, **options}
    key_of = {name: create_key(keys, master, name) for name in BUCKET_ROOTS}
    made = TlsGateway(directory, certificate, **common) if certificate else Gateway(
        directory, **common)
    with made as gateway:
        furnish(gateway)
        for user in ("someone", "other"):
            made_root = gateway.request(
                "PUT", "/f/directory", user=user, params={"path": BUCKET_ROOTS[user]})
            assert made_root.status_code == 201, made_root.text
        world = World(gateway, port, certificate, {
            name: (key.key_id, key.secret) for name, key in key_of.items()})
        yield world
        world.close()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Yield a gateway over the embedded backend; nobody may stop it."""
    yield from world_in(tmp_path_factory.mktemp("s3"))


@pytest.fixture(scope="session")
def tls_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Yield a gateway that ends TLS itself; clients send other bodies then."""
    directory = tmp_path_factory.mktemp("s3-tls")
    yield from world_in(directory, certificate=Certificate(directory / "certificate"))


@pytest.fixture
def client(s3: World) -> Any:
    """Return boto3 as `someone`, path style, on the S3 port."""
    return s3.client()


@pytest.fixture(params=STYLES)
def any_client(request: pytest.FixtureRequest) -> Any:
    """Return boto3 as `someone` in each way that a client may come."""
    style = request.param
    world: World = request.getfixturevalue("tls_s3" if style == "tls" else "s3")
    return world.client(style="path" if style == "tls" else style)


@pytest.fixture
def bucket(s3: World, request: pytest.FixtureRequest) -> str:
    """Return a new bucket of `someone`."""
    return fresh_bucket(s3.client())


_COUNT = iter(range(1, 1_000_000))


def fresh_bucket(client: Any) -> str:
    """Return the name of a new bucket of the client's user."""
    name = f"bucket-{next(_COUNT)}"
    client.create_bucket(Bucket=name)
    return name


def refusal(ask: Any, **parameters: Any) -> tuple[int, str]:
    """Return status and code of the error that an operation of boto3 ends in."""
    with pytest.raises(ClientError) as caught:
        ask(**parameters)
    told = caught.value.response
    return told["ResponseMetadata"]["HTTPStatusCode"], told["Error"]["Code"]


def code_of(answer: requests.Response) -> tuple[int, str]:
    """Return status and code of an answer that is an error, its form checked."""
    tree = fromstring(answer.content)
    assert tree.tag == "Error"
    assert answer.headers["Content-Type"] == "application/xml"
    assert tree.findtext("RequestId") == answer.headers["x-amz-request-id"]
    assert tree.findtext("Message")
    assert tree.find("Resource") is not None
    return answer.status_code, tree.findtext("Code") or ""
