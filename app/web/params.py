"""Typed parameters: each knows its name, what it takes, and how OpenAPI describes it.

An operation declares its parameters once; validation, error messages and /openapi.json are made
of the declarations. After org.apache.hadoop.lib.wsrs.Param: an error teaches by naming the
parameter, its value and the domain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from app.core.errors import (
    InvalidParameter,
    InvalidParameters,
    InvalidRequest,
    MissingParameter,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.web.query import Query

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Domain(Protocol[T_co]):
    """A set of allowed values; `allowed` says it in words, `schema` in JSON Schema."""

    @property
    def allowed(self) -> str:
        """What is taken, in words."""

    @property
    def schema(self) -> dict[str, Any]:
        """What is taken, as JSON Schema."""

    def parse(self, text: str) -> T_co:
        """Return the value. Raises ValueError when `text` is outside."""


class PathText:
    """A path as users write it; whether it can be one is the translator's to say."""

    allowed = "a path, absolute or relative to the home directory"
    schema: dict[str, Any] = {"type": "string"}  # noqa: RUF012

    def parse(self, text: str) -> str:
        """Take any text; the empty path is only good where the parameter says so."""
        return text


class AnyText:
    """Text that a pattern matches whole; unless told otherwise, of at least one character."""

    def __init__(self, allowed: str, pattern: str = r"(?s).+") -> None:
        self.allowed = allowed
        self._pattern = re.compile(pattern)
        least = 0 if self._pattern.fullmatch("") else 1
        self.schema: dict[str, Any] = {"type": "string", "minLength": least}

    def parse(self, text: str) -> str:
        """Take what the pattern matches whole."""
        if not self._pattern.fullmatch(text):
            raise ValueError
        return text


class FlagText:
    """true/false/1/0/yes/no in any case."""

    allowed = "true, false, yes, no, 1 or 0"
    schema: dict[str, Any] = {  # noqa: RUF012
        "type": "string", "pattern": "^(?i:true|false|yes|no|1|0)$"}

    _WORDS = {"true": True, "1": True, "yes": True,  # noqa: RUF012
              "false": False, "0": False, "no": False}

    def parse(self, text: str) -> bool:
        """Take the six words."""
        try:
            return self._WORDS[text.lower()]
        except KeyError:
            raise ValueError from None


class OctalMode:
    """A mode of 1 to 4 octal digits; HDFS knows the sticky bit, not setuid and setgid."""

    allowed = "1 to 4 octal digits from 0 to 1777, like 644"
    schema: dict[str, Any] = {"type": "string", "pattern": "^[01]?[0-7]{1,3}$"}  # noqa: RUF012

    def parse(self, text: str) -> str:
        """Take octal digits and nothing else."""
        if not re.fullmatch(r"[01]?[0-7]{1,3}", text):
            raise ValueError
        return text


class WholeNumber:
    """A whole number between bounds, both included."""

    def __init__(self, least: int, most: int | None = None) -> None:
        self.least = least
        self.most = most
        bound = f"{least} or more" if most is None else f"from {least} to {most}"
        self.allowed = f"a whole number, {bound}"
        self.schema: dict[str, Any] = {"type": "integer", "minimum": least}
        if most is not None:
            self.schema["maximum"] = most

    def parse(self, text: str) -> int:
        """Take decimal digits (a sign only where negative numbers are allowed)."""
        if not re.fullmatch(r"-?[0-9]{1,19}", text):
            raise ValueError
        number = int(text)
        if number < self.least or (self.most is not None and number > self.most):
            raise ValueError
        return number


class OneOf:
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.allowed = "one of " + ", ".join(words)
        self.schema: dict[str, Any] = {"type": "string", "enum": list(words)}

    def parse(self, text: str) -> str:
        """Take the words as they are spelled."""
        if text not in self.words:
            raise ValueError
        return text


class NameList:
    """Names with commas between; the parameter may also be given several times."""

    def __init__(self, allowed: str) -> None:
        self.allowed = allowed
        self.schema: dict[str, Any] = {"type": "string", "minLength": 1}

    def parse(self, text: str) -> tuple[str, ...]:
        """Take one name or more; an empty one among them is refused."""
        names = tuple(text.split(","))
        if not all(names):
            raise ValueError
        return names


@dataclass(frozen=True, slots=True, eq=False)
class Param(Generic[T]):
    """One query parameter: an operation's `call[param]` is its value, `default` when absent."""

    name: str
    domain: Domain[T]
    help: str
    default: T
    required: bool = False
    empty_ok: bool = False

    def read(self, query: Query) -> T:
        """Return the value in `query`. Raises InvalidParameter or MissingParameter."""
        given = query.get(self.name)
        if given is None or (given == [""] and not self.empty_ok):
            if self.required:
                raise MissingParameter(self.name, self.domain.allowed)
            if given is None:
                return self.default
        if len(given) > 1:
            raise InvalidParameter(self.name, " and ".join(given), "one value, not several")
        try:
            return self.domain.parse(given[0])
        except ValueError:
            raise InvalidParameter(self.name, given[0], self.domain.allowed) from None

    def described(self) -> dict[str, Any]:
        """Return the OpenAPI 3.1 Parameter Object."""
        schema = dict(self.domain.schema)
        if not self.required and self.default is not None:
            default: Any = self.default
            schema["default"] = str(default).lower() if isinstance(default, bool) else default
        return {"name": self.name, "in": "query", "required": self.required,
                "description": f"{self.help} ({self.domain.allowed})", "schema": schema,
                **({"allowEmptyValue": True} if self.empty_ok else {})}


def read_all(params: Iterable[Param[Any]], query: Query) -> Mapping[Param[Any], Any]:
    """Return the value of each parameter. Raises InvalidRequest with all that is wrong."""
    values: dict[Param[Any], Any] = {}
    errors: list[InvalidRequest] = []
    for param in params:
        try:
            values[param] = param.read(query)
        except InvalidRequest as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise InvalidParameters(errors)
    return values
