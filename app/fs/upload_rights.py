"""The directory of a new multipart upload, with rights as the bucket has them.

Whoever may write the bucket may go on with the upload, but where the bucket's sticky bit keeps
users apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.fs import upload_layout as layout
from app.fs.port import AclChange

if TYPE_CHECKING:
    from app.core.model import FileStatus
    from app.core.paths import HdfsPath
    from app.fs.port import FileSystem

_OWNERS_ALL = 0o700
_OTHERS_WRITE = 0o022
_STICKY = 0o1000


def make_directory(fs: FileSystem, directory: HdfsPath, bucket: FileStatus) -> None:
    """Make the directory of an upload, and the one for its record in it."""
    given = int(bucket.permission, 8)
    shared = not given & _STICKY
    mode = (given if shared else given & ~_OTHERS_WRITE) & 0o777 | _OWNERS_ALL
    inside = layout.record_path(directory)
    fs.mkdirs(inside, f"{mode:o}")
    fs.set_permission(directory, f"{mode:o}")
    if bucket.acl and shared:
        _copy_acl(fs, directory, inside)


def _copy_acl(fs: FileSystem, directory: HdfsPath, inside: HdfsPath) -> None:
    """Give the upload the bucket's ACL, so that whom it names may go on with it."""
    acl = fs.acl(layout.bucket_of(directory))
    mode = acl.permission.zfill(3)[-3:]
    base = [f"{who}::{_letters(digit)}" for who, digit in zip(
        ("user", "group", "other"), mode, strict=True)]
    named = [entry for entry in acl.entries if not entry.startswith("default:")]
    if any(entry.startswith("group::") for entry in named):
        # The permission's digit of the group is the mask then.
        base[1] = f"mask::{_letters(mode[1])}"
    for path in (directory, inside):
        fs.change_acl(path, AclChange.SET, ",".join([*base, *named]))


def _letters(digit: str) -> str:
    bits = int(digit)
    return "".join(letter if bits & bit else "-" for letter, bit in zip("rwx", (4, 2, 1),
                                                                        strict=True))
