"""What happens to the target while an upload is under way, and who wins."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.contract.client import CONTENT, OCTETS, visible_and_hidden
from tests.contract.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.client import Files
    from tests.contract.wire import WireAnswer

OURS = b"ours"


class Upload:
    """An upload whose body is still to come; the gateway has looked at the target."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def finish(self) -> WireAnswer:
        """Send the body and return the answer."""
        self._wire.socket.sendall(OURS)
        return self._wire.answer()


@contextmanager
def begun(files: Files, query: str = "", *headers: tuple[str, str]) -> Iterator[Upload]:
    """Begin an upload to `f`."""
    with Wire(files.gateway) as wire:
        wire.send_head("PUT", f"{CONTENT}?path={files.at('f')}{query}", [
            ("Expect", "100-continue"), ("Content-Length", str(len(OURS))), *OCTETS.items(),
            *headers])
        assert wire.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        yield Upload(wire)


def test_overwriting_a_file_that_came_meanwhile(files: Files) -> None:
    with begun(files, "&overwrite=true") as upload:
        files.put("f", b"theirs")
        assert upload.finish().status == 201
    assert files.read("f") == OURS
    assert visible_and_hidden(files) == ["f"]


def test_overwriting_a_file_that_went_meanwhile(files: Files) -> None:
    files.put("f", b"old")
    with begun(files, "&overwrite=true") as upload:
        files.call("DELETE", "/f/file", 204, path=files.at("f"))
        assert upload.finish().status == 201
    assert files.read("f") == OURS
    assert visible_and_hidden(files) == ["f"]


@pytest.mark.parametrize("query", ["", "&overwrite=true"])
def test_only_if_nothing_is_there(files: Files, query: str) -> None:
    with begun(files, query, ("If-None-Match", "*")) as upload:
        files.put("f", b"theirs")
        assert upload.finish().status in (409, 412)
    assert files.read("f") == b"theirs"
    assert visible_and_hidden(files) == ["f"]


def test_only_if_it_is_the_version_that_was_read(files: Files) -> None:
    files.put("f", b"old")
    etag = files.get("f").headers["ETag"]
    with begun(files, "&overwrite=true", ("If-Match", etag)) as upload:
        files.put("f", b"theirs", overwrite="true")
        assert upload.finish().status == 412
    assert files.read("f") == b"theirs"
    assert visible_and_hidden(files) == ["f"]


@pytest.mark.parametrize("query", ["", "&overwrite=true"])
def test_a_directory_that_came_meanwhile_stays(files: Files, query: str) -> None:
    with begun(files, query) as upload:
        files.mkdir("f")
        assert upload.finish().status == 409
    assert files.status("f")["type"] == "DIRECTORY"
    assert visible_and_hidden(files) == ["f"]


def test_joining_files_to_another_version_than_was_read(files: Files) -> None:
    files.put("f", b"old")
    files.put("more", b"more")
    etag = files.get("f").headers["ETag"]
    files.put("f", b"theirs", overwrite="true")
    join = {"path": files.at("f"), "sources": "more"}
    files.call("POST", CONTENT, 412, headers={"If-Match": etag}, **join)
    assert files.names() == ["f", "more"]
    files.call("POST", CONTENT, 201,
               headers={"If-Match": files.get("f").headers["ETag"]}, **join)
    assert files.read("f") == b"theirsmore"


def test_removing_only_the_version_that_was_read(files: Files) -> None:
    files.put("f", b"old")
    etag = files.get("f").headers["ETag"]
    files.put("f", b"theirs", overwrite="true")
    remove = {"path": files.at("f")}
    files.call("DELETE", "/f/file", 412, headers={"If-Match": etag}, **remove)
    assert files.read("f") == b"theirs"
    etag = files.get("f").headers["ETag"]
    files.call("DELETE", "/f/file", 204, headers={"If-Match": etag}, **remove)
    files.call("DELETE", "/f/file", 404, headers={"If-Match": "*"}, **remove)
    assert files.names() == []


def test_renaming_only_the_version_that_was_read(files: Files) -> None:
    files.put("f", b"old")
    etag = files.get("f").headers["ETag"]
    files.put("f", b"theirs", overwrite="true")
    rename = {"path": files.at("f"), "destination": files.at("g")}
    files.call("PUT", "/f/name", 412, headers={"If-Match": etag}, **rename)
    assert files.names() == ["f"]
    etag = files.get("f").headers["ETag"]
    files.call("PUT", "/f/name", 201, headers={"If-Match": etag}, **rename)
    assert files.read("g") == b"theirs"
    files.call("PUT", "/f/name", 404, headers={"If-Match": "*"}, **rename)
    assert files.names() == ["g"]
