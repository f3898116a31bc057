"""Under gevent, as the gateway runs: whoever writes may be killed at any time."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BEGIN = """
    import gevent.monkey
    gevent.monkey.patch_all()
    import gevent, os, threading
    from app.hadoop.datanodes import Datanodes
    from app.hadoop.file_writing import PACKET, write_file
    from app.hadoop.ipc_pool import Limits
    from app.hadoop.keeping import Keeper
    from tests.gateway import wait_for
    from tests.hadoop_protocols.datanode_played import PlayedDatanode, PlayedNameNode, ack

    def put(namenode, body, keeper=None):
        write_file(namenode, Datanodes(Limits()), keeper or Keeper(), "/file", body, mode=0o644,
                   unmasked=None, overwrite=True, replication=None, block_size=None)
"""
WHILE_IT_WAITS_FOR_THE_BODY = """
    with PlayedDatanode() as datanode:
        namenode, never = PlayedNameNode([datanode.node]), threading.Event()

        def body():
            yield b"a" * PACKET
            never.wait()

        writing = gevent.spawn(put, namenode, body())
        wait_for("it waits", lambda: datanode.written and datanode.written[0].packets)
        writing.kill()
        assert isinstance(writing.value, gevent.GreenletExit), writing.value
        assert namenode.names()[-1] == "complete", namenode.calls
        assert namenode.of("complete")[-1][0].length == PACKET
        assert datanode.written[0].packets[-1].last
"""
WHILE_IT_WAITS_FOR_A_DATANODE = """
    from app.hadoop import block_writing, file_writing, pipeline
    # Waits for acknowledgements, or, where the window is that wide, for room to send.
    block_writing.WINDOW = 1 << 20
    file_writing._GIVE_UP_SECONDS, pipeline._SECONDS_A_NODE = 0.2, 0.0
    stuck = threading.Event()

    def acked(before, packet, nodes):
        stuck.wait()
        return ack(packet.sequence, 0)

    with PlayedDatanode(acked=acked) as datanode:
        namenode, asked = PlayedNameNode([datanode.node], defaults={"block_size": 1 << 30}), []

        def body():
            for number in range(50):
                asked.append(number)
                yield b"a" * (4 << 20)

        writing = gevent.spawn(put, namenode, body())
        wait_for("it sends", lambda: datanode.written and datanode.written[0].packets)
        before = -1
        while before != len(asked):
            before = len(asked)
            gevent.sleep(0.2)
        writing.kill()
        assert isinstance(writing.value, gevent.GreenletExit), writing.value
        assert namenode.names()[-2:] == ["abandon_block", "complete"], namenode.calls
        assert len(asked) < 50
        stuck.set()
"""
WHILE_THE_DATANODES_AGREE = """
    never = threading.Event()

    with PlayedDatanode(lambda _: never.wait()) as datanode:
        for content in (b"small", b"a" * PACKET * 2):
            namenode = PlayedNameNode([datanode.node] * 2)
            before = len(datanode.written)
            writing = gevent.spawn(put, namenode, [content])
            wait_for("it waits", lambda: len(datanode.written) > before)
            writing.kill()
            assert isinstance(writing.value, gevent.GreenletExit), writing.value
            # No block without bytes is left in the file.
            assert namenode.names()[-2:] == ["abandon_block", "complete"], namenode.calls
"""
THE_CHILD_OF_A_FORK = """
    class File:
        renewed = 0
        def renew(self): self.renewed += 1
        def beat(self, idle): pass

    keeper = Keeper(renew_every=0.04, beat_after=0.04)
    with keeper.keeping(inherited := File()):
        wait_for("it is renewed", lambda: inherited.renewed)
        child = os.fork()
        if child == 0:
            gevent.reinit()
            inherited.renewed = 0
            with keeper.keeping(own := File()):
                wait_for("it is renewed", lambda: own.renewed > 2)
            # gevent goes on with the parent's greenlets in the child.
            os._exit(inherited.renewed)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0, status
"""


@pytest.mark.parametrize("script", [
    pytest.param(WHILE_IT_WAITS_FOR_THE_BODY, id="waiting-for-the-body"),
    pytest.param(WHILE_THE_DATANODES_AGREE, id="agreeing"),
    pytest.param(WHILE_IT_WAITS_FOR_A_DATANODE, id="acknowledging"),
    pytest.param(WHILE_IT_WAITS_FOR_A_DATANODE.replace("1 << 20", "1 << 31"), id="sending"),
    pytest.param(THE_CHILD_OF_A_FORK, id="the-child-of-a-fork"),
])
def test_killed_and_forked(script: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(BEGIN) + textwrap.dedent(script)], cwd=REPOSITORY,
        capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
