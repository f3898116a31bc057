"""Templates of shards' names: `{0001..0010}` as everywhere, `@00100` and, for output, `%06d`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from app.core.errors import InvalidParameter
from app.core.templates import Template, has_range, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_INPUTS = 1_000_000
"""The most input shards of one sort."""
MAX_INPUT_CHARS = 64 * 1024**2
"""The most characters that the names of all of them may have: they are told as one text."""
_AT = re.compile(r"([^@{}]*)@([0-9]{1,9})([^@{}]*)", re.ASCII)
_COUNTER = re.compile(r"([^%]*)%(?:0([1-9]|1[0-9]))?d([^%]*)", re.ASCII)
_ALLOWED = "a text like 'prefix-{0001..0010}-suffix' or 'prefix-@00100-suffix'"


class Counter(NamedTuple):
    """Names without end: a number of at least `width` digits between two texts."""

    before: str
    width: int
    after: str

    @property
    def total(self) -> None:
        """How many names there are: as many as are wanted."""
        return

    def name(self, index: int) -> str:
        """Return the name at `index`, from 0 on."""
        return f"{self.before}{index:0{self.width}d}{self.after}"


def parse_input(text: str) -> Template:
    """Return the names of input shards, without extension. Raises InvalidParameter."""
    template = _template(text.strip(), "input_format")
    most = min(MAX_INPUTS, MAX_INPUT_CHARS // len(text))
    if template.total > most:
        raise InvalidParameter("input_format", text, f"at most {most} names of this length")
    return template


def parse_output(text: str) -> Template | Counter:
    """Return the names of output shards, without extension. Raises InvalidParameter."""
    counter = as_counter(text.strip())
    return counter or _template(text.strip(), "output_format")


def as_counter(text: str) -> Counter | None:
    """Return the names in which a number stands for `%d` or `%06d`; None where it does not."""
    found = _COUNTER.fullmatch(text)
    return Counter(found[1], int(found[2] or 1), found[3]) if found else None


def names_of_groups(
    planned: list[tuple[str, int]], output: Template | Counter | None,
) -> Iterator[str]:
    """Yield the name of each planned shard; `planned` are (group, how many) in order.

    With an order file (`output` is None) a group is the format of its shards' names.
    """
    made = 0
    for group, count in planned:
        names = output or as_counter(group)
        for number in range(count):
            if names is None:  # a name without a number
                yield group if number == 0 else f"{group}-{number}"
            else:
                yield names.name(number if output is None else made)
            made += 1


def _template(text: str, parameter: str) -> Template:
    found = _AT.fullmatch(text)
    if found:
        return Template((found[1], found[3]), (range(int(found[2]) + 1),), (len(found[2]),))
    if not has_range(text):
        raise InvalidParameter(parameter, text, _ALLOWED)
    return parse(text, parameter)
