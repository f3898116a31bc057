"""What a sort is asked to do, checked, and as the record of its job keeps it."""

from __future__ import annotations

import math
import re
import secrets
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from app.core.errors import InvalidParameter
from app.sorting.names import parse_input, parse_output
from app.sorting.spark_shards import EXTENSIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.templates import Template
    from app.sorting.names import Counter

KINDS = ("alphanumeric", "none", "md5", "shuffle", "content")
FORMATS = ("string", "int", "float")
IGNORE, WARN, ABORT = REACTIONS = ("ignore", "warn", "abort")
DEFAULT_REACTIONS = {"missing_shards": IGNORE, "duplicated_records": IGNORE,
                     "ekm_malformed_line": ABORT, "ekm_missing_key": ABORT}
"""What is done about what is not as it should be, where a request does not say (AIStore's)."""
MOST_SIZE = 2**50
_SIZE = re.compile(r"([0-9]{1,18})\s*(?:([KMGT])I?)?B?", re.ASCII | re.IGNORECASE)
_PERCENT = re.compile(r"([0-9]{1,3})\s*%", re.ASCII)
_EXTENSION = re.compile(r"\.\S{1,100}")
_SEED = re.compile(r"[0-9]{1,19}", re.ASCII)
_ORDERED = ("alphanumeric", "md5", "content")


class Algorithm(NamedTuple):
    """How records are ordered; `seed` is never empty for `shuffle`."""

    kind: str = "alphanumeric"
    decreasing: bool = False
    seed: str = ""
    extension: str = ""
    format_type: str = "string"


@dataclass(frozen=True, slots=True)
class SortRequest:
    """One request; its templates are checked.

    `shard_size` is in bytes, 0 to divide all evenly among the names of `output_format`. `order` is
    where the order file lies, "" for none. The limits are of shards read or written at once, 0 for
    as many as Spark has cores. `memory` is as AIStore writes it (`60%`, `10GB`), "" for no wish.
    """

    bucket: str
    output_bucket: str
    extension: str
    input_format: str
    output_format: str
    shard_size: int = 0
    algorithm: Algorithm = Algorithm()
    order: str = ""
    order_separator: str = "\t"
    memory: str = ""
    extract_limit: int = 0
    create_limit: int = 0
    reactions: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_REACTIONS))
    extended_metrics: bool = False
    dry_run: bool = False
    description: str = ""

    def check(self) -> None:
        """Raise InvalidParameter for what cannot be sorted."""
        if self.extension not in EXTENSIONS:
            raise InvalidParameter("extension", self.extension, "one of " + ", ".join(EXTENSIONS))
        _ = self.inputs
        if not self.order and self.outputs.total is None and not self.shard_size:
            raise InvalidParameter("output_shard_size", "0", "a size, as output_format has no end")
        if self.order and not self.shard_size:
            raise InvalidParameter("output_shard_size", "0", "a size, as there is an order_file")

    @property
    def inputs(self) -> Template:
        """The names of the input shards, without extension. Raises InvalidParameter."""
        return parse_input(self.input_format)

    @property
    def outputs(self) -> Template | Counter:
        """The names of the output shards, without extension. Raises InvalidParameter."""
        return parse_output(self.output_format)

    def to_data(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {**asdict(self), "algorithm": self.algorithm._asdict()}


def from_data(data: Mapping[str, Any]) -> SortRequest:
    """Return the request that `to_data` made this of."""
    return SortRequest(**{**data, "algorithm": Algorithm(**data["algorithm"])})


def algorithm_of(
    kind: str, *, decreasing: bool, seed: str, extension: str, format_type: str,
) -> Algorithm:
    """Return an algorithm, its values checked and defaults filled in. Raises InvalidParameter."""
    kind = kind or "alphanumeric"
    format_type = format_type or "string"
    if kind not in KINDS:
        raise InvalidParameter("algorithm.kind", kind, "one of " + ", ".join(KINDS))
    if seed and not _SEED.fullmatch(seed):
        raise InvalidParameter("algorithm.seed", seed, "an integer of 0 or more")
    if kind == "content" and not _EXTENSION.fullmatch(extension.strip()):
        raise InvalidParameter("algorithm.extension", extension, "an extension like .cls")
    if format_type not in FORMATS:
        raise InvalidParameter("algorithm.format_type", format_type,
                               "one of " + ", ".join(FORMATS))
    if kind == "shuffle" and not seed:
        seed = str(secrets.randbelow(2**63))
    return Algorithm(kind, decreasing and kind in _ORDERED, seed, extension.strip(), format_type)


def reaction(name: str, value: str) -> str:
    """Return what to do about what `name` says. Raises InvalidParameter."""
    if value and value not in REACTIONS:
        raise InvalidParameter(name, value, "one of " + ", ".join(REACTIONS))
    return value or DEFAULT_REACTIONS[name]


def size(name: str, text: str) -> int:
    """Return a number of bytes like `10240`, `10KB`, `2 GiB`; all units are powers of 1,024.

    Raises InvalidParameter.
    """
    found = _SIZE.fullmatch(text.strip())
    value = int(found[1]) * 1024 ** " KMGT".index((found[2] or " ").upper()) if found else -1
    if not 0 <= value <= MOST_SIZE:
        raise InvalidParameter(name, text, f"bytes like 10240 or 10KB, at most {MOST_SIZE}")
    return value


def memory(name: str, text: str, total: int) -> int:
    """Return the bytes of memory in `60%` (of `total`) or `10GB`. Raises InvalidParameter."""
    found = _PERCENT.fullmatch(text.strip())
    if found and 0 < int(found[1]) <= 100:  # noqa: PLR2004 - per cent
        return math.floor(total * int(found[1]) / 100)
    if found or text.strip().isdecimal():
        raise InvalidParameter(name, text, "a size like 10GB or a share like 60%")
    return size(name, text)
