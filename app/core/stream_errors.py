"""The errors of streams: handles of files that are read or written in several requests.

GatewayError
├── InvalidRequest
│   ├── NoSuchStream                 no stream of this user has this id, or not of this kind
│   ├── TooManyStreams               this user has as many open as one may have
│   └── MalformedOptions             a JSON body that is no JSON, or not the operation's
└── Conflict                         (PathError)
    ├── StreamBusy                   another request is writing to this stream at this moment
    └── IncompleteFile               it is being written, and not closed yet
"""

from __future__ import annotations

from app.core.errors import Conflict, InvalidRequest


class NoSuchStream(InvalidRequest):
    """No stream of this user has the id, or it is for the other direction, or closed."""

    def __init__(self, stream_id: int) -> None:
        super().__init__("stream does not exist")
        self.stream_id = stream_id


class TooManyStreams(InvalidRequest):
    """The user has `limit` streams open, and gets no more until one is closed."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} streams are open already; close some, or wait until those that"
                         " nobody uses end (streams.idle_seconds)")
        self.limit = limit


class MalformedOptions(InvalidRequest):
    """The options of an operation cannot be read, or are none of its own."""


class StreamBusy(Conflict):
    """Another request is writing to the stream of `path` at this moment."""

    text = "another request is writing to this stream: {path}"


class IncompleteFile(Conflict):
    """The file is being written by a stream that is still open."""

    text = "incomplete, its writer has not closed it: {path}"
