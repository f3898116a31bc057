"""A client of WebHDFS that says exactly what it is told to, and servers to say it to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import requests

from tests.gateway import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "/webhdfs/v1"
OCTETS = {"Content-Type": "application/octet-stream"}


@dataclass(frozen=True)
class Answer:
    """One answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which must be JSON."""
        assert self.headers["Content-Type"].startswith("application/json"), (
            self.headers, self.body)
        return json.loads(self.body)

    @property
    def told(self) -> tuple[int, str]:
        """The status, and the class of the exception."""
        remote = self.json["RemoteException"]
        assert set(remote) == {"exception", "javaClassName", "message"}
        assert remote["exception"] == remote["javaClassName"].rpartition(".")[2].rpartition("$")[2]
        return self.status, str(remote["exception"])

    @property
    def message(self) -> str:
        """The exception's message."""
        return str(self.json["RemoteException"]["message"])


class Client:
    """Talks to the WebHDFS at `url` as `user`; `trusted`: the server believes `user.name`."""

    def __init__(self, url: str, user: str | None = "someone", *, trusted: bool = False) -> None:
        self.url = url
        self.user = user
        self._trusted = trusted
        self._session = requests.Session()
        self._session.trust_env = False

    def as_user(self, user: str | None) -> Client:
        """Return the same for another user; None: without credentials."""
        return Client(self.url, user, trusted=self._trusted)

    def send(self, method: str, url: str, **options: Any) -> Answer:
        """Send a request to an URL; redirects are not followed."""
        options.setdefault("timeout", 60)
        answer = self._session.request(method, url, allow_redirects=False, **options)
        return Answer(answer.status_code, answer.headers, answer.content)

    def ask(self, method: str, path: str, op: str, **params: str) -> Answer:
        """Send one request; a `_` in a parameter's name is a dot."""
        named = {name.replace("_", "."): value for name, value in params.items()}
        return self.query(method, path, {"op": op, **named})

    def query(self, method: str, path: str, params: Mapping[str, str]) -> Answer:
        """Send one request with this query."""
        auth = (self.user, PASSWORD) if self.user and not self._trusted else None
        claimed = {"user.name": self.user} if self.user and self._trusted else {}
        query = urlencode({**params, **claimed})
        return self.send(method, f"{self.url}{PREFIX}{quote(path)}?{query}", auth=auth)

    def write(
        self, method: str, path: str, op: str, content: bytes, params: Mapping[str, str],
    ) -> Answer:
        """Send content in two steps, the second without credentials, as Hadoop's client does."""
        first = self.query(method, path, {"op": op, **params})
        if first.status != 307:
            return first
        return self.send(method, first.headers["Location"], data=content, headers=OCTETS)

    def read(self, path: str) -> bytes:
        """Return the content of a file."""
        first = self.ask("GET", path, "OPEN")
        answer = self.send("GET", first.headers["Location"]) if first.status == 307 else first
        assert answer.status == 200, answer
        return answer.body

    def create(self, path: str, content: bytes = b"content", **params: str) -> None:
        """Make a file."""
        made = self.write("PUT", path, "CREATE", content, {"overwrite": "true", **params})
        assert made.status == 201, made

    def remove(self, path: str) -> None:
        """Remove whatever there is."""
        assert self.ask("DELETE", path, "DELETE", recursive="true").status == 200
