"""What can go wrong between two HTTP peers, as exceptions of the `requests` family.

The transport raises these (and `requests`' own ReadTimeout, ConnectTimeout, ConnectionError), so
that code written for `requests` understands it; `app.fs.faults` turns them into `app.core.errors`.
"""

from __future__ import annotations

from requests import exceptions


class NotSent(exceptions.ConnectionError):
    """No connection came about: not one byte of the request has left."""


class TlsRefused(exceptions.SSLError):
    """The two ends did not come to terms about TLS: not one byte of the request has left."""


class StaleConnection(exceptions.ConnectionError):
    """A pooled connection was closed by its peer before it answered anything."""


class BadAnswer(exceptions.RequestException):
    """The peer answered something that is not HTTP, or more of it than is taken."""


class ShortBody(exceptions.ChunkedEncodingError):
    """The body ended before the end that its head declared."""
