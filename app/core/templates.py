"""Templates of names with ranges of numbers: `shard-{0001..1000..10}.tar`.

A range is `{first..last}` or `{first..last..step}`, both ends counted in; one dot does for two
(`{1000.2000}`). Numbers have at least as many digits as `first` is written with. A template has one
range or several; the last of them counts fastest (AIStore's cmn.ParsedTemplate).
"""

from __future__ import annotations

import re
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from app.core.errors import InvalidParameter

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_NAMES = 10_000_000
"""The most names that a template may stand for."""
_MAX_CHARS = 4096
_RANGE = re.compile(r"\{([0-9]{1,18})\.\.?([0-9]{1,18})(?:\.\.?([0-9]{1,18}))?\}", re.ASCII)
_ALLOWED = ("a text with one or more ranges like {0001..1000} or {0..100..10}, first not greater"
            " than last, and no other braces")


class Template(NamedTuple):
    """A template taken apart: `texts` stand before, between and behind the `ranges`."""

    texts: tuple[str, ...]
    ranges: tuple[range, ...]
    widths: tuple[int, ...]

    @property
    def total(self) -> int:
        """The number of names."""
        return prod(map(len, self.ranges))

    def name(self, index: int) -> str:
        """Return the name at `index`, which is from 0 to `total` - 1."""
        parts = [self.texts[-1]]
        for text, numbers, width in zip(
                reversed(self.texts[:-1]), reversed(self.ranges), reversed(self.widths),
                strict=True):
            index, place = divmod(index, len(numbers))
            parts += [f"{numbers[place]:0{width}d}", text]
        return "".join(reversed(parts))

    def names(self, start: int = 0) -> Iterator[str]:
        """Yield the names in order from index `start` on."""
        return (self.name(index) for index in range(start, self.total))


def has_range(text: str) -> bool:
    """Tell whether a text has a range in it."""
    return _RANGE.search(text) is not None


def parse(template: str, parameter: str = "template") -> Template:
    """Return the template in `template`; `parameter` is what an error calls it.

    Raises InvalidParameter where it has no range, a wrong one or more than MAX_NAMES names.
    """
    if len(template) > _MAX_CHARS:
        raise InvalidParameter(parameter, template, f"a text of at most {_MAX_CHARS} characters")
    texts, ranges, widths, end = [], [], [], 0
    for found in _RANGE.finditer(template):
        first, last, step = int(found[1]), int(found[2]), int(found[3] or 1)
        if last < first or step < 1:
            raise InvalidParameter(parameter, template, _ALLOWED)
        texts.append(template[end:found.start()])
        ranges.append(range(first, last + 1, step))
        widths.append(len(found[1]))
        end = found.end()
    texts.append(template[end:])
    if not ranges or any("{" in text or "}" in text for text in texts):
        raise InvalidParameter(parameter, template, _ALLOWED)
    parsed = Template(tuple(texts), tuple(ranges), tuple(widths))
    if parsed.total > MAX_NAMES:
        raise InvalidParameter(parameter, template, f"a template of at most {MAX_NAMES} names")
    return parsed


def expand(template: str, start: int = 0) -> Iterator[str]:
    """Return the names of a template from index `start` on, made as they are asked for.

    Raises InvalidParameter at once, not when the first name is asked for.
    """
    return parse(template).names(start)
