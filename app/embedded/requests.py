"""A WebHDFS request and its typed parameters, and the responses that operations give."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from app.embedded.access import Caller
from app.embedded.errors import HdfsError, invalid_parameter
from app.embedded.store import Store

PREFIX: Final = "/webhdfs/v1"
JSON_TYPE: Final = "application/json;charset=utf-8"
OCTETS: Final = "application/octet-stream"
MAX_LONG: Final = 2**63 - 1
MAX_SHORT: Final = 2**15 - 1

_USER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*[$]?")
_DEFAULT_USER: Final = "dr.who"


@dataclass(slots=True)
class Response:
    """Status code, headers and body pieces of an answer."""

    status: int
    headers: list[tuple[str, str]]
    body: Iterable[bytes] = ()


def as_json(value: object) -> Response:
    """Answer 200 with a JSON document."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(200, [("Content-Type", JSON_TYPE), ("Content-Length", str(len(body)))], (body,))


def empty(status: int = 200, *headers: tuple[str, str]) -> Response:
    """Answer without a body."""
    return Response(status, [("Content-Type", OCTETS), ("Content-Length", "0"), *headers])


@dataclass(slots=True)
class Request:
    """One call of one operation."""

    store: Store
    environ: dict[str, Any]
    path: str
    parameters: dict[str, str]
    caller: Caller

    def text(self, name: str) -> str | None:
        """Read a parameter; an empty one counts as not given."""
        return self.parameters.get(name) or None

    def required(self, name: str, operation: str) -> str:
        """Read a parameter that the operation cannot do without."""
        value = self.text(name)
        if value is None:
            raise HdfsError(
                "IllegalArgumentException",
                f"Required param {name} for op: {operation} is null or empty",
            )
        return value

    def flag(self, name: str, default: bool) -> bool:
        """Read a boolean parameter."""
        value = self.text(name)
        if value is None:
            return default
        if value.lower() not in {"true", "false"}:
            raise invalid_parameter(name, f'Failed to parse "{value}" to Boolean.')
        return value.lower() == "true"

    def long(self, name: str, default: int, minimum: int = -MAX_LONG) -> int:
        """Read an integer parameter of at least `minimum`."""
        value = self.text(name)
        if value is None:
            return default
        if not re.fullmatch(r"[+-]?[0-9]{1,19}", value, re.ASCII) or abs(int(value)) > MAX_LONG:
            raise invalid_parameter(name, f'Failed to parse "{value}" as a radix-10 long integer.')
        if int(value) < minimum:
            raise invalid_parameter(name, f"Invalid parameter range: {name} = {value} < {minimum}")
        return int(value)

    def short(self, name: str, default: int, minimum: int) -> int:
        """Read a 16-bit integer parameter of at least `minimum`."""
        value = self.text(name)
        if value is None:
            return default
        if not re.fullmatch(r"[+-]?[0-9]{1,5}", value, re.ASCII) or abs(int(value)) > MAX_SHORT:
            raise invalid_parameter(name, f'Failed to parse "{value}" as a radix-10 short integer.')
        if int(value) < minimum:
            raise invalid_parameter(name, f"Invalid parameter range: {name} = {value} < {minimum}")
        return int(value)

    def permission(self, default: int) -> int:
        """Read the octal `permission` parameter, up to 1777."""
        value = self.text("permission")
        if value is None:
            return default
        if not re.fullmatch(r"[0-7]{1,6}", value, re.ASCII):
            raise invalid_parameter(
                "permission", f'Failed to parse "{value}" as a radix-8 short integer.'
            )
        if int(value, 8) > 0o1777:  # noqa: PLR2004 - the largest mode HDFS has
            raise invalid_parameter(
                "permission", f"Invalid parameter range: permission = {int(value, 8):o} > 1777"
            )
        return int(value, 8)


Operation = Callable[[Request], Response]


def parse_query(query: str) -> dict[str, str]:
    """Read a query string; parameter names are case-insensitive, the first value counts."""
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, max_num_fields=1000):
        parameters.setdefault(name.lower(), value)
    return parameters


def parse_path(path_info: str) -> str:
    """Read the HDFS path from WSGI's PATH_INFO; raises where it is not UTF-8 or not WebHDFS."""
    if not path_info.startswith(PREFIX) or path_info[len(PREFIX) :][:1] not in {"", "/"}:
        raise HdfsError("FileNotFoundException", f"{path_info} is not under {PREFIX}/")
    try:
        path = path_info[len(PREFIX) :].encode("latin-1").decode() or "/"
    except UnicodeError:
        raise HdfsError("IllegalArgumentException", "the path is not UTF-8") from None
    return _without_dots(path) if "/." in path else path


def _without_dots(path: str) -> str:
    """Resolve `.` and `..`, as the NameNode's web server does before HDFS sees the path."""
    names: list[str] = []
    for name in path.split("/"):
        if name == "..":
            del names[-1:]
        elif name != ".":
            names.append(name)
    return "/" + "/".join(names).lstrip("/")


def effective_user(parameters: dict[str, str]) -> str:
    """Tell whom a request is made as: `doas` where given, else `user.name`."""
    for name in ("doas", "user.name"):
        user = parameters.get(name)
        if not user:
            continue
        if not _USER.fullmatch(user):
            message = f'Invalid value: "{user}" does not belong to the domain {_USER.pattern}'
            raise invalid_parameter(name, message)
        return user
    return _DEFAULT_USER
