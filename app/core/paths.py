"""From what a user may write to an absolute HDFS path, or InvalidPath.

HDFS itself accepts any name but those with `/`, `:` and being `.` or `..`
(org.apache.hadoop.hdfs.DFSUtil#isValidName). A name has at most 255 bytes of UTF-8
(dfs.namenode.fs-limits.max-component-length), a path at most 8,000 characters and 1,000 names
(HdfsServerConstants.MAX_PATH_LENGTH, MAX_PATH_DEPTH).
"""

from __future__ import annotations

from typing import NewType

from app.core.errors import InvalidPath

HdfsPath = NewType("HdfsPath", str)
"""An absolute, normalised path: starts with `/`, no empty, `.` or `..` names, no trailing `/`."""

ROOT = HdfsPath("/")
MAX_NAME_BYTES = 255
MAX_PATH_CHARS = 8000
MAX_PATH_DEPTH = 1000
HIDDEN_MARK = ".httpfs-proxy-"
"""Names that start with this are the gateway's own, while an operation is under way."""


def resolve(text: str, *, root: HdfsPath, home: HdfsPath) -> HdfsPath:
    """Return the HDFS path that a user means by `text`.

    A relative `text` starts at `home` (a real path inside `root`), an absolute one at `root`.
    `.` and empty names fall away, `..` goes up and may not leave `root`.
    Raises InvalidPath.
    """
    names: list[str] = []
    if not text.startswith("/"):
        names.extend(_names_below(home, root))
    for name in text.split("/"):
        if name in ("", "."):
            continue
        if name == "..":
            if not names:
                raise InvalidPath(text, "'..' leaves the root")
            names.pop()
            continue
        reason = _fault_in_name(name)
        if reason:
            raise InvalidPath(text, reason)
        names.append(name)
    path = "/".join((root if root != ROOT else "", *names)) or "/"
    _check_size(text, path)
    return HdfsPath(path)


def absolute(text: str) -> HdfsPath:
    """Return `text`, an absolute path of a configuration, normalised. Raises InvalidPath."""
    if not text.startswith("/"):
        raise InvalidPath(text, "it must start with '/'")
    return resolve(text, root=ROOT, home=ROOT)


def check_name(name: str) -> str:
    """Return `name` if a file or directory may have it. Raises InvalidPath."""
    reason = "a plain name has no '/'" if "/" in name else None
    if name in ("", ".", ".."):
        reason = "not a plain name"
    reason = reason or _fault_in_name(name)
    if reason:
        raise InvalidPath(name, reason)
    return name


def name_of(path: HdfsPath) -> str:
    """Return the last name of `path`; empty for the root."""
    return path.rpartition("/")[2]


def parent_of(path: HdfsPath) -> HdfsPath:
    """Return the directory that holds `path`; the root holds itself."""
    return HdfsPath(path.rpartition("/")[0] or "/")


def child_of(directory: HdfsPath, name: str) -> HdfsPath:
    """Return the path of `name` in `directory`; an empty name is the directory itself."""
    if not name:
        return directory
    return HdfsPath(f"{directory}{name}" if directory == ROOT else f"{directory}/{name}")


def is_inside(path: HdfsPath, directory: HdfsPath) -> bool:
    """Tell whether `path` is `directory` or lies below it."""
    return directory in (ROOT, path) or path.startswith(f"{directory}/")


def _names_below(home: HdfsPath, root: HdfsPath) -> list[str]:
    if not is_inside(home, root):
        return []
    below = home[len(root):] if root != ROOT else home
    return [name for name in below.split("/") if name]


def _fault_in_name(name: str) -> str | None:
    if "\0" in name:
        return "it contains a NUL character"
    if ":" in name:
        return "HDFS names have no ':'"
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    if size > MAX_NAME_BYTES:
        return f"a name has at most {MAX_NAME_BYTES} bytes, this one has {size}"
    return None


def _check_size(text: str, path: str) -> None:
    if len(path) > MAX_PATH_CHARS:
        raise InvalidPath(text, f"a path has at most {MAX_PATH_CHARS} characters")
    if path.count("/") > MAX_PATH_DEPTH:
        raise InvalidPath(text, f"a path has at most {MAX_PATH_DEPTH} names")
