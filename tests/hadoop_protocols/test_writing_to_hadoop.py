"""What is written to a real HDFS is there, whole, and as if Hadoop's own client had written it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.hadoop.datanodes import Datanodes, NoDatanode
from app.hadoop.file_reading import NotPlain
from app.hadoop.file_writing import PACKET, NothingWritten
from app.hadoop.ipc import Identity, RemoteError, method
from app.hadoop.keeping import Keeper
from app.hadoop.protobuf import decode, text
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.hadoop.messages import Datanode
    from tests.hadoop_protocols.trio import Trio

pytestmark = pytest.mark.hadoop
HOME = "/user/alice"
FILE = f"{HOME}/file"
CONTENT = os.urandom((2 << 20) + 1000)
BLOCKS = st.sampled_from([1024, 2048, PACKET, 4 * PACKET, PACKET + 512, 1 << 20])


def cut(data: bytes, size: int) -> Iterator[bytes]:
    """Yield data in pieces."""
    for at in range(0, len(data), size):
        yield data[at:at + size]


@st.composite
def lengths(draw: st.DrawFn) -> tuple[int, int]:
    """Draw a block size, and a length about a chunk's, a packet's or some blocks' end."""
    block = draw(BLOCKS)
    edge = draw(st.sampled_from([0, 512, 1024, PACKET, block, 2 * block, block + PACKET]))
    return block, max(0, min(edge, 12 * block) + draw(st.integers(-2, 2)))


@settings(max_examples=40, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(sizes=lengths(), piece=st.sampled_from([1000, PACKET, 4 * PACKET, 1 << 20]),
       replication=st.integers(1, 3))
def test_any_length_is_written(
    trio: Trio, sizes: tuple[int, int], piece: int, replication: int,
) -> None:
    block, length = sizes
    content = CONTENT[:length]
    trio.put(FILE, cut(content, piece), block_size=block, replication=replication)
    assert trio.read(FILE) == content
    status = trio.told(FILE, "GETFILESTATUS")
    assert (status["length"], status["blockSize"], status["replication"]) == (
        length, block, replication)


@pytest.mark.parametrize("length", [0, 1, 5000, PACKET + 1, 3 * PACKET])
def test_the_checksum_is_that_of_hadoops_own_client(trio: Trio, length: int) -> None:
    content = CONTENT[:length]
    block = 1 << 19
    trio.put(FILE, [content], block_size=block)
    made = trio.web("PUT", f"{FILE}-web", op="CREATE", blocksize=block, overwrite="true",
                    data=content)
    assert made.status_code == 201
    assert (trio.told(FILE, "GETFILECHECKSUM") == trio.told(f"{FILE}-web", "GETFILECHECKSUM"))


def test_mode_owner_and_replication_are_as_asked_for(trio: Trio) -> None:
    trio.put(FILE, [b"bytes"], mode=0o640)
    status = trio.told(FILE, "GETFILESTATUS")
    assert (status["permission"], status["owner"], status["replication"]) == ("640", "alice", 3)


def test_a_file_that_is_there_stays_unless_it_may_be_replaced(trio: Trio) -> None:
    trio.put(FILE, [b"old"])
    with pytest.raises(RemoteError) as told:
        trio.put(FILE, [b"new"], overwrite=False)
    assert told.value.java_class.endswith("FileAlreadyExistsException")
    assert trio.read(FILE) == b"old"
    trio.put(FILE, [b"new"])
    assert trio.read(FILE) == b"new"


def test_who_may_not_write_is_refused_before_the_body_is_asked_for(trio: Trio) -> None:
    body = iter([b"bytes"])
    with pytest.raises(RemoteError) as told:
        trio.put(f"{HOME}/bobs", body, user="bob")
    assert told.value.java_class.endswith("AccessControlException")
    assert next(body) == b"bytes"


def test_a_quota_that_is_reached_in_the_middle_ends_the_file_there(trio: Trio) -> None:
    directory = f"{HOME}/narrow"
    trio.client().mkdirs(directory, 0o755, None)
    block = 1 << 20
    trio.web("PUT", directory, op="SETQUOTA", storagespacequota=2 * block + block // 2,
             namespacequota=100, **{"user.name": trio.cluster.superuser})
    with pytest.raises(RemoteError) as told:
        trio.put(f"{directory}/file", cut(CONTENT * 4, PACKET), block_size=block, replication=1)
    assert told.value.java_class.endswith("DSQuotaExceededException")
    assert trio.is_closed(f"{directory}/file")
    assert trio.read(f"{directory}/file") == (CONTENT * 4)[:2 * block]


@pytest.mark.parametrize("sent", [0, 10, 3 * PACKET])
def test_a_file_whose_body_breaks_is_closed(trio: Trio, sent: int) -> None:
    def body() -> Iterator[bytes]:
        yield from cut(CONTENT[:sent], PACKET)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        trio.put(FILE, body())
    written = CONTENT[:sent // PACKET * PACKET]
    assert trio.read(FILE) == written
    # Nobody has a lease, so anybody may take one.
    trio.web("POST", FILE, op="APPEND", data=b"more")
    assert trio.read(FILE) == written + b"more"


@pytest.mark.parametrize("blocks", [1 << 20, PACKET])
def test_a_lease_that_another_takes_ends_the_file(trio: Trio, blocks: int) -> None:
    def body() -> Iterator[bytes]:
        # More than a writer keeps until there are some packets: a file without bytes has no block.
        yield CONTENT[:8 * PACKET + 1]
        # A recovery that a DataNode was late for is begun anew only where it is asked for again.
        wait_for("the file is closed", lambda: recover() or trio.is_closed(FILE))
        yield from cut(CONTENT, PACKET)

    def recover() -> bool:
        recovered = trio.caller.call(
            Identity("alice"), method("recoverLease"), text(1, FILE) + text(2, "somebody"),
            may_repeat=True)
        return bool(decode(recovered)[1])

    with pytest.raises(RemoteError):
        trio.put(FILE, body(), block_size=blocks)
    assert trio.is_closed(FILE)


def test_where_no_datanode_is_reached_the_file_is_gone_and_the_body_is_given_back(
    trio: Trio, monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unreachable(_: Datanodes, node: Datanode) -> None:
        raise NoDatanode(f"{node.host}:{node.port}: no route")

    monkeypatch.setattr(Datanodes, "connect", unreachable)
    body = cut(CONTENT, PACKET)
    with pytest.raises(NothingWritten) as told:
        trio.put(f"{HOME}/unreached", body)
    assert told.value.taken + b"".join(body) == CONTENT
    assert trio.client().get_file_info(f"{HOME}/unreached") is None


def test_a_file_that_is_removed_meanwhile_is_told(trio: Trio) -> None:
    def body() -> Iterator[bytes]:
        yield CONTENT[:PACKET]
        assert trio.client().delete(FILE, recursive=False)
        yield from cut(CONTENT, PACKET)

    with pytest.raises(RemoteError) as told:
        trio.put(FILE, body(), block_size=PACKET)
    assert told.value.java_class.endswith(("LeaseExpiredException", "FileNotFoundException"))


def test_heartbeats_in_the_middle_of_a_block_hurt_nothing(trio: Trio) -> None:
    keeper = Keeper(renew_every=0.1, beat_after=0.04)

    def body() -> Iterator[bytes]:
        for piece in cut(CONTENT, PACKET - 7):
            yield piece
            time.sleep(0.1)

    trio.put(FILE, body(), keeper=keeper)
    keeper.close()
    assert trio.read(FILE) == CONTENT


def test_an_erasure_coded_directory_is_left_to_webhdfs(trio: Trio) -> None:
    directory = f"{HOME}/coded"
    trio.client().mkdirs(directory, 0o755, None)
    for path, operation in (("/", "ENABLEECPOLICY"), (directory, "SETECPOLICY")):
        trio.web("PUT", path, op=operation, ecpolicy="XOR-2-1-1024k",
                 **{"user.name": trio.cluster.superuser})
    with pytest.raises(NotPlain):
        trio.put(f"{directory}/file", [b"bytes"])
    assert trio.told(directory, "LISTSTATUS")["FileStatus"] == []
