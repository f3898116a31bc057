"""Names that mean something elsewhere: out of the room, out of an archive, in other letters."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.attacks.conftest import HEAD, said, statuses, unharmed

if TYPE_CHECKING:
    from tests.gateway import Gateway

pytestmark = pytest.mark.gunicorn

OUT = ["/user/alice/../../private", "../../private", "/user/alice/..%2f..%2fprivate",
       "/user/alice/%2e%2e/%2e%2e/private", "/user/alice/....//private", "..\\..\\private",
       "/user/alice/..%c0%af../private", "/user/alice/\uff0e\uff0e/private", "//private",
       "/./private", "/user/alice/%00/private", "~hdfs", "file:///private", "hdfs://x/private"]
EVIL = ["..\\..\\evil.txt", "C\\evil", "\\\\server\\share", "-rf", "a\nb", "\u202egnp.exe",
        "e\u0301", "\u00e9", "\ufeffx", "%2e%2e", " ", "name ", "CON", "x" * 255]


@pytest.fixture(scope="module")
def private(victim: Gateway) -> None:
    made = victim.request("PUT", "/f/directory", user="admin",
                          params={"path": "/private/inside", "permission": "777"})
    assert made.status_code == 201
    room = victim.request("PUT", "/f/directory", params={"path": "/user/alice/room"})
    assert room.status_code == 201


@pytest.mark.usefixtures("private")
@pytest.mark.parametrize("path", OUT)
def test_nobody_leaves_their_room(victim: Gateway, path: str) -> None:
    """`confined` is kept in a directory; no way to write a path shows what is outside."""
    for prefix, suffix in (("/f/listing?path=", ""), ("/api/v1/paths/", "/list-status"),
                           ("/webhdfs/v1/", "?op=LISTSTATUS"), ("/api/v1/s3/", ""),
                           ("/v1/objects/", "")):
        for text in (quote(path, safe="/%\\:~").replace("\\", "%5c"),
                     quote(path, safe="")):
            method = "POST" if "paths" in prefix else "GET"
            answer = victim.request(method, f"{prefix}{text}{suffix}", user="confined")
            assert "inside" not in answer.text, (prefix, text)
            assert answer.status_code < 500 or "paths" in prefix, (prefix, text, answer.text)


def test_members_of_archives_stay_below_the_place_they_are_unpacked_in(victim: Gateway) -> None:
    """A name may have backslashes and more in HDFS; in an archive none leads elsewhere."""
    victim.request("PUT", "/f/directory", params={"path": "/user/alice/evil"})
    for name in EVIL:
        made = victim.request("PUT", "/f/file/content", data=b"x",
                              params={"path": f"/user/alice/evil/{name}"},
                              headers={"Content-Type": "application/octet-stream"})
        assert made.status_code == 201, (name, made.text)
    url = "/f/archive"
    for form in ("zip", "tar"):
        answer = victim.request("GET", url, params={"path": "/user/alice/evil", "format": form})
        assert answer.status_code == 200, answer.text
        names = _members(form, answer.content)
        assert len(names) > len(EVIL)
        for name in names:
            assert PurePosixPath(name).parts[0] == "evil"
            assert ".." not in PurePosixPath(name).parts
            if form == "zip":
                assert ".." not in PureWindowsPath(name).parts, name
                assert not PureWindowsPath(name).anchor, name


def _members(form: str, archive: bytes) -> list[str]:
    if form == "zip":
        # As it is written: Python's own reader would turn what its host takes for separators.
        return [info.orig_filename for info in zipfile.ZipFile(io.BytesIO(archive)).infolist()]
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return opened.getnames()


def test_letters_that_look_alike_are_different_names(victim: Gateway) -> None:
    """Composed and decomposed, with and without marks: each is its own file."""
    names = ["\u00e9", "e\u0301", "\ufeffe", "e", "E", "\uff45"]
    for name in names:
        made = victim.request("PUT", "/f/file/content", data=name.encode(),
                              params={"path": f"/user/alice/look-{name}", "overwrite": "true"},
                              headers={"Content-Type": "application/octet-stream"})
        assert made.status_code == 201
    for name in names:
        got = victim.request("GET", "/f/file/content", params={"path": f"/user/alice/look-{name}"})
        assert got.content == name.encode()


def test_headers_of_an_answer_hold_no_name_that_ends_them(victim: Gateway) -> None:
    """A line end in a name is in a header neither as it is nor decoded."""
    name = "a\r\nSet-Cookie: stolen=1\r\n\r\nbody"
    for method, path in (("PUT", "/f/directory?path=/user/alice/"), ("PUT", "/api/v1/s3/user/"),
                         ("GET", "/f/file/content?path=/user/alice/"),
                         ("PUT", "/webhdfs/v1/user/alice/")):
        query = "?op=CREATE&noredirect=false" if "webhdfs" in path else ""
        target = f"{path}{quote(name, safe='')}{query}"
        request = (f"{method} {target} HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n"
                   ).encode() + HEAD + b"\r\n"
        with unharmed(victim):
            answer = said(victim, request)
        head = answer.partition(b"\r\n\r\n")[0].lower()
        assert len(statuses(answer)) == 1
        assert b"\r\nset-cookie" not in head
