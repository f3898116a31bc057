"""kill -9 at every step of completing: the old object or the new one, and no part is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.objects.multipart_killing import (  # noqa: F401
    CONTENTS,
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
def test_asked_again_it_ends_in_the_object(scene: Scene, ways: tuple[str, ...]) -> None:  # noqa: F811
    def judge(upload: Upload, order: Order) -> None:
        assert scene.present(upload.key) in (OLD if "old" in ways else None, WHOLE)
        info = scene.world.complete(upload, order.claims)
        assert info.meta.upload == upload.upload_id
        assert info.meta.part_sizes == tuple(map(len, CONTENTS))
        assert scene.present(upload.key) == WHOLE
        assert scene.world.complete(upload, order.claims) == info

    each_step(scene, judge, *ways)
