"""The file API as a test sees it: every answer is checked for what holds of all of them."""

from __future__ import annotations

import gzip
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import requests

    from tests.gateway import Gateway

JSON = "application/json"
OCTETS = {"Content-Type": "application/octet-stream"}
PLAIN = {"Accept-Encoding": "identity"}
STATUS_FIELDS = {
    "type", "pathSuffix", "permission", "length", "blockSize", "accessTime", "modificationTime",
    "owner", "group", "replication",
}
CONTENT = "/f/file/content"


@dataclass
class Files:
    """A gateway user at work in `directory`, which is theirs alone."""

    gateway: Gateway
    backend: str
    directory: str
    user: str | None = "someone"
    forbidden: tuple[str, ...] = field(default=())

    def by(self, user: str | None, *, forbidden: tuple[str, ...] = ()) -> Files:
        """Return the same place as another user sees it; `forbidden` may be in no answer."""
        return Files(self.gateway, self.backend, self.directory, user, forbidden)

    def at(self, name: str) -> str:
        """Return the absolute path of a name in the directory."""
        return f"{self.directory}/{name}"

    def call(
        self, method: str, url: str, expect: int = 200, *, headers: dict[str, str] | None = None,
        data: Any = None, **params: Any,
    ) -> requests.Response:
        """Send a request, assert the status and that the answer has its form."""
        named = {name.replace("_", "-"): value for name, value in params.items()}
        answer = self.gateway.request(
            method, url, user=self.user, headers={**PLAIN, **(headers or {})}, data=data,
            params=named)
        assert answer.status_code == expect, (
            f"{method} {url} {params}: {answer.status_code} instead of {expect}: "
            f"{answer.content[:2000]!r}")
        check_form(answer, self.gateway.url, self.forbidden)
        return answer

    # --- the everyday calls

    def put(self, name: str, content: Any = b"", expect: int = 201, **more: Any) -> Any:
        """Upload to a name in the directory."""
        headers = {**OCTETS, **more.pop("headers", {})}
        return self.call(
            "PUT", CONTENT, expect, headers=headers, data=content, path=self.at(name), **more)

    def append(self, name: str, content: Any, expect: int = 201, **more: Any) -> Any:
        """Append to a name in the directory."""
        headers = {**OCTETS, **more.pop("headers", {})}
        return self.call(
            "POST", CONTENT, expect, headers=headers, data=content, path=self.at(name), **more)

    def get(self, name: str, expect: int = 200, **more: Any) -> requests.Response:
        """Download a name in the directory."""
        return self.call("GET", CONTENT, expect, path=self.at(name), **more)

    def read(self, name: str) -> bytes:
        """Return the content of a name in the directory."""
        return self.get(name).content

    def mkdir(self, name: str, expect: int = 201, **more: Any) -> Any:
        """Make a directory below the directory."""
        return self.call("PUT", "/f/directory", expect, path=self.at(name), **more)

    def status(self, name: str) -> dict[str, Any]:
        """Return the status of a name in the directory."""
        return status_of(self, self.at(name))

    def missing(self, name: str) -> None:
        """Assert that nothing has this name."""
        self.call("GET", "/f/file/status", 404, path=self.at(name))

    def names(self, path: str | None = None) -> list[str]:
        """Return the names in the directory, in the order of the listing."""
        answer = self.call("GET", "/f/listing", path=path or self.directory)
        return [entry["pathSuffix"] for entry in answer.json()["result"]["statuses"]]


def visible_and_hidden(files: Files) -> list[str]:
    """Return the names in the directory and a `?` for each that the listing hides.

    HDFS's content summary counts them all, whatever depth they are at.
    """
    summary = files.call("GET", "/f/file/summary", path=files.directory).json()["result"]["summary"]
    names = files.names()
    counted = summary["directoryCount"] - 1 + summary["fileCount"]
    return names + ["?"] * (counted - len(names))


def status_of(files: Files, path: str) -> dict[str, Any]:
    """Return the status of an absolute or relative path."""
    result = files.call("GET", "/f/file/status", path=path).json()["result"]
    assert set(result) == {"status"}
    status = cast("dict[str, Any]", result["status"])
    assert set(status) == STATUS_FIELDS
    return status


def errors_of(answer: requests.Response) -> str:
    """Return all messages of a refusal."""
    return "\n".join(answer.json()["error"])


def fresh_name(lead: str = "t") -> str:
    """Return a name that no other test has."""
    return f"{lead}-{secrets.token_hex(6)}"


def check_form(
    answer: requests.Response, base_url: str, forbidden: tuple[str, ...] = (),
) -> None:
    """Assert what holds of every answer of the gateway."""
    status, kind = answer.status_code, answer.headers.get("Content-Type", "")
    assert answer.headers.get("X-Request-Id")
    assert answer.headers.get("X-Content-Type-Options") == "nosniff"
    bodiless = answer.request.method == "HEAD"
    if status in (201, 204, 304):
        assert answer.content == b""
    if status == 201:
        assert answer.headers["Location"].startswith(f"{base_url}/f/")
    if status >= 400:
        assert kind.startswith(JSON), kind
        if not bodiless:
            check_failure(answer.json())
    elif kind.startswith(JSON):
        check_success(answer.json())
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    if status == 405:
        assert answer.headers["Allow"]
    shown = json.dumps(dict(answer.headers)) + (answer.text if kind.startswith(JSON) else "")
    for text in forbidden:
        assert text not in shown, f"{text!r} shown in {shown!r}"


def check_failure(envelope: Any) -> None:
    """Assert that this is the envelope of an error, fit to be shown."""
    assert set(envelope) == {"status", "result", "error"}
    assert envelope["status"] == "FAILURE"
    assert envelope["result"] is None
    assert isinstance(envelope["error"], list)
    assert envelope["error"]
    for message in envelope["error"]:
        assert isinstance(message, str)
        assert message.strip()
        for leak in ("Traceback", "\tat ", "\n", ".httpfs-proxy-", "java.", "Error("):
            assert leak not in message, message


def check_success(envelope: Any) -> None:
    """Assert that this is the envelope of a result."""
    assert set(envelope) == {"status", "result", "error"}
    assert envelope["status"] == "SUCCESS"
    assert isinstance(envelope["result"], dict)
    assert envelope["error"] is None


def zipped(content: bytes) -> bytes:
    """Return `content` as one gzip member."""
    return gzip.compress(content, mtime=0)
