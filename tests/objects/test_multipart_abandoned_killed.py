"""kill -9 at every step of completing, and nobody asks again: the sweep leaves no part behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.core.object_errors import NoSuchUpload
from tests.objects.multipart_killing import (  # noqa: F401
    AGE,
    OLD,
    WAYS,
    WHOLE,
    Scene,
    each_step,
    scene,
    target,
)

if TYPE_CHECKING:
    from app.core.objects import Upload
    from tests.objects.multipart_process import Order


@WAYS
def test_never_asked_again_it_leaves_nothing(scene: Scene, ways: tuple[str, ...]) -> None:  # noqa: F811
    def judge(upload: Upload, order: Order) -> None:
        before = scene.present(upload.key)
        assert before in (OLD if "old" in ways else None, WHOLE)
        scene.sweep(later=AGE + 7200)
        assert scene.present(upload.key) == before
        if before != WHOLE:
            with pytest.raises(NoSuchUpload):
                scene.world.complete(upload, order.claims)

    each_step(scene, judge, *ways)
