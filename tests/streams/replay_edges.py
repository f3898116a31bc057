"""The short stories: requests that no client sends, and the published example as it is sent.

As in the long story, the answers are Alluxio 2.9.4's but for what `differs` says.
"""

from __future__ import annotations

from tests.streams.replay import (
    JSON,
    NOTHING,
    Answer,
    Case,
    Kind,
    content,
    opens,
    refused,
    saying,
    told,
    unreadable,
)
from tests.streams.replay_calls import NO_STREAM, OWN_STATUS, UNKNOWN_URL, at, on, renamed
from tests.streams.replay_infos import directory, file

HELLO = b"hello world"
ATTACHED = {"Content-Disposition": 'attachment; filename="f"'}
"""Alluxio leaves the quotes out."""
NO_TEXT = "Alluxio answers with the text HTTP 500 Internal Server Error, not JSON"
STATUS = told(file("/eg/f", len(HELLO)))
WRONG_METHOD = refused("UNIMPLEMENTED", saying(""), status=405)
WRONG_TYPE = refused("INVALID_ARGUMENT", saying(""), status=415)
NO_SUCH_TYPE = refused("INVALID_ARGUMENT", saying(""), status=406)


def status(label: str, answer: Answer, media: str, data: bytes, *, differs: str = "") -> Case:
    """Return a get-status with a body of this media type."""
    return Case(label, "POST paths//eg/f/get-status", answer, data=data,
                headers={"Content-Type": media}, differs=differs)


DOWNLOADS = [
    at("a directory", "/eg", "create-directory", NOTHING),
    at("a file", "/eg/f", "create-file", opens("f")),
    Case("its content", "POST streams/{f}/write", told(11), data=HELLO,
         headers={"Content-Type": "application/octet-stream"}),
    on("its end", "f", "close", NOTHING),
    Case("download", "GET paths//eg/f/download-file", content(HELLO)._replace(headers=ATTACHED)),
    Case("download of a range", "GET paths//eg/f/download-file", content(
        HELLO[:4], status=206, Content_Range="bytes 0-3/11"), headers={"Range": "bytes=0-3"},
         differs="Alluxio does not look at Range"),
    Case("download of nothing", "GET paths//eg/nope/download-file", refused(
        "NOT_FOUND", 'Path "/eg/nope" does not exist.'), differs=NO_TEXT),
    Case("download of a directory", "GET paths//eg/download-file", refused(
        "UNKNOWN", "Cannot read from /eg because it is a directory"), differs=NO_TEXT),
    Case("HEAD", "HEAD paths//eg/f/download-file", content(b"")._replace(headers={
        **ATTACHED, "Content-Length": "11"})),
]
METHODS = [Case(f"{method} of get-status", f"{method} paths//eg/f/get-status", WRONG_METHOD,
                differs=OWN_STATUS) for method in ("GET", "PUT", "DELETE")] + [
    Case(f"{method} of get-status", f"{method} paths//eg/f/get-status", WRONG_METHOD,
         differs="Alluxio refuses the method to everybody, with 403")
    for method in ("OPTIONS", "TRACE")]
BODIES = [
    status("broken JSON", unreadable(""), JSON, b"{bad"),
    status("no options", STATUS, JSON, b"{}"),
    status("null", STATUS, JSON, b"null"),
    status("a list", unreadable("Unexpected token"), JSON, b"[]"),
    status("a charset", STATUS, "application/json; charset=utf-8", b"{}"),
    status("a form", WRONG_TYPE, "application/x-www-form-urlencoded", b"a=b", differs=OWN_STATUS),
    status("a text", WRONG_TYPE, "text/plain", b"{}", differs=OWN_STATUS),
    status("an unknown option", unreadable('Unrecognized field "x" '), JSON, b'{"x": 1}'),
]
STREAMS = [
    Case("write of JSON", "POST streams/1/write", WRONG_TYPE, data=b"abc",
         headers={"Content-Type": JSON}, differs=OWN_STATUS),
    Case("no number", "POST streams/abc/close", UNKNOWN_URL, differs=OWN_STATUS),
    Case("a negative number", "POST streams/-1/close", NO_STREAM),
    Case("a large number", "POST streams/99999999999/close", UNKNOWN_URL, differs=OWN_STATUS),
]
URLS = [
    at("rename without dst", "/eg/f", "rename", refused(
        "INTERNAL", "required 'dst' parameter is missing")),
    at("mount without src", "/eg/m", "mount", refused(
        "INTERNAL", "required 'src' parameter is missing")),
    at("an unknown action", "/eg/f", "frob", UNKNOWN_URL, differs=OWN_STATUS),
    Case("XML wanted", "POST paths//eg/f/get-status", NO_SUCH_TYPE,
         headers={"Accept": "application/xml"}, differs=OWN_STATUS),
    Case("text wanted", "POST paths//eg/f/exists", NO_SUCH_TYPE,
         headers={"Accept": "text/plain"}, differs=OWN_STATUS),
    Case("from a page", "POST paths//eg/f/exists", told(True), headers={"Origin": "http://x"}),
    Case("the proxy", "GET proxy/info", told({
        "version": Kind("a version", lambda value: isinstance(value, str) and bool(value)),
        "configuration": Kind("settings by name", lambda value: isinstance(
            value, dict) and bool(value))})),
    Case("below nothing", "GET ", UNKNOWN_URL, differs=OWN_STATUS),
]
LATER = [
    at("overwrite", "/eg/f", "create-file", opens("again"), {"overwrite": True}),
    on("the old one stays until then", "again", "close", NOTHING),
    at("a ttl among the common options", "/eg/t", "create-file", opens("t"), {
        "commonOptions": {"ttl": 60000, "ttlAction": "DELETE"}}),
    on("its end, too", "t", "close", NOTHING),
    at("its ttl", "/eg/t", "get-status", told(file("/eg/t", 0, ttl=60000, ttlAction="DELETE"))),
    at("delete in Alluxio only", "/eg/f", "delete", refused(
        "UNIMPLEMENTED", saying("alluxioOnly")), {"alluxioOnly": True, "unchecked": True},
       differs="Alluxio forgets the file and keeps its data; here both are one"),
    at("it is still there", "/eg/f", "exists", told(True), differs="as above"),
    at("away with it", "/eg", "delete", NOTHING, {"recursive": True}),
]
EDGES = [*DOWNLOADS, *METHODS, *BODIES, *STREAMS, *URLS, *LATER]

GREETING = b"It works.\n"
SOURCE = b"import alluxio\n" * 100
WRITTEN = GREETING + SOURCE
EXAMPLE = [
    at("a nested directory", "/ex/nested", "create-directory", NOTHING, {"recursive": True}),
    at("a file in it", "/ex/nested/f", "create-file", opens("example")),
    on("a text", "example", "write", told(len(GREETING)), GREETING),
    on("a file", "example", "write", told(len(SOURCE)), SOURCE),
    on("done writing", "example", "close", NOTHING),
    at("its status", "/ex/nested/f", "get-status", told(file("/ex/nested/f", len(WRITTEN)))),
    renamed("moved", "/ex/nested/f", "/ex/moved", NOTHING),
    at("its status there", "/ex/moved", "get-status", told(file("/ex/moved", len(WRITTEN)))),
    at("opened", "/ex/moved", "open-file", opens("moved")),
    on("read", "moved", "read", content(WRITTEN)),
    on("done reading", "moved", "close", NOTHING),
    Case("the root's listing", "POST paths///list-status", told(
        [directory("/ex", 2), directory("/srcs", 2)])),
    at("removed", "/ex", "delete", NOTHING, {"recursive": True}),
    at("it is no more", "/ex", "exists", told(False)),
]
