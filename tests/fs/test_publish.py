"""Changes of content that meet others at the wrong moment."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import AlreadyExists, FileBusy
from app.core.paths import HdfsPath
from app.fs.placing import status_or_none
from app.fs.publish import Publisher, no_precondition
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.fs.filesystem import WebHdfsFileSystem
    from app.fs.port import Flavor
    from app.fs.staging import Staging


def test_an_empty_file_that_is_being_written_is_not_joined_and_stays(
    alice: WebHdfsFileSystem, directory: HdfsPath, staging: Staging,
) -> None:
    target, source = (HdfsPath(f"{directory}/{name}") for name in ("target", "source"))
    alice.create(target, [b"first"])
    begun, over = threading.Event(), threading.Event()

    def body() -> Iterator[bytes]:
        begun.set()
        yield bytes(1 << 17)  # HttpFS creates a file when its first bytes come
        over.wait(30)
        yield b"second"

    writer = threading.Thread(target=alice.create, args=(source, body()))
    writer.start()
    try:
        assert begun.wait(10)
        wait_for("the open file", lambda: status_or_none(alice, source))
        publisher = Publisher(alice, staging)
        with pytest.raises(FileBusy):
            publisher.concat(target, ["source"], no_precondition)
    finally:
        over.set()
        writer.join(30)
    assert alice.status(target).length == len(b"first")
    assert alice.status(source).length == (1 << 17) + len(b"second")


class Interfered:
    """A cluster that replaces in steps, where `other` happens before the rename number `at`."""

    def __init__(self, fs: WebHdfsFileSystem, at: int, other: Callable[[], object]) -> None:
        self._fs = fs
        self._at = at
        self._other = other
        self.renames = 0

    def __getattr__(self, name: str) -> Any:
        """Do everything else as it is."""
        return getattr(self._fs, name)

    def flavor_of(self, path: HdfsPath) -> Flavor:
        """Replace in steps."""
        return replace(self._fs.flavor_of(path), rename_options=False)

    def rename(self, *arguments: Any) -> bool:
        """Let the other be quicker."""
        self.renames += 1
        if self.renames == self._at:
            self._other()
        return self._fs.rename(*arguments)


@pytest.mark.parametrize(("at", "theirs"), [(1, None), (1, b"theirs"), (2, b"theirs")])
def test_overwriting_in_steps_while_another_does(
    alice: WebHdfsFileSystem, directory: HdfsPath, staging: Staging,
    at: int, theirs: bytes | None,
) -> None:
    path = HdfsPath(f"{directory}/f")
    alice.create(path, [b"old"])

    def other() -> None:
        alice.delete(path)
        if theirs is not None:
            alice.create(path, [theirs])

    fs: Any = Interfered(alice, at, other)
    Publisher(fs, staging).upload(
        path, [b"the new content"], overwrite=True, permission=None, replication=None,
        precondition=no_precondition, early=False)
    assert fs.renames >= at
    [only] = alice.list_page(directory).entries
    assert (only.path_suffix, only.length) == ("f", len(b"the new content"))


def test_a_file_that_came_meanwhile_is_not_replaced_in_steps_unless_that_was_asked_for(
    alice: WebHdfsFileSystem, directory: HdfsPath, staging: Staging,
) -> None:
    path = HdfsPath(f"{directory}/f")
    fs: Any = Interfered(alice, 1, lambda: alice.create(path, [b"theirs"]))
    with pytest.raises(AlreadyExists):
        Publisher(fs, staging).upload(
            path, [b"ours"], overwrite=False, permission=None, replication=None,
            precondition=no_precondition, early=False)
    [only] = alice.list_page(directory).entries
    assert (only.path_suffix, only.length) == ("f", len(b"theirs"))


class Late:
    """A cluster where creating a file waits for `other`."""

    def __init__(self, fs: WebHdfsFileSystem, other: Callable[[], object]) -> None:
        self._fs = fs
        self._other = other

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fs, name)

    def create(self, *arguments: Any, **options: Any) -> None:
        """Create a file, a moment later."""
        self._other()
        self._fs.create(*arguments, **options)


class BrokenOffError(Exception):
    """What the client's end is for the body."""


def test_of_two_uploads_that_break_off_no_directory_stays(
    alice: WebHdfsFileSystem, directory: HdfsPath, staging: Staging,
) -> None:
    path = HdfsPath(f"{directory}/made/for/it")
    over = threading.Event()

    def upload(fs: Any, body: Iterator[bytes]) -> None:
        with pytest.raises(BrokenOffError):
            Publisher(fs, staging).upload(
                path, body, overwrite=True, permission=None, replication=None,
                precondition=no_precondition, early=False)

    def first_body() -> Iterator[bytes]:
        yield bytes(1 << 17)
        over.wait(60)
        raise BrokenOffError

    first = threading.Thread(target=upload, args=(alice, first_body()))
    first.start()
    wait_for("the directory", lambda: status_or_none(alice, HdfsPath(f"{directory}/made/for")))

    def first_ends() -> None:
        over.set()
        first.join(60)
        assert status_or_none(alice, HdfsPath(f"{directory}/made")) is None

    def second_body() -> Iterator[bytes]:
        yield bytes(1 << 17)
        raise BrokenOffError

    upload(Late(alice, first_ends), second_body())
    staging.sweep()
    assert alice.list_page(directory).entries == []
