"""Files of a real HDFS are read right, at any place, whatever becomes of a replica meanwhile."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from app.hadoop.datanodes import Datanodes
from app.hadoop.file_reading import FileReader, NotPlain, ReadFailed
from app.hadoop.ipc import RemoteError
from tests.gateway import REPOSITORY, wait_for
from tests.hadoop.probe import bean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.hadoop_protocols.trio import Trio

pytestmark = pytest.mark.hadoop
BLOCK = 2048
MANY = "/user/alice/many-blocks"
LARGE = "/user/alice/one-block"
MANY_BYTES = random.Random(2).randbytes(45 * BLOCK + 700)
LARGE_BYTES = random.Random(3).randbytes(24 * 1024 * 1024 + 13)


@pytest.fixture(scope="module")
def files(trio: Trio) -> Trio:
    """The cluster with a file of many small blocks, and one of a large block."""
    upload(trio, MANY, MANY_BYTES, blocksize=BLOCK)
    upload(trio, LARGE, LARGE_BYTES)
    return trio


@pytest.fixture
def datanodes(trio: Trio) -> Iterator[Datanodes]:
    made = Datanodes(trio.limits._replace(read_timeout=2))
    yield made
    made.close()


def upload(trio: Trio, path: str, content: bytes, **options: object) -> None:
    trio.web("PUT", path, op="CREATE", overwrite="true", data=content, **options)


def read(trio: Trio, datanodes: Datanodes, path: str, offset: int, length: int) -> bytes:
    reader = FileReader(trio.client(), datanodes, path, offset, length)
    try:
        pieces = []
        while piece := reader.read(100_000):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        reader.close()


def test_every_position_in_chunks_and_blocks(files: Trio, datanodes: Datanodes) -> None:
    places = [*range(20), *range(500, 530), *range(1020, 1030), *range(2040, 2060)]
    for offset in places:
        for length in (1, 512, 2048 - offset % 2048, 5000):
            assert read(files, datanodes, MANY, offset, length) == (
                MANY_BYTES[offset:offset + length])


def test_a_file_of_many_blocks_and_one_of_a_large_block(
    files: Trio, datanodes: Datanodes,
) -> None:
    assert read(files, datanodes, MANY, 0, len(MANY_BYTES)) == MANY_BYTES
    assert read(files, datanodes, LARGE, 0, len(LARGE_BYTES)) == LARGE_BYTES
    assert read(files, datanodes, LARGE, len(LARGE_BYTES) - 1, 1) == LARGE_BYTES[-1:]


def test_blocks_with_other_checksums_are_read(files: Trio, datanodes: Datanodes) -> None:
    # The DataNode tells which there are; hdfs itself is the writer.
    path = "/user/alice/other-checksums"
    local = files.cluster.directory / "other-checksums"
    local.write_bytes(LARGE_BYTES[:300_001])
    put = files.cluster.tool(
        "org.apache.hadoop.fs.FsShell", "-D", "dfs.checksum.type=CRC32",
        "-D", "dfs.bytes-per-checksum=1000", "-D", "dfs.blocksize=100000",
        "-put", "-f", str(local), path)
    subprocess.run(put, check=True, capture_output=True, timeout=120)
    for offset, length in ((0, 300_001), (999, 2), (1001, 99_000), (250_003, 49_998)):
        assert read(files, datanodes, path, offset, length) == (
            LARGE_BYTES[offset:offset + length])


def test_connections_are_used_again(files: Trio, datanodes: Datanodes) -> None:
    for offset in range(0, 40_000, 1000):
        read(files, datanodes, MANY, offset, 4096)
        idle = [link for links in datanodes._idle.values() for link in links]
        assert len(idle) <= 3
    ports = {link.socket.getsockname()[1] for link in idle}
    read(files, datanodes, MANY, 0, 4096)
    assert ports & {
        link.socket.getsockname()[1] for links in datanodes._idle.values() for link in links}


@pytest.mark.parametrize(("offset", "length"), [
    (0, len(MANY_BYTES) + 1), (len(MANY_BYTES), 1), (1 << 40, 1)])
def test_more_than_there_is_is_left_to_webhdfs(
    files: Trio, datanodes: Datanodes, offset: int, length: int,
) -> None:
    with pytest.raises(NotPlain):
        FileReader(files.client(), datanodes, MANY, offset, length)


def test_a_file_that_is_being_written_is_left_to_webhdfs(
    files: Trio, datanodes: Datanodes,
) -> None:
    path = "/user/alice/being-written"
    files.client().create(path, "writer", mode=0o644, unmasked=None, overwrite=True,
                          replication=1, block_size=1 << 20)
    with pytest.raises(NotPlain):
        FileReader(files.client(), datanodes, path, 0, 1)
    assert files.client().delete(path, recursive=False)


def test_who_may_not_read_is_told_so_by_the_namenode(files: Trio, datanodes: Datanodes) -> None:
    files.client().set_permission(MANY, 0o600)
    with pytest.raises(RemoteError) as caught:
        FileReader(files.client("bob"), datanodes, MANY, 0, 1)
    assert caught.value.java_class.endswith("AccessControlException")
    with pytest.raises(RemoteError) as caught:
        FileReader(files.client(), datanodes, "/user/alice/nothing", 0, 1)
    assert caught.value.java_class.endswith("FileNotFoundException")


def replicas(trio: Trio, path: str) -> list[Path]:
    """Return the files on disk that hold a file's first block, one for each DataNode."""
    found = trio.client().get_block_locations(path, 0, 1)
    assert found is not None
    name = f"blk_{found.blocks[0].block.block_id}"

    def three() -> list[Path]:
        paths = list(trio.cluster.directory.rglob(name))
        return paths if len(paths) == 3 else []

    return wait_for("three replicas", three)


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        octet = file.read(1)[0]
        file.seek(at)
        file.write(bytes([octet ^ 1]))


def test_replicas_that_changed_on_disk_are_found_out_and_reported(
    files: Trio, datanodes: Datanodes,
) -> None:
    path, content = "/user/alice/flipped", LARGE_BYTES[:400_000]
    upload(files, path, content)
    found = replicas(files, path)
    for replica in found[:2]:
        flip(replica, 200_000)

    def one_is_left() -> bool:
        # Which replica is read first is the NameNode's choice; corrupt ones it does not name.
        assert read(files, datanodes, path, 0, len(content)) == content
        located = files.client().get_block_locations(path, 0, 1)
        assert located is not None
        return len(located.blocks[0].nodes) == 1

    wait_for("both were reported", one_is_left)
    assert files.client().delete(path, recursive=False)


def test_no_byte_is_handed_out_that_is_wrong_everywhere(
    files: Trio, datanodes: Datanodes,
) -> None:
    path, content = "/user/alice/flipped-everywhere", LARGE_BYTES[:400_000]
    upload(files, path, content)
    for replica in replicas(files, path):
        flip(replica, 200_000)
    reader = FileReader(files.client(), datanodes, path, 0, len(content))
    got = b""
    with pytest.raises(ReadFailed, match="wrong checksum"):  # noqa: PT012 - at some read
        while piece := reader.read(1000):
            got += piece
    reader.close()
    assert got == content[:200_000 - 200_000 % 65536]
    assert read(files, datanodes, path, 300_000, 1000) == content[300_000:301_000]
    assert files.client().delete(path, recursive=False)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_datanode_that_dies_or_hangs_in_the_middle_is_replaced(
    files: Trio, datanodes: Datanodes, how: signal.Signals,
) -> None:
    ports = transfer_ports(files)
    reader = FileReader(files.client(), datanodes, LARGE, 0, len(LARGE_BYTES))
    got = [reader.read(65536)]
    assert reader._reader is not None
    victim = ports.index(reader._reader.node.port)
    files.cluster.kill_datanode(victim, how)
    try:
        while piece := reader.read(65536):
            got.append(piece)
        reader.close()
        assert b"".join(got) == LARGE_BYTES
        assert read(files, datanodes, MANY, 100, 9000) == MANY_BYTES[100:9100]
    finally:
        if how == signal.SIGSTOP:
            files.cluster.kill_datanode(victim, signal.SIGCONT)
        else:
            wait_for("it is dead", lambda: f"datanode-{victim}" not in files.cluster.pids)
            files.cluster.start_datanode(victim)
        wait_for("all are back", lambda: all_live(files))


def transfer_ports(trio: Trio) -> list[int]:
    told = json.loads(bean(trio.cluster.namenode_url, "NameNode", "NameNodeInfo")["LiveNodes"])
    live = {one["infoAddr"]: int(one["xferaddr"].rpartition(":")[2]) for one in told.values()}
    return [live[url.removeprefix("http://")] for url in trio.cluster.datanode_urls]


def all_live(trio: Trio) -> bool:
    state = bean(trio.cluster.namenode_url, "NameNode", "FSNamesystemState")
    return bool(state.get("NumLiveDataNodes") == 3)


def test_threads_read_at_once(files: Trio, datanodes: Datanodes) -> None:
    results: list[bool] = []

    def work(seed: int) -> None:
        picks = random.Random(seed)
        for _ in range(15):
            offset, length = picks.randrange(1 << 24), picks.randrange(1, 300_000)
            got = read(files, datanodes, LARGE, offset, length)
            results.append(got == LARGE_BYTES[offset:offset + length])

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 90


GREENLETS = """
import gevent.monkey
gevent.monkey.patch_all()
import hashlib, sys
import gevent
from app.hadoop.client_protocol import NameNodeClient
from app.hadoop.datanodes import Datanodes
from app.hadoop.file_reading import FileReader
from app.hadoop.ipc import Identity
from app.hadoop.ipc_pool import Caller, Limits

port, path, length = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
limits = Limits()
namenode = NameNodeClient(Caller(("127.0.0.1", port), limits), Identity("alice"))
datanodes = Datanodes(limits)

def digest(offset):
    reader = FileReader(namenode, datanodes, path, offset, length - offset)
    found = hashlib.md5()
    while piece := reader.read(256 * 1024):
        found.update(piece)
    reader.close()
    return found.hexdigest()

print(*[one.get() for one in [gevent.spawn(digest, i * 1000) for i in range(20)]])
"""


def test_greenlets_read_at_once(files: Trio) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", GREENLETS, str(files.cluster.rpc_port), LARGE,
         str(len(LARGE_BYTES))],
        check=True, capture_output=True, text=True, timeout=240, cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    assert ran.stdout.split() == [
        hashlib.md5(LARGE_BYTES[i * 1000:]).hexdigest() for i in range(20)]
