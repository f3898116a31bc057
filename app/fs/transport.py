"""The HTTP session under the `hdfs` package: `requests` outside, pooled sockets inside.

A call through `requests` costs several hundred microseconds of CPU, most of a short call. So
`UpstreamSession.exchange` goes straight to the adapter; where that is not one of ours (a test
has put its own there, or replaced `send`), the usual way through `requests` is taken.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests import exceptions
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from app.fs.answer import Answer
from app.fs.http_faults import BadAnswer
from app.fs.pool import DEFAULT_PORTS, Limits, Pool
from app.fs.upload import send_chunked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from ssl import SSLContext

    from app.fs.connection import Connection

    Body = bytes | Iterable[bytes] | None

AGENT = "httpfs-proxy"
CONTENT_TYPE = "application/octet-stream"
_OURS = frozenset({"accept", "accept-encoding", "connection", "content-length", "content-type",
                   "host", "transfer-encoding", "user-agent"})
_PLAIN_SEND = requests.Session.send


class ExchangeAdapter(BaseAdapter, ABC):
    """A way to an upstream: one request, one answer, no redirects followed."""

    @abstractmethod
    def exchange(
        self, method: str, url: str, body: Body = None,
        headers: Mapping[str, str] | None = None, seconds: float | None = None,
    ) -> Answer:
        """Make one exchange; `url` is legal as it stands, `seconds` limits the whole of it.

        Raises requests.RequestException, and what the iterator of `body` raises.
        """

    def send(
        self, request: requests.PreparedRequest, *_args: Any, **_options: Any,
    ) -> requests.Response:
        """Make one exchange for `requests` itself."""
        url, method = request.url or "", request.method or "GET"
        body = request.body.encode() if isinstance(request.body, str) else request.body
        own = {name: str(value) for name, value in request.headers.items()
               if name.lower() not in _OURS}
        answer = self.exchange(method, url, body, own)
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers = CaseInsensitiveDict(answer.headers)
        response.raw = answer
        response.url = url
        response.request = request
        return response

    def close(self) -> None:
        """Let go of what is idle."""


class DirectAdapter(ExchangeAdapter):
    """HTTP/1.1 over pooled sockets."""

    def __init__(self, limits: Limits, trust: SSLContext | None = None) -> None:
        super().__init__()
        self._limits = limits
        self._trust = trust
        self._pools: dict[str, tuple[Pool, str]] = {}

    def exchange(
        self, method: str, url: str, body: Body = None,
        headers: Mapping[str, str] | None = None, seconds: float | None = None,
    ) -> Answer:
        """Make one exchange; an iterable body is sent chunked."""
        start = url.find("/", 8)
        pool, common = self._pools.get(url[:start]) or self._pool(url[:start])
        head = f"{method} {url[start:]} HTTP/1.1\r\n{common}"
        if headers:
            head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        connection = pool.take(seconds)
        try:
            if body is None:
                tail = "\r\n" if method == "GET" else "Content-Length: 0\r\n\r\n"
                connection.send((head + tail).encode("ascii"))
            elif isinstance(body, bytes):
                tail = f"Content-Length: {len(body)}\r\n\r\n"
                connection.send((head + tail).encode("ascii") + body)
            else:
                connection.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode("ascii"))
        except exceptions.ConnectionError:
            _raise_verdict(connection)
            raise
        except BaseException:
            connection.close()
            raise
        # From here on the connection may be in the pool again, whatever is raised.
        if body is None or isinstance(body, bytes):
            return connection.receive()
        return send_chunked(connection, body)

    def close(self) -> None:
        """Close the idle connections."""
        for pool, _ in self._pools.values():
            pool.close()

    def _pool(self, origin: str) -> tuple[Pool, str]:
        parts = urlsplit(origin)
        try:
            port = parts.port or DEFAULT_PORTS[parts.scheme]
        except (KeyError, ValueError) as error:
            raise BadAnswer(f"not a URL to call: {origin!r}") from error
        pool = Pool(parts.scheme, parts.hostname or "", port, self._limits, self._trust)
        common = (f"Host: {pool.authority}\r\nUser-Agent: {AGENT}\r\n"
                  f"Accept: */*\r\nContent-Type: {CONTENT_TYPE}\r\n")
        self._pools[origin] = pool, common
        return pool, common


def _raise_verdict(connection: Connection) -> None:
    """Close a connection that takes nothing more. Raises SSLError if the peer has said why.

    In TLS 1.3 it looks at our certificate when we believe ourselves connected.
    """
    try:
        if connection.secure:
            connection.receive()
    except exceptions.SSLError:
        raise
    except exceptions.RequestException:
        return  # what is known already is the one to tell
    finally:
        connection.close()


class UpstreamSession(requests.Session):
    """A `requests.Session` over our adapters, with a short way through it.

    `trust` says which certificates count; None: those that the system trusts.
    """

    def __init__(self, limits: Limits, trust: SSLContext | None = None) -> None:
        super().__init__()
        self.trust_env = False
        # HttpFS believes its cookie more than `user.name=`: none may pass from user to user.
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        direct = DirectAdapter(limits, trust)
        self.mount("http://", direct)
        self.mount("https://", direct)
        self._timeout = (limits.connect_timeout, limits.read_timeout)

    def exchange(
        self, method: str, url: str, body: Body = None,
        headers: Mapping[str, str] | None = None, seconds: float | None = None,
    ) -> Answer:
        """Make one exchange, redirects not followed. Raises requests.RequestException.

        `body` may be an iterable; what its iterator raises goes on, after the body was ended.
        `seconds` limits the whole exchange.
        """
        adapter = self.get_adapter(url)
        if isinstance(adapter, ExchangeAdapter) and self._is_plain():
            return adapter.exchange(method, url, body, headers, seconds)
        response = self.request(
            method, url, data=body, headers={"Content-Type": CONTENT_TYPE, **(headers or {})},
            timeout=seconds or self._timeout, allow_redirects=False, stream=True)
        return ForeignAnswer(response)

    def _is_plain(self) -> bool:
        return getattr(self.send, "__func__", None) is _PLAIN_SEND


class ForeignAnswer(Answer):
    """The answer of an adapter that is not ours."""

    __slots__ = ("_response",)

    def __init__(self, response: requests.Response) -> None:
        fields = [(name.encode("latin-1"), value.encode("latin-1"))
                  for name, value in response.headers.items()]
        super().__init__(response.status_code, fields)
        self._response = response

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes."""
        data: bytes = self._response.raw.read(size)
        return data

    def close(self) -> None:
        """Close the response."""
        self._response.close()
