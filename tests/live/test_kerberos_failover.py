"""A gateway before two NameNodes with Kerberos, one of which dies: tickets, `doas`, and files."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.conftest import HADOOP, furnish
from tests.contract.client import Files
from tests.gateway import Gateway
from tests.hadoop.kdc import Kdc
from tests.hadoop.kerberos_ha import KerberosHa
from tests.live.kerberos_place import assert_nothing_secret, negotiations, options

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = list(HADOOP)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KerberosHa]:
    with (Kdc(tmp_path_factory.mktemp("kdc")) as kdc,
          KerberosHa(tmp_path_factory.mktemp("kerberos-ha"), kdc) as running):
        yield running


@pytest.fixture(scope="module")
def gateway(
    cluster: KerberosHa, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("gateway")
    standby_first = list(reversed(cluster.namenode_urls))
    asked = options(cluster, standby_first, directory, retry_deadline=60.0, connect_timeout=5.0)
    with Gateway(directory, workers=1, **asked) as running:
        furnish(running)
        yield running


def test_files_of_users_are_there_before_while_and_after_a_namenode_dies(
    cluster: KerberosHa, gateway: Gateway,
) -> None:
    files = Files(gateway, "namenode", "/user/alice/failing-over")
    files.call("PUT", "/f/directory", 201, path=files.directory)
    content = os.urandom(3 << 20)
    files.put("before", content)
    assert negotiations(gateway) == 2, "with the standby, who said so, and with the active one"
    cluster.kill_namenode(0)
    with ThreadPoolExecutor(2) as many:
        read = many.submit(files.read, "before")
        written = many.submit(files.put, "while", b"nobody was active")
        cluster.transition(1, force=True)
        assert read.result() == content
        written.result()
    files.put("after", b"the other is")
    assert [files.read(name) for name in ("while", "after")] == [
        b"nobody was active", b"the other is"]
    assert {files.status(name)["owner"] for name in ("before", "while", "after")} == {"alice"}
    files.by("other").put("after", b"bob", 403, overwrite="true")
    assert negotiations(gateway) == 2, "its cookie was good"
    cluster.start_namenode(0)
    cluster.transition(0)
    assert files.read("after") == b"the other is"
    files.put("again", b"back")
    assert files.read("again") == b"back"
    assert_nothing_secret(gateway)
