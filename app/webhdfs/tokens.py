"""Delegation tokens of the gateway's own, in Hadoop's form, for clients that take nothing else.

A token is given for credentials alone, never for another token: else it would never end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.webhdfs import documents
from app.webhdfs.documents import answer
from app.webhdfs.errors import io_error
from app.webhdfs.given import illegal
from app.webhdfs.operation import Operation

if TYPE_CHECKING:
    from werkzeug import Response

    from app.webhdfs.call import WebHdfsCall

KINDS = {"http": "WEBHDFS delegation", "https": "SWEBHDFS delegation"}
_PORTS = {"http": 80, "https": 443}
_MILLIS = 1000


def get_delegation_token(call: WebHdfsCall) -> Response:
    """Answer a new token for the caller."""
    if call.given.text("delegation") is not None:
        raise illegal("delegation parameter is not null.")
    if call.by_token:
        raise io_error("Delegation Token can be issued only with kerberos or web authentication")
    renewer = call.given.text("renewer") or call.principal.name
    scheme = call.base_url.partition("://")[0]
    service = call.given.text("service") or _service(call.base_url, scheme)
    kind = call.given.text("kind") or KINDS.get(scheme, KINDS["http"])
    token = call.tokens.issue(call.principal.name, renewer, kind, service)
    return answer({"Token": {"urlString": token}})


def renew_delegation_token(call: WebHdfsCall) -> Response:
    """Have a token be good for longer; answer until when in epoch milliseconds."""
    until = call.tokens.renew(call.given.required("token"), call.principal.name)
    return answer({"long": int(until * _MILLIS)})


def cancel_delegation_token(call: WebHdfsCall) -> Response:
    """Have a token be good for nothing."""
    call.tokens.cancel(call.given.required("token"), call.principal.name)
    return documents.done()


def _service(base_url: str, scheme: str) -> str:
    """Return `host:port`: what Hadoop's clients look a token up by, where the host is an address.

    Of a name they take the address, which only they know as they see it.
    """
    authority = base_url.partition("://")[2].partition("/")[0]
    has_port = authority.rpartition(":")[2].isdecimal() and not authority.endswith("]")
    return authority if has_port else f"{authority}:{_PORTS.get(scheme, 80)}"


OPERATIONS = (
    Operation("GET", "GETDELEGATIONTOKEN", get_delegation_token, secret=True),
    Operation("PUT", "RENEWDELEGATIONTOKEN", renew_delegation_token),
    Operation("PUT", "CANCELDELEGATIONTOKEN", cancel_delegation_token),
)
