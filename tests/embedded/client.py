"""A WebHDFS client that calls the WSGI application directly and follows its redirects."""

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlencode, urlsplit


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str]:
        return self.status, self.json["RemoteException"]["exception"]


class Client:
    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        user: str = "alice",
        base: str = "http://embedded",
    ) -> None:
        self.application = application
        self.user = user
        self.base = base

    def once(
        self,
        method: str,
        url: str,
        body: bytes | io.RawIOBase = b"",
        announced: int | None = None,
    ) -> Answer:
        started: list[Any] = []
        pieces = self.start(method, url, body, announced, started)
        try:
            content = b"".join(pieces)
        finally:
            getattr(pieces, "close", lambda: None)()
        status, headers = started[0]
        return Answer(int(status.split()[0]), dict(headers), content)

    def start(
        self,
        method: str,
        url: str,
        body: bytes | io.RawIOBase = b"",
        announced: int | None = None,
        started: list[Any] | None = None,
    ) -> Any:
        """Call the application; returns its iterable, status and headers go to `started`."""
        parts = urlsplit(url)
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
            "QUERY_STRING": parts.query,
            "HTTP_HOST": "embedded",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body) if isinstance(body, bytes) else body,
        }
        if isinstance(body, bytes):
            environ["CONTENT_LENGTH"] = str(len(body) if announced is None else announced)
        else:
            environ["HTTP_TRANSFER_ENCODING"] = "chunked"
        answers = [] if started is None else started
        return self.application(environ, lambda *given: answers.append(given))

    def call(
        self, method: str, op: str, path: str, body: bytes | io.RawIOBase = b"", **parameters: Any
    ) -> Answer:
        query = urlencode({"op": op, "user.name": self.user, **parameters}, quote_via=quote)
        answer = self.once(method, f"{self.base}/webhdfs/v1{quote(path)}?{query}")
        if answer.status == 307:
            answer = self.once(method, answer.headers["Location"], body)
        return answer

    def get(self, op: str, path: str, **parameters: Any) -> Answer:
        return self.call("GET", op, path, **parameters)

    def put(
        self, op: str, path: str, body: bytes | io.RawIOBase = b"", **parameters: Any
    ) -> Answer:
        return self.call("PUT", op, path, body, **parameters)

    def post(
        self, op: str, path: str, body: bytes | io.RawIOBase = b"", **parameters: Any
    ) -> Answer:
        return self.call("POST", op, path, body, **parameters)

    def delete(self, path: str, **parameters: Any) -> Answer:
        return self.call("DELETE", "DELETE", path, **parameters)

    def status(self, path: str) -> Any:
        answer = self.get("GETFILESTATUS", path)
        assert answer.status == 200, answer.body
        return answer.json["FileStatus"]

    def names(self, path: str) -> list[str]:
        answer = self.get("LISTSTATUS", path)
        assert answer.status == 200, answer.body
        return [entry["pathSuffix"] for entry in answer.json["FileStatuses"]["FileStatus"]]

    def content(self, path: str, **parameters: Any) -> bytes:
        answer = self.get("OPEN", path, **parameters)
        assert answer.status == 200, answer.body
        return answer.body

    def create(self, path: str, body: bytes = b"", **parameters: Any) -> None:
        answer = self.put("CREATE", path, body, **parameters)
        assert answer.status == 201, answer.body
