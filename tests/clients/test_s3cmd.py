"""s3cmd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clients.endpoint import MIB, content, fill, tree
from tests.clients.tools import environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.clients.endpoint import Endpoint

FILES = {"a.txt": b"first\n", "sub/b.bin": content("b", 300_000), "sub/ü ö/c+d.txt": b"third\n"}


@pytest.fixture
def s3cmd(s3: Endpoint) -> Callable[..., str]:
    python = environment("s3cmd") / "python"
    transport = f"ca_certs_file = {s3.certificate}\n" if s3.secure else ""
    (s3.home / ".s3cfg").write_text(
        f"[default]\naccess_key = {s3.key_id}\nsecret_key = {s3.secret}\n"
        f"host_base = {s3.address}\nhost_bucket = {s3.address}\n"
        f"use_https = {s3.secure}\nsignurl_use_https = {s3.secure}\n{transport}")
    command = [python, "-W", "ignore", python.with_name("s3cmd"), "--no-progress"]
    return lambda *words, **options: s3.run(*command, *words, variables={}, **options)


def test_buckets(s3: Endpoint, s3cmd: Callable[..., str]) -> None:
    s3cmd("mb", "s3://made-by-s3cmd")
    assert "s3://made-by-s3cmd" in s3cmd("ls")
    assert "Location:  us-east-1" in s3cmd("info", "s3://made-by-s3cmd")
    s3cmd("rb", "s3://made-by-s3cmd")
    assert "made-by-s3cmd" not in s3.names("")


def test_objects(s3: Endpoint, s3cmd: Callable[..., str], bucket: str) -> None:
    # More than 15 MiB go in parts.
    data = content("large", 32 * MIB + 1)
    (s3.home / "up").write_bytes(data)
    s3cmd("put", "up", f"s3://{bucket}/dir/large", "--add-header=x-amz-meta-colour:blue")
    assert s3.stored(f"/{bucket}/dir/large") == data
    told = s3cmd("info", f"s3://{bucket}/dir/large")
    assert "x-amz-meta-colour: blue" in told
    assert str(len(data)) in told
    s3cmd("get", f"s3://{bucket}/dir/large", "down")
    assert (s3.home / "down").read_bytes() == data
    s3cmd("cp", f"s3://{bucket}/dir/large", f"s3://{bucket}/copied ü")
    assert s3.stored(f"/{bucket}/copied ü") == data
    s3cmd("mv", f"s3://{bucket}/copied ü", f"s3://{bucket}/moved")
    assert sorted(s3.names(f"/{bucket}")) == ["dir", "moved"]
    assert f"{2 * len(data)} " in s3cmd("du", f"s3://{bucket}")
    s3cmd("modify", "--add-header=x-amz-meta-colour:red", f"s3://{bucket}/moved")
    assert "x-amz-meta-colour: red" in s3cmd("info", f"s3://{bucket}/moved")
    s3cmd("del", f"s3://{bucket}/moved")
    assert s3.names(f"/{bucket}") == ["dir"]


def test_trees(s3: Endpoint, s3cmd: Callable[..., str], bucket: str) -> None:
    local, place = fill(s3.home / "local", FILES), f"s3://{bucket}/tree/"
    s3cmd("sync", f"{local}/", place)
    for name, data in FILES.items():
        assert s3.stored(f"/{bucket}/tree/{name}") == data
    assert "upload:" not in s3cmd("sync", f"{local}/", place)
    assert len(s3cmd("ls", "--recursive", place).splitlines()) == len(FILES)
    assert "DIR" in s3cmd("ls", place)
    (local / "a.txt").unlink()
    s3cmd("sync", "--delete-removed", f"{local}/", place)
    assert s3.names(f"/{bucket}/tree") == ["sub"]
    s3cmd("sync", place, f"{s3.home / 'fetched'}/")
    assert tree(s3.home / "fetched") == {
        name: data for name, data in FILES.items() if name != "a.txt"}
    s3cmd("del", "--recursive", "--force", f"s3://{bucket}/")
    assert s3.names(f"/{bucket}") == []


def test_addresses_that_it_signs(s3: Endpoint, s3cmd: Callable[..., str], bucket: str) -> None:
    (s3.home / "up").write_bytes(b"signed\n")
    s3cmd("put", "up", f"s3://{bucket}/file")
    address = s3cmd("signurl", f"s3://{bucket}/file", "+600").strip()
    trusted = ["--cacert", s3.certificate] if s3.certificate else []
    assert s3.run("curl", "-s", "-S", *trusted, address) == "signed\n"
