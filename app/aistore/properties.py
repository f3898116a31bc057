"""The properties of a bucket: told in headers, set, and set back.

They have the names of both years: `cksum`, `aattrs` and `cloud_provider` of 2020 are `checksum`,
`access` and `provider` of 2021. What cannot be otherwise here is told as AIStore has it by default.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.aistore.bucket_props import (
    ALL_ACCESS,
    CHECKSUMS,
    DEFAULT_CHECKSUM,
    RECORD,
    BucketProps,
    from_record,
    to_record,
)
from app.aistore.call import empty
from app.aistore.fields import Fields
from app.aistore.operation import Operation
from app.aistore.provider import AIS, provider_of
from app.core.errors import InvalidParameter, MissingParameter, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from werkzeug import Response

    from app.aistore.call import AIStoreCall
    from app.core.objects import Bucket

PLACE = ("buckets", "*")
_ALIASES = {"cksum": "checksum", "aattrs": "access", "cloud_provider": "provider"}
_OF_2020 = {new: old for old, new in _ALIASES.items()}
_OWN_BUCKET = 1 << 63
"""The bit of a bucket's number that says that it is not a cloud's."""
_NANOS = 1_000_000


def head(call: AIStoreCall) -> Response:
    """Tell a bucket's properties in headers, by the names of both years."""
    provider_of(call)
    bucket = call.objects.bucket(call.bucket)
    props = from_record(call.objects.bucket_record(call.bucket))
    told = described(props, bucket, caches=call.services.cache is not None)
    response = empty()
    for name, value in _flat(told):
        section, _, rest = name.partition(".")
        old = _OF_2020.get(section, section)
        for one in {section, old}:
            response.headers[f"{one}{rest and '.'}{rest}".capitalize()] = _text(value)
    told["backend_bck"]["namespace"] = {"uuid": "", "name": ""}
    response.headers["Bucket_props"] = json.dumps(
        {**told, "extra": {"aws": {}, "http": {}, "hdfs": {}}, "Renamed": ""},
        separators=(",", ":"))
    return response


def described(props: BucketProps, bucket: Bucket, *, caches: bool) -> dict[str, Any]:
    """Return all properties of a bucket, by their names of 2021; `caches`: the read cache is on.

    `created` is when the directory was changed last: HDFS tells no other time of it.
    """
    return {
        **unchangeable(caches=caches),
        "checksum": {**_CHECKSUM, "type": props.checksum},
        "access": str(props.access),
        "bid": str(_OWN_BUCKET | bucket.status.file_id),
        "created": str(bucket.status.modification_time * _NANOS),
    }


_CHECKSUM = {"type": DEFAULT_CHECKSUM, "validate_cold_get": True, "validate_warm_get": False,
             "validate_obj_move": False, "enable_read_range": False}


def unchangeable(*, caches: bool) -> dict[str, Any]:
    """Return the properties that nobody can set."""
    return {
        "provider": AIS, "md_write": "", "backend_bck": {"name": "", "provider": ""},
        "versioning": {"enabled": False, "validate_warm_get": False},
        "lru": {"lowwm": 75, "highwm": 90, "out_of_space": 95, "dont_evict_time": "120m",
                "capacity_upd_time": "10m", "enabled": caches},
        "mirror": {"copies": 2, "util_thresh": 20, "burst_buffer": 512, "optimize_put": False,
                   "enabled": False},
        "ec": {"objsize_limit": 262144, "compression": "never", "data_slices": 1,
               "parity_slices": 1, "batch_size": 64, "enabled": False},
    }


def set_props(call: AIStoreCall) -> Response:
    """Set what the message names, and leave the rest as it is."""
    provider_of(call)
    value, caches = call.fields.members("value"), call.services.cache is not None
    _keep(call, lambda props: changed(props, value, caches=caches))
    return empty()


def reset_props(call: AIStoreCall) -> Response:
    """Set all back to what a new bucket has."""
    provider_of(call)
    _keep(call, lambda _props: BucketProps())
    return empty()


def _keep(call: AIStoreCall, change: Callable[[BucketProps], BucketProps]) -> None:
    """Replace what is set in the bucket's record."""
    def kept(record: dict[str, Any]) -> dict[str, Any]:
        return {**record, RECORD: to_record(change(from_record(record)))}

    call.objects.change_bucket_record(call.bucket, kept)


def changed(props: BucketProps, value: Mapping[str, Any], *, caches: bool) -> BucketProps:
    """Return what is set when `value` is asked for. Raises InvalidParameter, MissingParameter.

    What cannot be set may be named with the value that it has.
    """
    fixed = dict(_flat({**unchangeable(caches=caches), "checksum": _CHECKSUM}))
    given = [(name, one) for name, one in _flat(value) if one is not None]
    if not given:
        raise MissingParameter("value", "an object with properties of the bucket")
    for name, one in given:
        section, _, rest = name.partition(".")
        real = f"{_ALIASES.get(section, section)}{rest and '.'}{rest}"
        if real in ("checksum.type", "checksum.checksum"):
            props = replace(props, checksum=_checksum(name, one))
        elif real == "access":
            props = replace(props, access=Fields({name: one}).integer(name, most=ALL_ACCESS))
        elif real not in fixed:
            raise InvalidParameter(name, _text(one), "checksum.type and access: buckets have no"
                                   f" property '{printable(name)}' here")
        elif _text(one) != _text(fixed[real]):
            raise InvalidParameter(name, _text(one), f"{_text(fixed[real]) or 'nothing'}: it cannot"
                                   " be otherwise here")
    return props


def _checksum(name: str, value: Any) -> str:
    text = DEFAULT_CHECKSUM if value == "inherit" else value
    if text not in CHECKSUMS:
        raise InvalidParameter(name, _text(value), f"one of {', '.join(CHECKSUMS)}, inherit")
    return str(text)


def _flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the members of an object and of those in it, their names joined by dots."""
    for name, one in value.items():
        if isinstance(one, dict) and not above:
            yield from _flat(one, f"{name}.")
        else:
            yield above + name, one


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


OPERATIONS = (
    Operation("bucket.head", ("HEAD",), PLACE, head, harmless=True),
    Operation("bucket.set-props", ("PATCH", "PUT"), PLACE, set_props, ("setprops", "setbprops")),
    Operation("bucket.reset-props", ("PATCH", "PUT"), PLACE, reset_props,
              ("resetprops", "resetbprops")),
)
