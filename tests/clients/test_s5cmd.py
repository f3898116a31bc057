"""s5cmd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clients.endpoint import MIB, content, fill, tree
from tests.clients.tools import environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.clients.endpoint import Endpoint

FILES = {f"sub/{number}.bin": content(str(number), 20_000) for number in range(40)} | {
    "a.txt": b"first\n", "sub/ü ö/c+d.txt": b"third\n"}


@pytest.fixture
def s5cmd(s3: Endpoint) -> Callable[..., str]:
    command = [environment("s5cmd") / "s5cmd", "--endpoint-url", s3.url]
    return lambda *words, **options: s3.run(*command, *words, **options)


def test_buckets(s3: Endpoint, s5cmd: Callable[..., str]) -> None:
    s5cmd("mb", "s3://made-by-s5cmd")
    assert "s3://made-by-s5cmd" in s5cmd("ls")
    s5cmd("rb", "s3://made-by-s5cmd")
    assert "made-by-s5cmd" not in s3.names("")


def test_trees(s3: Endpoint, s5cmd: Callable[..., str], bucket: str) -> None:
    local, place = fill(s3.home / "local", FILES), f"s3://{bucket}/tree"
    s5cmd("cp", f"{local}/", f"{place}/")
    for name, data in FILES.items():
        assert s3.stored(f"/{bucket}/tree/{name}") == data
    assert len(s5cmd("ls", f"{place}/*").splitlines()) == len(FILES)
    assert f"{sum(map(len, FILES.values()))} bytes in {len(FILES)} objects" in s5cmd(
        "du", f"{place}/*")
    s5cmd("cp", f"{place}/*", f"{s3.home / 'fetched'}/")
    assert tree(s3.home / "fetched") == FILES
    (local / "a.txt").unlink()
    s5cmd("sync", "--delete", f"{local}/", f"{place}/")
    assert s3.names(f"/{bucket}/tree") == ["sub"]
    s5cmd("rm", f"{place}/sub/1*")
    assert len(s3.names(f"/{bucket}/tree/sub")) == 40 - 11 + 1
    s5cmd("mv", f"{place}/sub/2.bin", f"s3://{bucket}/moved")
    assert s3.stored(f"/{bucket}/moved") == FILES["sub/2.bin"]
    s5cmd("rm", f"s3://{bucket}/*")
    assert s3.names(f"/{bucket}") == []


def test_a_large_file_and_a_stream(s3: Endpoint, s5cmd: Callable[..., str], bucket: str) -> None:
    # Parts of 50 MiB by default, five at once.
    block = content("large", MIB)
    data = b"".join(b"%04d" % i + block[4:] for i in range(120))
    (s3.home / "up").write_bytes(data)
    s5cmd("cp", "up", f"s3://{bucket}/large")
    assert s3.stored(f"/{bucket}/large") == data
    s5cmd("cp", f"s3://{bucket}/large", "down")
    assert (s3.home / "down").read_bytes() == data
    s5cmd("cp", f"s3://{bucket}/large", f"s3://{bucket}/copied")
    assert s3.stored(f"/{bucket}/copied") == data
    s5cmd("pipe", f"s3://{bucket}/piped", feed=block)
    assert s3.stored(f"/{bucket}/piped") == block
