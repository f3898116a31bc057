"""Uploads over old files that go on until they are told to end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import requests

from tests.contract.client import CONTENT, OCTETS, visible_and_hidden
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.client import Files

OLD = b"the old content, all of it " * 1000
PIECE = b"a piece of the new content " * 1000


class Upload(threading.Thread):
    """An upload over an old file whose pieces come until it is told to end."""

    def __init__(self, files: Files, name: str) -> None:
        super().__init__(daemon=True)
        self.name_in_directory = name
        self.content = b""
        self.status = 0
        self._files = files
        self._all_sent = threading.Event()

    def run(self) -> None:
        """Send it; `status` stays 0 where the connection breaks."""
        try:
            self.status = requests.put(
                self._files.gateway.url + CONTENT, data=self._pieces(), headers=OCTETS,
                params={"path": self._files.at(self.name_in_directory), "overwrite": "true"},
                auth=("someone", "secret"), timeout=60).status_code
        except requests.ConnectionError:
            self.status = 0

    def finish(self) -> None:
        """Send no further piece."""
        self._all_sent.set()

    def _pieces(self) -> Iterator[bytes]:
        while not self._all_sent.wait(0.05):
            self.content += PIECE
            yield PIECE


def started_uploads(files: Files, *names: str) -> list[Upload]:
    """Begin to replace these files, and return when HDFS has a hidden file of each."""
    uploads: list[Upload] = []
    for name in names:
        files.put(name, OLD)
        uploads.append(Upload(files, name))
        uploads[-1].start()
    wait_for("hidden files", lambda: visible_and_hidden(files).count("?") == len(names))
    return uploads
