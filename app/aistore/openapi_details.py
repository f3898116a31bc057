"""What /openapi.json tells of AIStore's operations beyond their table: what they take, answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

IN_PATH = {
    "bucket": "The bucket.", "object": "The object's name, slashes in it percent-encoded or not.",
    "id": "The id of a gateway node."}
_TEXT: dict[str, Any] = {"type": "string"}
_NUMBER: dict[str, Any] = {"type": "integer", "minimum": 0}
_OBJECT: dict[str, Any] = {"type": "object"}
_LIST: dict[str, Any] = {"type": "array", "items": _TEXT}
_JSON, _OCTETS = "application/json", "application/octet-stream"
_BYTES: dict[str, Any] = {"type": "string", "format": "binary"}
_DONE = {200: "Done."}


class Details(NamedTuple):
    """Query parameters, the body, and the answers: their media type, schema, and statuses."""

    query: tuple[dict[str, Any], ...] = ()
    body: dict[str, Any] | None = None
    media: str = ""
    answer: Mapping[str, Any] = {}
    statuses: Mapping[int, str] = _DONE


def _query(name: str, description: str, schema: Mapping[str, Any] = _TEXT, *,
           required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": dict(schema),
            "description": description}


def _body(media: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {media: {"schema": dict(schema)}}}


def _json(**properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body in JSON; a property that ends in `_` must be there."""
    named = {name.rstrip("_"): dict(schema) for name, schema in properties.items()}
    required = [name[:-1] for name in properties if name.endswith("_")]
    return _body(_JSON, {"type": "object", "properties": named,
                                      **({"required": required} if required else {})})


_PROVIDER = _query("provider", "`ais`; clouds have no buckets here. `bprovider` and"
                               " `cloud_provider` are the names of 2020.")
_WHAT = _query("what", "What is asked for.", required=True)
_ID = _query("id", "The job.", required=True)
_SETTINGS = (
    _query("stats_time", "How often figures are written, like `10s`."),
    _query("log.level", "How much is logged.",
           {"type": "string", "enum": ["DEBUG", "INFO", "WARNING", "ERROR"]}))
_SOURCES: dict[str, dict[str, Any]] = {
    "bucket_": _TEXT, "headers": _OBJECT, "timeout": _TEXT, "description": _TEXT}
_SHARDS = _json(
    bucket_=_TEXT, output_bucket=_TEXT, extension_=_TEXT, input_format_=_TEXT,
    output_format_=_TEXT, output_shard_size=_TEXT, order_file=_TEXT, order_file_sep=_TEXT,
    algorithm={"type": "object", "properties": {
        "kind": _TEXT, "decreasing": {"type": "boolean"}, "seed": _TEXT, "extension": _TEXT,
        "format_type": _TEXT}})
_NODE = _json(daemon_id_=_TEXT)

_DETAILS: dict[str, Details] = {
    "GET /objects/{bucket}/{object}": Details(
        (_query("offset", "The first byte.", _NUMBER),
         _query("length", "So many bytes.", {"type": "integer", "minimum": 1}), _PROVIDER),
        media=_OCTETS, answer=_BYTES, statuses={
            200: "The object, or the bytes of it.", 206: "The bytes that Range names.",
            304: "The object is the one that the condition names."}),
    "HEAD /objects/{bucket}/{object}": Details(
        (_query("check_cached", "Whether it is in the read cache: 200 or 404.",
                {"type": "boolean"}), _PROVIDER),
        statuses={200: "The properties, in headers."}),
    "PUT /objects/{bucket}/{object}": Details(
        (_PROVIDER,), _body(_OCTETS, _BYTES)),
    "POST /objects/{bucket}/{object}": Details((_PROVIDER,)),
    "DELETE /objects/{bucket}/{object}": Details((_PROVIDER,)),
    "GET /buckets/*": Details((_PROVIDER,), media=_JSON, answer={
        "type": "object", "properties": {"ais": _LIST, "local": _LIST, "cloud": _LIST}}),
    "HEAD /buckets/{bucket}": Details((_PROVIDER,), statuses={200: "The properties, in headers."}),
    "POST /buckets/{bucket}": Details(
        (_PROVIDER, _query("bto", "The other bucket of a copy or move, `ais/@#/name`.")),
        media=_JSON, statuses={
            200: "Done, or a listing.", 202: "The id of the task that makes the answer."}),
    "DELETE /buckets/{bucket}": Details((_PROVIDER,), media="text/plain", answer=_TEXT, statuses={
        200: "Done, or the id of the job that does it."}),
    "PUT /buckets/{bucket}": Details((_PROVIDER,)),
    "PATCH /buckets/{bucket}": Details((_PROVIDER,)),
    "GET /cluster": Details((_WHAT, _query("props", "With `xaction`: `rebalance` or `prefetch`.")),
                            media=_JSON),
    "GET /daemon": Details((_WHAT,), media=_JSON),
    "PUT /cluster": Details(media="text/plain", answer=_TEXT, statuses={
        200: "Done, or the id of the job that does it."}),
    "PUT /cluster/setconfig": Details(_SETTINGS),
    "PUT /daemon/setconfig": Details(_SETTINGS),
    "POST /cluster/register": Details(body=_NODE),
    "GET /download": Details((_query("id", "The job; without it all are listed."),),
                             media=_JSON),
    "POST /download": Details(media=_JSON, body=_json(
        type_=_TEXT, link=_TEXT, objname=_TEXT, template=_TEXT, objects={},
        **{**_SOURCES, "bucket_": {}})),
    "POST /download/single": Details(body=_json(link_=_TEXT, objname=_TEXT, **_SOURCES),
                                     media=_JSON),
    "POST /download/multi": Details(body=_json(
        object_map={"type": "object", "additionalProperties": _TEXT}, object_list=_LIST,
        **_SOURCES), media=_JSON),
    "POST /download/list": Details(body=_json(
        base_=_TEXT, prefix=_TEXT, suffix=_TEXT, start=_NUMBER, end=_NUMBER,
        step={"type": "integer", "minimum": 1}, digit_count=_NUMBER, **_SOURCES), media=_JSON),
    "DELETE /download": Details(body=_json(id=_TEXT, link=_TEXT, bucket=_TEXT, objname=_TEXT)),
    "DELETE /download/abort": Details(body=_json(id_=_TEXT)),
    "DELETE /download/remove": Details(body=_json(id_=_TEXT)),
    "POST /sort": Details(body=_SHARDS, media="text/plain", answer=_TEXT,
                          statuses={200: "The id of the job."}),
    "GET /sort": Details((_query("id", "The job; without it all are listed."),),
                         media=_JSON),
    "DELETE /sort": Details((_ID,)),
    "DELETE /sort/abort": Details((_ID,)),
}


def details_of(method: str, url: str) -> Details:
    """Return what is known of a method and a URL below the prefix."""
    return _DETAILS.get(f"{method} {url}", Details())
