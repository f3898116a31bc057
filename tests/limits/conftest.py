"""Gateways with limits; each test uses users of its own, for what one has spent is spent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.auth.keys_writer import create_key
from tests.gateway import Gateway, default_users

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOW = {"requests": 0.01, "burst": 3}
"""Three requests at once, then one in a hundred seconds: a slow machine does not see it refill."""
SIZE = 600_000
KEYS: dict[str, tuple[str, str]] = {}
"""The S3 key id and secret of users who have one."""


def users() -> dict[str, dict[str, Any]]:
    """Return users with limits, each for one thing."""
    known = default_users()
    for name, limits in {
        "hasty": SLOW, "envelope": SLOW, "s3": SLOW, "alluxio": SLOW, "aistore": SLOW,
        "webhdfs": SLOW, "metrics": SLOW, "keyed": SLOW,
        "two": {"transfers": 2}, "killed": {"transfers": 1}, "loud": {"transfers": 1},
        "streamer": {"transfers": 1},
        "uploader": {"upload": 200_000}, "downloader": {"download": 200_000},
        "small": {"body": 1000},
    }.items():
        known[name] = {"hadoop_user": "alice", "limits": dict(limits)}
    return known


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Yield a gateway of two workers whose users have limits of their own."""
    directory = tmp_path_factory.mktemp("limited")
    keys, master = directory / "keys.yaml", directory / "keys.master"
    key = create_key(keys, master, "keyed")
    KEYS["keyed"] = key.key_id, key.secret
    settings = {"s3": {"keys_file": str(keys), "master_key_file": str(master)}}
    with Gateway(directory, users=users(), settings=settings) as gateway:
        gateway.make_home("alice")
        put(gateway, "file", bytes(SIZE), user="someone")
        yield gateway


def put(gateway: Gateway, name: str, content: bytes, *, user: str) -> Any:
    """Upload a file as `user` and return the answer."""
    return gateway.request(
        "PUT", "/f/file/content", user=user, data=content,
        params={"path": f"/user/alice/{name}", "overwrite": "true"},
        headers={"Content-Type": "application/octet-stream"})
