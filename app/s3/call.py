"""One S3 request as its view sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.core.errors import BodyTooLarge
from app.s3.errors import S3Error, invalid_argument
from app.web.body import RequestBody

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.auth.s3 import Caller
    from app.core.identity import Principal
    from app.fs.objects import ObjectStore
    from app.web.exchange import Exchange
    from app.web.query import Query
    from app.web.services import Services


@dataclass(slots=True)
class S3Call:
    """One request whose caller is known and may ask.

    `bucket` and `key` are decoded, empty where the URL names none; `resource` is "/bucket/key" as
    errors and locations show it. `plain` is the form of answers that the REST API of Alluxio 1.x
    has: under the URL prefix, for callers who do not sign. `rooted`: the URL has no prefix.
    """

    services: Services
    exchange: Exchange
    caller: Caller
    bucket: str
    key: str
    query: Query
    plain: bool = False
    rooted: bool = False
    _objects: ObjectStore | None = field(default=None, init=False)
    _headers: Mapping[str, str] | None = field(default=None, init=False)

    @property
    def objects(self) -> ObjectStore:
        """The caller's buckets and objects. Raises AccessDenied for an anonymous caller."""
        if self._objects is None:
            if self.caller.principal is None:
                raise S3Error("AccessDenied")
            self._objects = self.services.objects_of(self.caller.principal)
        return self._objects

    def act_as(self, principal: Principal) -> None:
        """Go on as this principal (a form's policy or a bucket's openness says so)."""
        self.caller = self.caller._replace(principal=principal)
        self.exchange.principal = principal
        self._objects = None

    @property
    def headers(self) -> Mapping[str, str]:
        """The request's headers by their lower-case names."""
        if self._headers is None:
            self._headers = _headers_in(self.exchange.environ)
        return self._headers

    @property
    def resource(self) -> str:
        """The thing that the request names."""
        return f"/{self.bucket}/{self.key}" if self.key else f"/{self.bucket}"

    @property
    def owner(self) -> str:
        """The caller's id and display name in answers: the Hadoop user, whom HDFS knows."""
        principal = self.caller.principal
        return principal.hadoop_user if principal else ""

    def param(self, name: str, default: str = "") -> str:
        """Return the first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else default

    def check_version(self) -> None:
        """Raise S3Error where the query names another version than the only one, `null`."""
        version = self.param("versionId")
        if version not in ("", "null"):
            raise invalid_argument("versionId", version, "Invalid version id specified")

    def body(self) -> RequestBody:
        """Return the body, with nothing of it checked or read."""
        web = self.services.settings.web
        return RequestBody(self.exchange, max_bytes=web.max_body, timeout=web.body_timeout)

    def sent(self) -> Iterator[bytes]:
        """Yield the body as it was sent (aws-chunked or not), no more than the configured limit.

        Raises IncompleteBody, MalformedBody, BodyTooLarge.
        """
        body, total = self.body(), 0
        for chunk in body.raw():
            total += len(chunk)
            if body.limit and total > body.limit:
                raise BodyTooLarge(body.limit)
            yield chunk


def _headers_in(environ: Mapping[str, Any]) -> dict[str, str]:
    # Of these alone: another space of Latin-1 may be the last octet of a character in UTF-8.
    headers = {name[5:].replace("_", "-").lower(): value.strip(" \t")
               for name, value in environ.items() if name.startswith("HTTP_")}
    for name, key in (("content-type", "CONTENT_TYPE"), ("content-length", "CONTENT_LENGTH")):
        if key in environ:
            headers[name] = environ[key]
    return headers
