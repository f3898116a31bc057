"""rclone with its s3 backend."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.clients.endpoint import MIB, REGION, content, fill, tree
from tests.clients.tools import rclone as built

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.clients.endpoint import Endpoint

FILES = {"a.txt": b"first\n", "sub/b.bin": content("b", 300_000), "sub/ü ö/c+d.txt": b"third\n",
         "sub/empty": b""}
WHEN = 1_500_000_000.5


@pytest.fixture
def rclone(s3: Endpoint) -> Callable[..., str]:
    variables = {
        "RCLONE_CONFIG_S3_TYPE": "s3", "RCLONE_CONFIG_S3_PROVIDER": "Other",
        "RCLONE_CONFIG_S3_ENDPOINT": s3.url, "RCLONE_CONFIG_S3_REGION": REGION,
        "RCLONE_CONFIG_S3_ACCESS_KEY_ID": s3.key_id,
        "RCLONE_CONFIG_S3_SECRET_ACCESS_KEY": s3.secret}
    if s3.certificate:
        variables["RCLONE_CA_CERT"] = str(s3.certificate)
    command = built()
    return lambda *words, **options: s3.run(command, *words, variables=variables, **options)


def test_buckets(s3: Endpoint, rclone: Callable[..., str]) -> None:
    rclone("mkdir", "s3:made-by-rclone")
    assert "made-by-rclone" in s3.names("")
    rclone("purge", "s3:made-by-rclone")
    assert "made-by-rclone" not in s3.names("")


def test_trees(s3: Endpoint, rclone: Callable[..., str], bucket: str) -> None:
    local, place = fill(s3.home / "local", FILES), f"s3:{bucket}/tree"
    os.utime(local / "a.txt", (WHEN, WHEN))
    rclone("copy", local, place)
    for name, data in FILES.items():
        assert s3.stored(f"/{bucket}/tree/{name}") == data
    rclone("check", local, place)
    rclone("check", "--download", local, place)
    lines = rclone("lsl", place).splitlines()
    assert len(lines) == len(FILES)
    assert "        6 2017-07-14 02:40:00.500000000 a.txt" in lines
    (local / "a.txt").write_bytes(b"other\n")
    rclone("check", local, place, wanted=1)
    (local / "sub" / "b.bin").unlink()
    rclone("sync", local, place)
    rclone("check", local, place)
    assert sorted(s3.names(f"/{bucket}/tree/sub")) == ["empty", "ü ö"]
    rclone("sync", place, s3.home / "fetched")
    assert tree(s3.home / "fetched") == tree(local)
    rclone("moveto", f"{place}/a.txt", f"s3:{bucket}/moved ü.txt")
    assert s3.stored(f"/{bucket}/moved ü.txt") == b"other\n"
    rclone("deletefile", f"s3:{bucket}/moved ü.txt")
    rclone("purge", place)
    assert s3.names(f"/{bucket}") == []


def test_a_large_file_and_a_stream(s3: Endpoint, rclone: Callable[..., str], bucket: str) -> None:
    # More than 200 MiB go in parts, as does what has no size.
    block = content("large", MIB)
    (s3.home / "large").write_bytes(b"".join(b"%04d" % i + block[4:] for i in range(205)))
    rclone("copy", s3.home / "large", f"s3:{bucket}")
    rclone("check", "--download", "--include", "large", s3.home, f"s3:{bucket}")
    rclone("rcat", f"s3:{bucket}/piped", feed=block)
    assert s3.stored(f"/{bucket}/piped") == block
    assert sorted(s3.names(f"/{bucket}")) == ["large", "piped"]
