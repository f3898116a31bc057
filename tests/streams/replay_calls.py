"""The requests that stories are made of, as the clients write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.streams.replay import NOTHING, Case, opens, refused, saying, told
from tests.streams.replay_infos import file

if TYPE_CHECKING:
    from tests.streams.replay import Answer

OWN_STATUS = "Alluxio answers 500 with HTTP's own words in a text; we keep HTTP's status"
UNKNOWN_URL = refused("NOT_FOUND", saying(""), status=404)
NO_STREAM = refused("INTERNAL", "stream does not exist")


def at(
    label: str, path: str, action: str, answer: Answer, options: Any = None, *, query: str = "",
    differs: str = "",
) -> Case:
    """Return a request about a path, as the clients write it: behind a second slash."""
    return Case(label, f"POST paths/{quote(path)}/{action}{query}", answer, options,
                differs=differs)


def on(label: str, stream: str, action: str, answer: Answer, data: Any = None, *,
       differs: str = "") -> Case:
    """Return a request about a stream that an earlier case opened, or about an id."""
    name = stream if stream.isdigit() else f"{{{stream}}}"
    return Case(label, f"POST streams/{name}/{action}", answer, data=data, differs=differs)


def missing(path: str) -> Answer:
    """Return how a path is told to be missing."""
    return refused("NOT_FOUND", f'Path "{path}" does not exist.')


def written(
    path: str, options: dict[str, Any], data: bytes = b"z", *, differs: str = "", **told_of: Any,
) -> list[Case]:
    """Return the cases of a small file that is created with `options` and then looked at."""
    name = path.rpartition("/")[2]
    return [
        at(f"create-file {name}", path, "create-file", opens(name), options, differs=differs),
        on(f"write {name}", name, "write", told(len(data)), data),
        on(f"close {name}", name, "close", NOTHING),
        at(f"get-status {name}", path, "get-status",
           told(file(path, len(data), **told_of)), differs=differs)]

def renamed(
    label: str, source: str, destination: str, answer: Answer, **more: Any,
) -> Case:
    """Return a rename."""
    return at(label, source, "rename", answer, query=f"?dst={quote(destination, safe='')}", **more)


def taken(source: str, destination: str) -> Answer:
    """Return how a rename onto something is refused."""
    return refused("ALREADY_EXISTS", "Cannot rename because destination already exists."
                   f" src: {source} dst: {destination}")

def mounted(
    label: str, path: str, source: str, answer: Answer, options: Any = None, *, differs: str = "",
) -> Case:
    """Return a mount."""
    return at(label, path, "mount", answer, options, query=f"?src={quote(source, safe='')}",
              differs=differs)
