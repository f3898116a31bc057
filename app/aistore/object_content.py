"""What a PUT of an object brings: the bytes as they are, and the conditions under which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.aistore.digests import Digests, promised
from app.aistore.object_headers import etag_of
from app.core.errors import BodyTooLarge, LengthRequired
from app.core.objects import ObjectMeta
from app.web import conditions
from app.web.body import RequestBody
from app.web.digests import sent_checks, stored_checks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.aistore.call import AIStoreCall
    from app.core.objects import ObjectInfo


class Content:
    """The body of a PUT, compared with what the headers promise of it.

    It is stored as it was sent, whatever its Content-Encoding: AIStore's clients get back the
    bytes that they put. Raises what can be known to be wrong before the first byte is read.
    """

    def __init__(self, call: AIStoreCall, kind: str) -> None:
        web = call.services.settings.web
        self._body = RequestBody(call.exchange, max_bytes=web.max_body, timeout=web.body_timeout)
        self._limit = self._body.limit
        if self._limit and (self._body.declared or 0) > self._limit:
            raise BodyTooLarge(self._limit)
        old = call.exchange.environ.get("SERVER_PROTOCOL") == "HTTP/1.0"
        if old and self._body.declared is None:
            raise LengthRequired("a body over HTTP/1.0 needs a Content-Length")
        headers = call.headers
        self._checks = sent_checks(headers) + stored_checks(headers)
        self._digests = Digests(kind, promised(headers, kind))

    @property
    def expected(self) -> bool:
        """Tell whether the client waits for `100 Continue` before it sends."""
        return self._body.expected

    def pieces(self) -> Iterator[bytes]:
        """Yield the content. Raises InvalidRequest and BodyTooLarge."""
        size = 0
        for piece in self._body.raw():
            size += len(piece)
            if self._limit and size > self._limit:
                raise BodyTooLarge(self._limit)
            self._digests.update(piece)
            for check in self._checks:
                check.state.update(piece)
            yield piece
        self._digests.verify()
        for check in self._checks:
            check.verify()

    def described(self) -> ObjectMeta:
        """Return what is kept beside the content, when it is through."""
        return ObjectMeta(etag=self._digests.etag, digests=self._digests.kept)


def precondition(call: AIStoreCall) -> Callable[[ObjectInfo | None], None] | None:
    """Return what checks the conditions of a change (RFC 9110, 13.1); None without any.

    It raises PreconditionFailed.
    """
    headers = call.headers
    if not conditions.has_any(headers):
        return None

    def check(present: ObjectInfo | None) -> None:
        if present is None:
            conditions.check_tags(headers, None)
        else:
            conditions.check_tags(headers, present.status, etag_of(present))

    return check
