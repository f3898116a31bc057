"""The request of a sort, by the names of 2020 and of 2021."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import InvalidParameter, MissingParameter
from app.sorting.order_files import check_place
from app.sorting.request import (
    DEFAULT_REACTIONS,
    SortRequest,
    algorithm_of,
    memory,
    reaction,
    size,
)

if TYPE_CHECKING:
    from app.aistore.fields import Fields
    from app.sorting.request import Algorithm

MAX_DESCRIPTION = 1000
_OF_AISTORE = {"dsorter_type": "", "compression": "never", "dsorter_mem_threshold": "",
               "call_timeout": ""}
"""What tunes AIStore's own sorter, with the values that mean what happens here."""


def sort_request(fields: Fields, own_url: str) -> SortRequest:
    """Return what a client asks for, checked; `own_url` is the gateway's as the client knows it.

    Raises InvalidParameter and MissingParameter.
    """
    bucket = fields.inner("bck").text("name") or fields.text("bucket")
    if not bucket:
        raise MissingParameter("bucket", "a string")
    order = fields.text("order_file")
    asked = fields.text("max_mem_usage", "default_max_mem_usage")
    if asked:
        memory("max_mem_usage", asked, 0)
    _refuse_tuning(fields)
    request = SortRequest(
        bucket, fields.inner("output_bck").text("name") or fields.text("output_bucket") or bucket,
        fields.required("extension"), fields.required("input_format"),
        fields.text("output_format") if order else fields.required("output_format"),
        shard_size=_size(fields), algorithm=_algorithm(fields.inner("algorithm")),
        order=check_place(order, own_url) if order else "",
        order_separator=fields.text("order_file_sep") or "\t", memory=asked,
        extract_limit=_limit(fields, "extract"), create_limit=_limit(fields, "create"),
        reactions={name: reaction(name, fields.text(name)) for name in DEFAULT_REACTIONS},
        extended_metrics=fields.flag("extended_metrics"), dry_run=fields.flag("dry_run"),
        description=_description(fields))
    request.check()
    return request


def _description(fields: Fields) -> str:
    text = fields.text("description")
    if len(text) > MAX_DESCRIPTION:
        raise InvalidParameter("description", text, f"at most {MAX_DESCRIPTION} characters")
    return text


def _algorithm(fields: Fields) -> Algorithm:
    return algorithm_of(
        fields.text("kind"), decreasing=fields.flag("decreasing"), seed=fields.text("seed"),
        extension=fields.text("extension"), format_type=fields.text("format_type"))


def _size(fields: Fields) -> int:
    """Return `output_shard_size` in bytes, 0 where it is not given."""
    try:
        text = fields.text("output_shard_size")
    except InvalidParameter:
        return fields.integer("output_shard_size", most=2**50)
    return size("output_shard_size", text) if text else 0


def _limit(fields: Fields, what: str) -> int:
    return fields.integer(f"{what}_concurrency_max_limit", f"{what}_concurrency_limit", most=10**6)


def _refuse_tuning(fields: Fields) -> None:
    """Raise InvalidParameter for what would have no effect here."""
    given = {name: fields.text(name) for name in _OF_AISTORE}
    given["stream_multiplier"] = str(fields.integer("stream_multiplier") or "")
    for name, value in given.items():
        if value not in ("", _OF_AISTORE.get(name)):
            raise InvalidParameter(name, value, "nothing: it tunes AIStore's own sorter, and here"
                                   " Apache Spark sorts")
