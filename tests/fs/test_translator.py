"""The compound operations on names, where others or the server's limits come in between."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.core.identity import Principal
from app.core.paths import HdfsPath
from app.fs.translator import UserFileSystem

if TYPE_CHECKING:

    from app.fs.filesystem import WebHdfsFileSystem
    from app.fs.staging import Staging

ALICE = Principal("someone", "alice")


class Altered:
    """Alice's cluster with other answers: `answers` has what is not as it is."""

    def __init__(self, fs: WebHdfsFileSystem, **answers: Any) -> None:
        self._fs = fs
        self.__dict__.update(answers)

    def __getattr__(self, name: str) -> Any:
        """Do everything else as it is."""
        return getattr(self._fs, name)


def test_a_sticky_directory_that_exists_is_left_as_it_is_by_a_server_that_makes_none(
    alice: WebHdfsFileSystem, directory: HdfsPath, staging: Staging,
) -> None:
    fs: Any = Altered(
        alice, flavor_of=lambda _: replace(alice.flavor, sticky_mkdirs=False))
    files = UserFileSystem(ALICE, fs, staging)
    files.mkdirs(directory, "1777")
    assert alice.status(directory).permission == "755"
    files.mkdirs(f"{directory}/new", "1777")
    assert alice.status(HdfsPath(f"{directory}/new")).permission == "1777"


def test_the_trash_is_emptied_between_the_steps_of_moving_into_it(
    alice: WebHdfsFileSystem, directory: HdfsPath, staging: Staging,
) -> None:
    path = HdfsPath(f"{directory}/f")
    alice.create(path, [b"x"])
    trash = HdfsPath(f"{directory}/.Trash")
    renames: list[HdfsPath] = []

    def rename(source: HdfsPath, destination: HdfsPath) -> bool:
        if not renames:
            alice.rename(HdfsPath(f"{trash}/Current"), HdfsPath(f"{trash}/checkpoint"))
        renames.append(destination)
        return alice.rename(source, destination)

    fs: Any = Altered(alice, rename=rename, trash_interval=lambda: 60,
                      trash_root=lambda _path: trash)
    UserFileSystem(ALICE, fs, staging).delete(path, recursive=False, skip_trash=False)
    assert len(renames) == 2
    assert alice.status(HdfsPath(f"{trash}/Current{path}")).length == 1
