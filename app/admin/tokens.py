"""Personal access tokens: made, told and revoked by their users; admins see and end all.

A token tells of itself and ends itself, and nothing beyond: what one opens never grows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.admin.api import api
from app.core.errors import AccessDenied
from app.core.token_errors import NoSuchToken
from app.web.answers import enveloped, no_content
from app.web.pages import refuse_other_origins
from app.web.params import AnyText, FlagText, NameList, Param, WholeNumber

if TYPE_CHECKING:
    from werkzeug import Response

    from app.auth.tokens import Token
    from app.web.operations import Call

NAME: Param[str] = Param(
    "name", AnyText("text of at most 200 characters", r"(?s).{0,200}"), "What it is for.", "")
PATHS: Param[tuple[str, ...] | None] = Param(
    "paths", NameList("patterns of paths as the user writes them, with commas between"),
    "Only these paths; absent, all that the user may.", None)
READ_ONLY: Param[bool] = Param("read-only", FlagText(), "It may change nothing.", False)
DAYS: Param[int | None] = Param(
    "days", WholeNumber(1), "Its life; absent, the longest that the configuration allows.", None)
USER: Param[str | None] = Param(
    "user", AnyText("a user of the gateway"), "Whose; others than oneself for admins alone.", None)
ID: Param[str] = Param("id", AnyText("a token's id", r"[0-9a-f]{1,64}"), "The token.", "",
                       required=True)

_TOKEN = {
    "type": "object",
    "properties": {
        "id": {"type": "string"}, "user": {"type": "string"}, "name": {"type": "string"},
        "paths": {"type": "array", "items": {"type": "string"},
                  "description": "Empty: all that the user may."},
        "readOnly": {"type": "boolean"},
        "created": {"type": "integer", "description": "Milliseconds since the epoch."},
        "expires": {"type": "integer", "description": "Milliseconds since the epoch."},
        "lastUsed": {"type": ["integer", "null"],
                     "description": "Milliseconds since the epoch, up to a minute ago."},
    },
}


@api.operation("POST", "/tokens", "Make an access token for oneself.", NAME, PATHS, READ_ONLY,
               DAYS, result={"type": "object", "properties": {
                   "token": {"type": "string", "description": "Told this once."},
                   "about": _TOKEN}})
def create_token(call: Call) -> Response:
    """Answer a new token. Raises AccessDenied to who came with one."""
    _refuse_pages(call)
    if call.principal.token:
        raise AccessDenied("/tokens", "with an access token no others are made")
    paths = call[PATHS] or ()
    text, token = call.services.tokens.create(
        call.principal.name, name=call[NAME], paths=paths,
        read_only=call[READ_ONLY], days=call[DAYS])
    response = enveloped(call, {"token": text, "about": _told(token)})
    response.headers["Cache-Control"] = "no-store"
    return response


@api.operation("GET", "/tokens", "List access tokens, without their secrets.", USER,
               result={"type": "object", "properties": {
                   "tokens": {"type": "array", "items": _TOKEN}}})
def list_tokens(call: Call) -> Response:
    """Answer one's own tokens, or to admins those of another user."""
    found = call.services.tokens.of(_whose(call, call[USER]))
    only = call.principal.token
    told = sorted((token for token in found if only in ("", token.id)),
                  key=lambda token: (token.created, token.id))
    return enveloped(call, {"tokens": [_told(token) for token in told]})


@api.operation("DELETE", "/tokens", "Revoke an access token.", ID, USER,
               answers={204: "The token is good for nothing any more."})
def revoke_token(call: Call) -> Response:
    """Have a token be refused everywhere from now on."""
    _refuse_pages(call)
    if call.principal.token not in ("", call[ID]):
        raise NoSuchToken(call[ID])
    call.services.tokens.revoke(call[ID], _whose(call, call[USER]))
    return no_content()


def _whose(call: Call, user: str | None) -> str:
    name = call.principal.name
    if user not in (None, name) and "admin" not in call.principal.roles:
        raise AccessDenied("/tokens", "only admins may ask for other users' tokens")
    return user or name


def _refuse_pages(call: Call) -> None:
    refuse_other_origins(call.exchange, call.services.settings.web.public_url)


def _told(token: Token) -> dict[str, Any]:
    return {
        "id": token.id, "user": token.user, "name": token.name, "paths": list(token.paths),
        "readOnly": token.read_only, "created": token.created * 1000,
        "expires": token.expires * 1000, "lastUsed": token.used * 1000 or None}
