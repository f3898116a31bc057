"""Archives: a directory in one stream, unpacked by others and compared."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.contract.client import errors_of

if TYPE_CHECKING:
    from tests.contract.client import Files

TREE = {
    "empty": b"", "one": b"1", "block": b"x" * 512, "deep/er/est/file": b"far down",
    "deep/\u00e9t\u00e9 \U0001f600.txt": b"odd name", "deep/" + "n" * 200: b"long name",
    "big": os.urandom(700_000), "new\nline": b"nl",
}
DIRECTORIES = {"", "void", "deep", "deep/er", "deep/er/est"}


@pytest.fixture
def tree(files: Files, trees: dict[str, Files]) -> Files:
    """Return a directory whose subdirectory `tree` holds the TREE; the same one for all tests."""
    if files.backend not in trees:
        trees[files.backend] = planted(files)
    return trees[files.backend]


@pytest.fixture(scope="module")
def trees() -> dict[str, Files]:
    """Return the directories with a TREE so far, by backend."""
    return {}


def planted(files: Files) -> Files:
    """Make the TREE."""
    for name, content in TREE.items():
        files.put(f"tree/{name}", content, permission="640")
    files.mkdir("tree/void", permission="700")
    return files


def archive(files: Files, name: str, **more: str) -> bytes:
    """Return the archive of a name in the directory."""
    return files.call("GET", "/f/archive", path=files.at(name), **more).content


def unpacked_tar(content: bytes) -> tuple[dict[str, bytes], set[str]]:
    """Return files and directories of a tar of any compression."""
    found: dict[str, bytes] = {}
    directories: set[str] = set()
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        for member in tar:
            if member.isdir():
                directories.add(member.name)
            else:
                source = tar.extractfile(member)
                assert source is not None
                found[member.name] = source.read()
    return found, directories


@pytest.mark.parametrize("kind", ["tar", "tar.gz", ""])
def test_tar(tree: Files, kind: str) -> None:
    content = archive(tree, "tree", **({"format": kind} if kind else {}))
    assert (content[:2] == b"\x1f\x8b") == (kind == "tar.gz")
    found, directories = unpacked_tar(content)
    assert found == {f"tree/{name}": content for name, content in TREE.items()}
    assert directories == {f"tree/{name}".rstrip("/") for name in DIRECTORIES}


def test_tar_keeps_modes_times_and_owners(tree: Files) -> None:
    status = tree.status("tree/one")
    with tarfile.open(fileobj=io.BytesIO(archive(tree, "tree"))) as tar:
        one, void = tar.getmember("tree/one"), tar.getmember("tree/void")
    assert (one.mode, void.mode) == (0o640, 0o700)
    assert (one.uname, one.mtime) == ("alice", status["modificationTime"] // 1000)


def test_zip(tree: Files) -> None:
    with zipfile.ZipFile(io.BytesIO(archive(tree, "tree", format="zip"))) as packed:
        assert packed.testzip() is None
        found = {name: packed.read(name) for name in packed.namelist() if name[-1] != "/"}
        directories = {name.rstrip("/") for name in packed.namelist() if name[-1] == "/"}
    assert found == {f"tree/{name}": content for name, content in TREE.items()}
    assert directories == {f"tree/{name}".rstrip("/") for name in DIRECTORIES}


@pytest.mark.parametrize(("kind", "media"), [
    ("tar", "application/x-tar"), ("tar.gz", "application/gzip"), ("zip", "application/zip")])
def test_what_an_archive_is_called(tree: Files, kind: str, media: str) -> None:
    answer = tree.call("GET", "/f/archive", path=tree.at("tree"), format=kind)
    assert answer.headers["Content-Type"] == media
    assert answer.headers["Content-Disposition"] == f'attachment; filename="tree.{kind}"'


@pytest.mark.parametrize("name", ['qu"ote', "new\nline", "\u00e9", "back\\slash"], ids=ascii)
def test_odd_names_do_not_break_the_header(files: Files, name: str) -> None:
    files.put(f"{name}/f", b"x")
    answer = files.call("GET", "/f/archive", path=files.at(name))
    told = answer.headers["Content-Disposition"]
    assert told.startswith('attachment; filename="')
    assert told.endswith(f"; filename*=UTF-8''{quote(name, safe='')}.tar")
    assert unpacked_tar(answer.content)[0] == {f"{name}/f": b"x"}


def test_the_archive_of_a_file_and_of_nothing_in_it(files: Files) -> None:
    files.put("f", b"content")
    files.mkdir("void")
    assert unpacked_tar(archive(files, "f")) == ({"f": b"content"}, set())
    assert unpacked_tar(archive(files, "void")) == ({}, {"void"})


def test_formats_that_are_not_known(files: Files) -> None:
    answer = files.call("GET", "/f/archive", 400, path=files.directory, format="rar")
    assert "tar.gz" in errors_of(answer)


def test_what_may_not_be_read_breaks_the_archive(files: Files) -> None:
    files.mkdir("private", permission="700")
    files.by("other").call("GET", "/f/archive", 403, path=files.at("private"))


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_a_tree_deeper_than_a_program_may_recurse(files: Files, kind: str) -> None:
    # Few requests here, hundreds behind: MKDIRS makes all parents at once.
    depth = 500
    below = "/".join(["d"] * depth)
    files.mkdir(f"tree/{below}")
    files.put("tree/d/beside", b"b")
    content = archive(files, "tree", format=kind)
    if kind == "zip":
        with zipfile.ZipFile(io.BytesIO(content)) as made:
            names = {name.rstrip("/") for name in made.namelist()}
    else:
        found, directories = unpacked_tar(content)
        names = set(found) | directories
    assert names == {"tree", "tree/d/beside",
                     *("tree/" + "/".join(["d"] * n) for n in range(1, depth + 1))}


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
@pytest.mark.parametrize("modified", [0, 5_000_000_000_000, 2**63 - 1])
def test_times_that_an_archive_cannot_hold(files: Files, kind: str, modified: int) -> None:
    files.put("tree/f", b"x")
    files.call("PUT", "/f/file/times", 204, path=files.at("tree/f"), modification_time=modified)
    content = archive(files, "tree", format=kind)
    if kind == "zip":
        with zipfile.ZipFile(io.BytesIO(content)) as made:
            assert made.read("tree/f") == b"x"
    else:
        assert unpacked_tar(content)[0] == {"tree/f": b"x"}


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
def test_a_file_that_may_not_be_read_is_refused_by_a_status(files: Files, kind: str) -> None:
    files.put("secret", b"content", permission="600")
    files.by("other").call("GET", "/f/archive", 403, path=files.at("secret"), format=kind)
