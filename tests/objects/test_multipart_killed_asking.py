"""kill -9 while HDFS is asked for a step of completing, which it has got by then or not."""

from __future__ import annotations

import signal

import pytest

from tests.live.interceptor import Interceptor
from tests.objects.multipart_killing import (  # noqa: F401
    CLUSTERS,
    KEY,
    PROCESSES,
    WHOLE,
    Scene,
    complete,
    scene,
    target,
)

STEPS = [("SETXATTR", 1), ("CONCAT", 1), ("CONCAT", 2), ("SETXATTR", 2), ("RENAME", 1),
         ("RENAME", 2), ("RENAME", 3), ("DELETE", 1)]


@pytest.mark.parametrize("target", CLUSTERS[1:], indirect=True)
@pytest.mark.parametrize("before", [True, False], ids=["unsent", "unanswered"])
@pytest.mark.parametrize(("operation", "nth"), STEPS)
def test_killed_while_hdfs_is_asked(
    scene: Scene, operation: str, nth: int, *, before: bool,  # noqa: F811
) -> None:
    """The request has left the gateway, and has reached HDFS or not."""
    upload = scene.world.begin()
    with Interceptor(scene.target.url) as cut:
        order = scene.order(upload)._replace(target=scene.target._replace(url=cut.url))
        cut.hold(operation, nth=nth, before=before)
        process = PROCESSES.Process(target=complete, args=(order, 0), kwargs={"before": True})
        process.start()
        cut.await_held()
        process.kill()
        process.join(30)
    assert process.exitcode == -signal.SIGKILL
    scene.sweep()
    assert scene.present(KEY) in (None, WHOLE)
    assert scene.world.complete(upload, order.claims).meta.upload == upload.upload_id
    assert scene.present(KEY) == WHOLE
    assert scene.world.leftovers() == []
