"""The trash: where the Hadoop shell moves what is removed (TrashPolicyDefault#moveToTrash)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from app.core.errors import AccessDenied, PathNotFound, TrashDisabled
from app.core.paths import HdfsPath, child_of, is_inside, parent_of
from app.fs.placing import refusal_of_rename, status_or_none

if TYPE_CHECKING:
    from app.core.identity import Principal
    from app.fs.port import FileSystem

TRASH = ".Trash"
"""The trash in a home directory (FileSystem#TRASH_PREFIX)."""
_CURRENT = "Current"


def trash_of(fs: FileSystem, principal: Principal, real: HdfsPath) -> HdfsPath:
    """Return the principal's trash for `real`. Raises TrashDisabled, AccessDenied.

    There is none where the cluster keeps none, nor where it lies outside the principal's root.
    What is, holds or lies in the trash cannot be moved there.
    """
    if fs.trash_interval() <= 0:
        raise TrashDisabled(real)
    trash = fs.trash_root(real)
    if not is_inside(trash, principal.root):
        raise TrashDisabled(real, "the trash lies outside this user's root")
    if is_inside(real, trash) or is_inside(trash, real):
        raise AccessDenied(real, "it is or holds the trash; remove it with skip-trash=true")
    return trash


def move_to_trash(fs: FileSystem, real: HdfsPath, trash: HdfsPath) -> None:
    """Move `real` below the `trash` that `trash_of` returned. Raises PathNotFound and kin."""
    target = HdfsPath(f"{child_of(trash, _CURRENT)}{real}")
    # Whoever empties the trash may rename `Current` between the two steps: once more then.
    if not _moved_below(fs, real, target) and not _moved_below(fs, real, target):
        raise refusal_of_rename(fs, real, target)


def holds_trash(fs: FileSystem, real: HdfsPath) -> bool:
    """Tell whether the user's trash lies at or below `real` and has something in it."""
    try:
        trash = fs.trash_root(real)
        return is_inside(trash, real) and bool(fs.list_page(trash).entries)
    except (PathNotFound, TrashDisabled):
        return False


def _moved_below(fs: FileSystem, real: HdfsPath, target: HdfsPath) -> bool:
    fs.mkdirs(parent_of(target), "700")
    if status_or_none(fs, target):
        target = HdfsPath(f"{target}{time.time_ns() // 1_000_000}")
    return fs.rename(real, target)
