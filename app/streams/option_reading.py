"""From the body of a request to the options of its action."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from app.core.errors import MalformedBody
from app.core.stream_errors import MalformedOptions
from app.streams.errors import AlluxioError
from app.streams.option_kinds import unrecognized
from app.streams.options import BY_ACTION, BY_COMMON, COMMON, Fate
from app.web.json_bounds import check_containers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.streams.options import Option

MAX_BODY = 1024 * 1024


def read_options(action: str, body: bytes) -> dict[str, Any]:
    """Return the options of `action` by name; those not given are absent.

    `commonOptions` are among the others. `mode` is octal text, names of constants are in upper
    case; where there is a `ttl` there is a `ttlAction`. Raises MalformedOptions, and AlluxioError
    for what is refused.
    """
    data = _parsed(body)
    if not data:
        return {}
    known = BY_ACTION[action]
    options = _read(data, known, f"options of {action}")
    if "ttl" in options:
        options.setdefault("ttlAction", "DELETE")
    common = _read(options.pop(COMMON, {}), BY_COMMON, COMMON)
    if "ttl" in common:
        common.setdefault("ttlAction", "FREE")
    return options | common


def _parsed(body: bytes) -> dict[str, Any]:
    """Return the JSON object; nothing and null are an empty one."""
    if not body.strip():
        return {}
    try:
        check_containers(body)
        data = json.loads(body, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise MalformedOptions(
            f"{error.msg}; line: {error.lineno}, column: {error.colno}") from None
    except UnicodeDecodeError:
        raise MalformedOptions("Invalid UTF-8") from None
    except (RecursionError, ValueError, MalformedBody):
        raise MalformedOptions("Too deeply nested, or a number with too many digits") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise MalformedOptions("Unexpected token, expected START_OBJECT; line: 1, column: 1")
    return data


def _no_constant(name: str) -> None:
    raise MalformedOptions(f"Unexpected token '{name}': no number of JSON")


def _read(
    data: Mapping[str, Any], known: Mapping[str, Option], holder: str,
) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name, value in data.items():
        option = known.get(name)
        if option is None:
            raise unrecognized(name, holder, tuple(known))
        if value is None:
            continue
        options[name] = option.kind(name, value)
        if option.fate is Fate.REFUSED and option.refuses(options[name]):
            raise AlluxioError("UNIMPLEMENTED", f"Option {name} is not served: {option.why}")
    return options
