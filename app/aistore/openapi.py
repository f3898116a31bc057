"""What /openapi.json tells of AIStore's operations: made of the table that routes them.

Method, URL, actions and who may call come from `table.OPERATIONS`, what an operation does from its
view's docstring; parameters, bodies and answers from `openapi_details`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.aistore.errors import PREFIX
from app.aistore.openapi_details import IN_PATH, Details, details_of
from app.aistore.table import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.aistore.operation import Operation

_OF_ALL_BUCKETS = ("GET", ("buckets", "*"))
_NAMES = {"objects": ("bucket", "object"), "buckets": ("bucket",)}
_EMPTY = 204
_ERRORS = {
    "400": "The request cannot be understood, or its URL or method is unknown.",
    "401": "Credentials are missing or wrong.",
    "403": "HDFS or the gateway does not allow it.", "404": "No such bucket, object, node or job.",
    "409": "The state of what is asked for forbids it.", "429": "Too many failed attempts.",
    "500": "An unexpected failure; the log has it.",
    "501": "It is not configured, or not done here; the message has the setting.",
    "502": "HDFS failed.", "503": "HDFS cannot be reached.", "504": "HDFS is too slow.",
}


def described() -> dict[str, Any]:
    """Return OpenAPI's `paths` and `schemas` of this dialect."""
    paths: dict[str, dict[str, Any]] = {}
    for (url, method), operations in sorted(_by_url().items()):
        paths.setdefault(url, {})[method.lower()] = _operation(url, method, operations)
    return {"paths": paths, "schemas": {"AIStoreFailure": _failure()}}


def _by_url() -> dict[tuple[str, str], list[Operation]]:
    found: dict[tuple[str, str], list[Operation]] = {}
    for one in OPERATIONS:
        for method in one.methods:
            found.setdefault((_url(one, method), method), []).append(one)
    return found


def _url(operation: Operation, method: str) -> str:
    """Return an operation's URL with its variable parts in braces, as OpenAPI writes it."""
    if (method, operation.place) == _OF_ALL_BUCKETS:
        return f"{PREFIX}/buckets/*"
    names = iter(_NAMES.get(operation.place[0], ("id",)))
    parts = (f"{{{next(names)}}}" if part[0] == "*" else part for part in operation.place)
    return f"{PREFIX}/{'/'.join(parts)}"


def _operation(url: str, method: str, operations: Sequence[Operation]) -> dict[str, Any]:
    told = details_of(method, url.removeprefix(PREFIX))
    described: dict[str, Any] = {
        "operationId": _identifier(url, method),
        "tags": ["aistore"],
        "summary": _summary(operations),
        "description": _description(operations),
        "parameters": [*_in_path(url), *told.query],
        "responses": {**_answers(told), **_failures()},
    }
    body = told.body or _message(operations)
    if body:
        described["requestBody"] = body
    if all(one.open_to_all for one in operations):
        described["security"] = []
    return described


def _identifier(url: str, method: str) -> str:
    """Return a name like `aistore_buckets_post`, the same whatever actions there are."""
    literal = [part.replace("*", "names") for part in url.removeprefix(PREFIX).split("/")
               if part and not part.startswith("{")]
    return "_".join(["aistore", *literal, method.lower()])


def _summary(operations: Sequence[Operation]) -> str:
    if len(operations) == 1:
        return _sentence(operations[0])
    kinds = [one.actions[0] or "no message" for one in operations]
    return f"Do what the message's action says: {', '.join(kinds)}."


def _description(operations: Sequence[Operation]) -> str:
    lines = []
    for one in operations:
        actions = ", ".join(f"`{action}`" if action else "no message" for action in one.actions)
        who = " For admins." if one.admin else ""
        lines.append(f"{f'{actions}: ' if actions else ''}{_sentence(one)}{who}")
    return "\n\n".join(lines)


def _sentence(operation: Operation) -> str:
    """Return the first sentence of what the view says that it does."""
    told = " ".join((operation.view.__doc__ or operation.name).split())
    first, stop, _ = told.partition(". ")
    return f"{first}." if stop else told


def _in_path(url: str) -> list[dict[str, Any]]:
    return [{"name": part[1:-1], "in": "path", "required": True, "schema": {"type": "string"},
             "description": IN_PATH[part[1:-1]]}
            for part in url.split("/") if part.startswith("{")]


def _answers(told: Details) -> dict[str, Any]:
    """Return the answers of one that succeeds; AIStore's own names of fields are many and free."""
    content = {"content": {told.media: {"schema": told.answer}}} if told.media else {}
    return {str(status): {"description": meaning, **(content if status != _EMPTY else {})}
            for status, meaning in told.statuses.items()}


def _message(operations: Sequence[Operation]) -> dict[str, Any] | None:
    """Return the message that operations with actions take, None where there are none."""
    actions = [action for one in operations for action in one.actions]
    if not actions:
        return None
    return {"required": "" not in actions, "content": {"application/json": {"schema": {
        "type": "object", "required": ["action"], "properties": {
            "action": {"type": "string", "enum": [action for action in actions if action]},
            "name": {"type": "string", "description": "What the action asks a name for."},
            "value": {"description": "What the action takes, see docs/aistore.md."}}}}}}


def _failures() -> dict[str, Any]:
    return {code: {"description": meaning, "content": {"application/json": {
        "schema": {"$ref": "#/components/schemas/AIStoreFailure"}}}}
        for code, meaning in _ERRORS.items()}


def _failure() -> dict[str, Any]:
    texts = ("message", "method", "url_path", "remote_addr", "trace")
    return {"type": "object", "required": ["status", *texts], "properties": {
        "status": {"type": "integer"}, **{name: {"type": "string"} for name in texts}}}
