"""Signed requests as bytes on a connection, for what no client library sends."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.s3.conftest import BUCKET_ROOTS, REGION, Signer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.s3.conftest import World

UNSIGNED = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}


def signed(
    world: World, method: str, path: str, headers: Mapping[str, str], *, user: str = "someone",
) -> tuple[dict[str, str], Signer]:
    """Return the headers of a request with its signature, and who signed it."""
    host = urlsplit(world.url).netloc
    request = AWSRequest(method, f"http://{host}{path}", {"Host": host, **headers})
    signer = Signer(Credentials(*world.key_of[user]), "s3", REGION)
    signer.add_auth(request)
    return dict(request.headers), signer


def connect(world: World) -> socket.socket:
    """Return a connection to the S3 port."""
    return socket.create_connection(("127.0.0.1", world.port), timeout=30)


def send_head(
    connection: socket.socket, method: str, path: str, headers: Mapping[str, str],
) -> None:
    """Send the head of a request."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))


def ask(
    world: World, method: str, path: str, headers: Mapping[str, str], body: bytes = b"",
) -> bytes:
    """Send a request and return all that comes back until the gateway closes."""
    with connect(world) as connection:
        send_head(connection, method, path, {**headers, "Connection": "close"})
        connection.sendall(body)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


def names_in(world: World, bucket: str) -> int:
    """Return how many files and directories are in a bucket, those included that nobody sees."""
    path = f"{BUCKET_ROOTS['someone']}/{bucket}"
    answer = world.gateway.request("GET", "/f/quota", params={"path": path})
    return int(answer.json()["result"]["quota"]["namesUsed"]) - 1
