"""/openapi.json: OpenAPI 3.1 made of the declarations that route and validate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.web.operations import Api, Operation

OCTETS = "application/octet-stream"
_ERRORS = {
    "400": "The request cannot be understood.", "401": "Credentials are missing or wrong.",
    "403": "HDFS or the gateway does not allow it.", "404": "No such file or directory.",
    "405": "The URL does not take this method.", "409": "The state of the files forbids it.",
    "412": "A condition does not hold.", "429": "Too many failed attempts.",
    "500": "An unexpected failure; the log has it.", "501": "The server behind cannot do it.",
    "502": "HDFS failed.", "503": "HDFS cannot be reached.", "504": "HDFS is too slow.",
}
_WITH_CONTENT = {
    "411": "The body's length is unknown.",
    "413": "The body is too large.", "415": "A type or coding that is not taken.",
    "416": "No byte of the file is in the range.",
}


def describe(
    apis: Sequence[Api], version: str, *dialects: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the description of all operations of `apis`, and of dialects with tables of their own.

    Those tell their `paths` and `schemas` in OpenAPI's terms.
    """
    paths: dict[str, dict[str, Any]] = {}
    for api in apis:
        for operation in api.operations:
            url = f"{api.prefix}{operation.path}"
            paths.setdefault(url, {})[operation.method.lower()] = _operation(api, operation)
    schemas = {"Failure": _failure()}
    for dialect in dialects:
        paths |= dialect["paths"]
        schemas |= dialect["schemas"]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "httpfs-proxy", "version": version,
            "description": "An authenticating HTTP gateway to the files of a Hadoop cluster.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
            "schemas": schemas,
        },
        "security": [{"basic": []}],
    }


def _operation(api: Api, operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": f"{api.name}_{operation.name}",
        "tags": [api.name],
        "summary": operation.summary,
        "description": (operation.view.__doc__ or "").strip(),
        "parameters": [param.described() for param in operation.params],
        "responses": _responses(operation),
    }
    if operation.body:
        described["requestBody"] = {
            "description": operation.body,
            "content": {OCTETS: {"schema": _content_of(OCTETS)}}}
    if operation.open_to_all:
        described["security"] = []
    return described


def _responses(operation: Operation) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    if operation.result is not None:
        responses["200"] = {"description": "The envelope with the result.", "content": {
            "application/json": {"schema": _envelope(operation.result)}}}
    for status, meaning in operation.answers.items():
        has_body = operation.media and status in (200, 206)
        responses[str(status)] = {"description": meaning, **(
            {"content": {operation.media: {"schema": _content_of(operation.media)}}}
            if has_body else {})}
    failures = dict(_ERRORS)
    if operation.path.endswith("/content"):
        failures |= _WITH_CONTENT
    for code, meaning in failures.items():
        responses[code] = {"description": meaning, "content": {"application/json": {
            "schema": {"$ref": "#/components/schemas/Failure"}}}}
    return responses


def _content_of(media: str | None) -> dict[str, Any]:
    """Return the schema of a body; of bytes as generators of clients know them from 3.0."""
    is_text = media in ("application/json", "text/plain")
    return {} if is_text else {"type": "string", "format": "binary"}


def _envelope(result: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object", "required": ["status", "result", "error"],
        "properties": {"status": {"const": "SUCCESS"}, "result": result,
                       "error": {"description": "Null."}},
    }


def _failure() -> dict[str, Any]:
    return {
        "type": "object", "required": ["status", "result", "error"],
        "properties": {
            "status": {"const": "FAILURE"}, "result": {"description": "Null."},
            "error": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
    }
