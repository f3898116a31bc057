"""What of HDFS's own documents a caller sees: what is inside their root, as they write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.fs.hdfs_files import HdfsFiles


def inside(files: HdfsFiles, items: Any, key: str) -> list[dict[str, Any]]:
    """Return the items whose path under `key` the caller sees, with that path as they write it."""
    told = []
    for item in items or ():
        path = files.visible(item[key])
        if path is not None:
            told.append({**item, key: path})
    return told


def rooted(files: HdfsFiles, document: dict[str, Any]) -> dict[str, Any]:
    """Return a difference of snapshots with its root as the caller writes it."""
    root = document.get("snapshotRoot")
    return document if root is None else {
        **document, "snapshotRoot": files.visible(root) or "/"}
