"""An S3 authenticator over real files, and requests as botocore's clients send them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from app.auth import writer
from app.auth.keys import KeyDirectory
from app.auth.keys_file import SealedKey, new_master, read_master, text_of
from app.auth.s3 import S3Authenticator, SignedRequest
from app.auth.users import UserDirectory
from app.settings import AuthSettings, S3Settings
from app.state.sqlite import SqliteStore

from .conftest import CHEAP, Clock, Counting, password_authenticator

if TYPE_CHECKING:
    from pathlib import Path

    from app.auth.s3 import Caller

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CREDENTIALS = Credentials(KEY_ID, SECRET)
HOST = "gateway.test:8081"
REGION = "us-east-1"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def write_keys(file: Path, master: Path, **keys: tuple[str, str, bool]) -> None:
    """Write keys (id: user, secret, active) in the place of the old ones."""
    if not master.exists():
        master.write_text(new_master())
        master.chmod(0o600)
    sealer = read_master(master)
    fresh = file.with_name("fresh")
    fresh.write_text(text_of({
        key_id: SealedKey(user, sealer.seal(key_id, user, secret), active, "2024-05-01T12:00:00Z")
        for key_id, (user, secret, active) in keys.items()}))
    fresh.chmod(0o600)
    fresh.replace(file)


class S3World:
    """alice with one key, whose id and secret are those of AWS's documents."""

    def __init__(self, directory: Path) -> None:
        self.clock = Clock()
        self.wall_clock = Clock()
        self.wall_clock.now = time.time()
        self.file = directory / "keys.yaml"
        self.master = directory / "keys.master"
        self.users_file = directory / "users.yaml"
        writer.add_user(self.users_file, "alice", {
            "password": CHEAP.hash("right"), "hadoop_user": "hdfs-alice"})
        write_keys(self.file, self.master, **{KEY_ID: ("alice", SECRET, True)})
        self.users = UserDirectory(self.users_file, clock=self.clock)
        self.keys = KeyDirectory(self.file, self.master, clock=self.clock)
        store = SqliteStore(directory / "state.db", clock=self.wall_clock)
        basic = password_authenticator(
            AuthSettings(), self.users, store, Counting(), clock=self.clock,
            wall_clock=self.wall_clock)
        self.s3 = S3Authenticator(
            S3Settings(), self.keys, self.users, basic, wall_clock=self.wall_clock)

    def authenticate(self, request: SignedRequest) -> Caller:
        return self.s3.authenticate(request)


def bare(method: str = "GET", target: str = "/bucket/key", **headers: str) -> SignedRequest:
    """Return a request as it is sent; in names of headers "_" stands for "-"."""
    path, _, query = target.partition("?")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    host = named.setdefault("host", HOST)
    return SignedRequest(method, path, query, named, host, "192.0.2.1", True, path)


def signed(
    signer: Any, method: str = "GET", target: str = "/bucket/key", *, data: bytes = b"",
    headers: dict[str, str] | None = None, host: str = HOST, scheme: str = "http",
) -> SignedRequest:
    """Return what a client sends that signs with this signer of botocore."""
    request = AWSRequest(method, f"{scheme}://{host}{target}", headers=headers or {}, data=data)
    signer.add_auth(request)
    return on_the_wire(request)


def on_the_wire(request: AWSRequest) -> SignedRequest:
    """Return the request as a WSGI server hands it on: octets in Latin-1, values stripped."""
    url = urlsplit(request.url)
    headers = {
        name.lower(): ",".join(value.strip(" \t") for value in request.headers.get_all(name))
        for name in set(request.headers)}
    headers = {name: value.encode().decode("latin-1") for name, value in headers.items()}
    headers.setdefault("host", url.netloc)
    return SignedRequest(request.method, url.path or "/", url.query, headers, url.netloc,
                         "192.0.2.1", False, url.path or "/")
