"""Shards for the tests, made and read by Python's own modules alone."""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def make_shard(extension: str, files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a shard with these files."""
    packed = io.BytesIO()
    if extension == ".zip":
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files:
                archive.writestr(name, content)
    else:
        with tarfile.open(fileobj=packed, mode="w" if extension == ".tar" else "w:gz") as tar:
            for name, content in files:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def files_of(extension: str, shard: bytes) -> list[tuple[str, bytes]]:
    """Return names and contents in a shard, in their order."""
    if extension == ".zip":
        with zipfile.ZipFile(io.BytesIO(shard)) as archive:
            return [(info.filename, archive.read(info)) for info in archive.infolist()]
    mode = "r:" if extension == ".tar" else "r:gz"
    with tarfile.open(fileobj=io.BytesIO(shard), mode=mode) as tar:
        return [(info.name, tar.extractfile(info).read()) for info in tar]
