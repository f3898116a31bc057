"""The aws command line, version 1 as `pip install awscli` gives it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from tests.clients.endpoint import MIB, content, fill, tree
from tests.clients.tools import environment
from tests.deploy.front import program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.clients.endpoint import Endpoint

FILES = {"a.txt": b"first\n", "sub/b.bin": content("b", 300_000), "sub/ü ö/c+d.txt": b"third\n",
         "empty": b""}
LARGE = 2048 * MIB
BLOCK = content("gigabytes", 8 * MIB)


@pytest.fixture
def aws(s3: Endpoint) -> Callable[..., str]:
    command = environment("awscli") / "aws"
    return lambda *words, **options: s3.run(command, *words, **options)


def test_buckets(s3: Endpoint, aws: Callable[..., str]) -> None:
    aws("s3", "mb", "s3://made-by-aws")
    assert "made-by-aws" in aws("s3", "ls")
    assert "made-by-aws" in s3.names("")
    aws("s3", "rb", "s3://made-by-aws")
    assert "made-by-aws" not in s3.names("")


def test_one_file_both_ways(s3: Endpoint, aws: Callable[..., str], bucket: str) -> None:
    place = f"s3://{bucket}/dir/file.bin"
    data = content("one", 1_234_567)
    (s3.home / "up").write_bytes(data)
    aws("s3", "cp", "up", place, "--metadata", "colour=blue")
    assert s3.stored(f"/{bucket}/dir/file.bin") == data
    assert "1234567 file.bin" in aws("s3", "ls", f"s3://{bucket}/dir/")
    aws("s3", "cp", place, "down")
    assert (s3.home / "down").read_bytes() == data
    head = json.loads(aws("s3api", "head-object", "--bucket", bucket, "--key", "dir/file.bin"))
    assert (head["ContentLength"], head["Metadata"]) == (len(data), {"colour": "blue"})
    assert head["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    aws("s3", "cp", "-", f"s3://{bucket}/piped", feed=b"by a pipe\n")
    assert aws("s3", "cp", f"s3://{bucket}/piped", "-") == "by a pipe\n"
    aws("s3", "mv", f"s3://{bucket}/piped", f"s3://{bucket}/elsewhere/moved")
    assert s3.stored(f"/{bucket}/elsewhere/moved") == b"by a pipe\n"
    assert s3.stored(f"/{bucket}/piped") is None
    aws("s3", "ls", f"s3://{bucket}/nothing/", wanted=1)


def test_trees(s3: Endpoint, aws: Callable[..., str], bucket: str) -> None:
    local, place = fill(s3.home / "local", FILES), f"s3://{bucket}/tree"
    aws("s3", "sync", local, place)
    assert s3.stored(f"/{bucket}/tree/sub/ü ö/c+d.txt") == FILES["sub/ü ö/c+d.txt"]
    assert aws("s3", "sync", local, place) == ""
    assert f"Total Objects: {len(FILES)}" in aws("s3", "ls", "--recursive", "--summarize", place)
    aws("s3", "sync", place, "fetched")
    assert tree(s3.home / "fetched") == FILES
    (local / "a.txt").unlink()
    (local / "sub" / "new").write_bytes(b"new\n")
    changes = aws("s3", "sync", "--delete", local, place).splitlines()
    assert sorted(line.split(":")[0] for line in changes if ":" in line) == ["delete", "upload"]
    aws("s3", "mv", "--recursive", f"{place}/sub", f"s3://{bucket}/moved")
    assert sorted(s3.names(f"/{bucket}/moved")) == ["b.bin", "new", "ü ö"]
    aws("s3", "cp", "--recursive", f"s3://{bucket}/moved", f"s3://{bucket}/copied")
    assert s3.stored(f"/{bucket}/copied/b.bin") == FILES["sub/b.bin"]
    aws("s3", "rm", "--recursive", f"s3://{bucket}/")
    assert s3.names(f"/{bucket}") == []


def test_presigned_addresses_open_with_curl(
    s3: Endpoint, aws: Callable[..., str], bucket: str,
) -> None:
    (s3.home / "up").write_bytes(b"presigned\n")
    aws("s3", "cp", "up", f"s3://{bucket}/dir/ü file")
    address = aws("s3", "presign", f"s3://{bucket}/dir/ü file", "--expires-in", "300").strip()
    trusted = ["--cacert", s3.certificate] if s3.certificate else []
    curl = [program("curl"), "-s", "-S", *trusted]
    assert s3.run(*curl, address) == "presigned\n"
    assert "<Code>" in s3.run(*curl, address.replace("file", "fils"))


@pytest.mark.slow
@pytest.mark.parametrize("server", ["tls"], indirect=True, scope="session")
def test_gigabytes_in_parts(s3: Endpoint, aws: Callable[..., str], bucket: str) -> None:
    up, down = s3.home / "up", s3.home / "down"
    wanted = hashlib.sha256()
    with up.open("wb") as file:
        for number in range(LARGE // len(BLOCK)):
            piece = b"%016d" % number + BLOCK[16:]
            wanted.update(piece)
            file.write(piece)
    aws("s3", "cp", "--no-progress", up, f"s3://{bucket}/large")
    up.unlink()
    head = json.loads(aws("s3api", "head-object", "--bucket", bucket, "--key", "large"))
    assert head["ContentLength"] == LARGE
    assert head["ETag"].endswith(f'-{LARGE // len(BLOCK)}"')
    before = s3.gateway.memory()
    aws("s3", "cp", "--no-progress", f"s3://{bucket}/large", down)
    assert digest(down) == wanted.hexdigest()
    assert s3.gateway.memory() - before < 128 * MIB
    assert s3.names(f"/{bucket}") == ["large"]
    down.unlink()


def digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
