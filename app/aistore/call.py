"""One request to AIStore's API as its view sees it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug import Response
from werkzeug.datastructures import EnvironHeaders

from app.aistore.errors import JSON_TYPE
from app.aistore.fields import Fields
from app.core.errors import MalformedBody
from app.web.body import RequestBody
from app.web.json_bounds import check_containers

if TYPE_CHECKING:
    from app.core.identity import Principal
    from app.fs.objects import ObjectStore
    from app.web.exchange import Exchange
    from app.web.query import Query
    from app.web.services import Services

MAX_JSON = 4 * 1024 * 1024
"""The longest JSON in bytes: a list of object names, at most."""


@dataclass(slots=True)
class AIStoreCall:
    """One request whose caller is known.

    `names` are the variable parts of the URL, decoded: bucket and object, or a node's id.
    `message` is the JSON of the body, {} where there is none; it is read only for operations that
    take it (`table.Operation.json`). `action` is what the message asks for, "" without one.
    """

    services: Services
    exchange: Exchange
    principal: Principal
    names: tuple[str, ...]
    query: Query
    message: dict[str, Any] = field(default_factory=dict)

    @property
    def objects(self) -> ObjectStore:
        """The caller's buckets and objects."""
        return self.services.objects_of(self.principal)

    @property
    def bucket(self) -> str:
        """The bucket that the URL names."""
        return self.names[0]

    @property
    def key(self) -> str:
        """The object that the URL names."""
        return self.names[1]

    @property
    def action(self) -> str:
        """What the message asks for."""
        return self.fields.text("action")

    @property
    def fields(self) -> Fields:
        """The members of the message: `action`, `name`, `value`, or an operation's own."""
        return Fields(self.message)

    @property
    def value(self) -> Fields:
        """The members of the message's `value`, none where it is absent."""
        return self.fields.inner("value")

    @property
    def headers(self) -> EnvironHeaders:
        """The request's headers."""
        return EnvironHeaders(self.exchange.environ)

    def param(self, name: str, default: str = "") -> str:
        """Return a parameter of the query, its first value."""
        return self.query.get(name, [default])[0]

    def flag(self, name: str) -> bool:
        """Return a truth value of the query, False where it is absent. Raises InvalidParameter."""
        return Fields({name: self.param(name, "false")}).flag(name)

    def body(self) -> RequestBody:
        """Return the body, its headers checked. Raises InvalidRequest and kin."""
        web = self.services.settings.web
        body = RequestBody(self.exchange, max_bytes=web.max_body, timeout=web.body_timeout)
        body.check()
        return body


def read_message(exchange: Exchange, timeout: float) -> dict[str, Any]:
    """Return the JSON object that a request's body is, {} where it has none or null.

    Raises MalformedBody, BodyTooLarge. A body is read whatever its Content-Type says, as AIStore
    does.
    """
    environ = exchange.environ
    if not (environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING")):
        return {}
    body = RequestBody(exchange, max_bytes=MAX_JSON, timeout=timeout)
    body.check()
    raw = b"".join(body.chunks())
    if not raw.strip():
        return {}
    check_containers(raw)
    try:
        text = raw.decode("utf-8-sig")
        message = json.loads(text)
        if "\\u" in text:
            # Half a character can be written so; nothing that is named in HDFS or kept has one.
            json.dumps(message, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise MalformedBody("the body is not JSON in UTF-8") from None
    if message is None:
        return {}
    if not isinstance(message, dict):
        raise MalformedBody("the body is not a JSON object")
    return message


def empty(status: int = 200) -> Response:
    """Return an answer without a body."""
    response = Response(status=status)
    del response.headers["Content-Type"]
    return response


def as_json(data: Any, status: int = 200) -> Response:
    """Return an answer in JSON."""
    return Response(json.dumps(data, separators=(",", ":")), status, content_type=JSON_TYPE)


def as_text(text: str, status: int = 200) -> Response:
    """Return an answer in plain text, such as the id of a job."""
    return Response(text, status, content_type="text/plain; charset=utf-8")
