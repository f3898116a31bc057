"""Which objects an operation on many of them means: a list, a template, or numbers behind a prefix.

An empty one is refused: it never means every object. A selection is kept as the description of a
job, so it is made of and turned into what JSON holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from app.core import templates
from app.core.errors import InvalidParameter, MissingParameter
from app.core.number_filter import NumberFilter, number_filter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.aistore.fields import Fields
    from app.fs.objects import ObjectStore

MAX_NAMES = 100_000
"""The most names that a list may have."""
_PAGE = 1000
_ALLOWED = "objnames with names, a template with a range, or prefix and range"


class Batch(NamedTuple):
    """Some of the selected names, in order; `cursor` goes on behind them."""

    names: list[str]
    cursor: Any


def read_selection(value: Fields) -> dict[str, Any]:
    """Return the selection that a message's `value` describes.

    Raises InvalidParameter, MissingParameter.
    """
    if value.has("objnames", "objname"):
        _refuse(value, "objnames", "template", "prefix", "regex", "range")
        return {"names": _names(value)}
    prefix = value.text("prefix")
    if value.text("template"):
        _refuse(value, "template", "prefix", "regex", "range")
        return _template(value.text("template"), "template")
    if templates.has_range(prefix):
        _refuse(value, "a template as prefix", "regex", "range")
        return _template(prefix, "prefix")
    if not value.has("range"):
        raise MissingParameter("objnames", _ALLOWED)
    numbers = number_filter(prefix, value.text("regex"), value.text("range"))
    return {"numbers": list(numbers)}


def _template(text: str, name: str) -> dict[str, Any]:
    templates.parse(text, name)
    return {"template": text}


def _refuse(value: Fields, given: str, *others: str) -> None:
    """Raise InvalidParameter where one of the others would narrow what is selected, too."""
    for name in others:
        if text := value.text(name):
            raise InvalidParameter(name, text, f"nothing beside {given}: one form is taken at a"
                                   " time")


def _names(value: Fields) -> list[str]:
    names = value.texts("objnames", "objname")
    if not names:
        raise MissingParameter("objnames", "an array of one name or more")
    if len(names) > MAX_NAMES:
        raise InvalidParameter("objnames", f"{len(names)} names", f"at most {MAX_NAMES} names")
    if not all(names):
        raise InvalidParameter("objnames", "", "names that are not empty")
    return names


def total_of(selection: dict[str, Any]) -> int:
    """Return how many names are selected, -1 where it is not known beforehand."""
    if "names" in selection:
        return len(selection["names"])
    if "template" in selection:
        return templates.parse(selection["template"]).total
    return -1


def batches(
    selection: dict[str, Any], objects: ObjectStore, bucket: str, cursor: Any, size: int,
) -> Iterator[Batch]:
    """Yield the selected names behind `cursor` (None: all), `size` at a time, made as they go.

    Those of a list or template whether such objects are there or not. Raises NoSuchBucket.
    """
    if "numbers" in selection or "all" in selection:
        return _found(selection, objects, bucket, cursor or "", size)
    return _counted(selection, cursor or 0, size)


def _counted(selection: dict[str, Any], start: int, size: int) -> Iterator[Batch]:
    """Yield the names of a list or template; the cursor is how many are done."""
    if "names" in selection:
        names = selection["names"]
        for begin in range(start, len(names), size):
            some = names[begin:begin + size]
            yield Batch(some, begin + len(some))
        return
    template = templates.parse(selection["template"])
    for begin in range(start, template.total, size):
        end = min(begin + size, template.total)
        yield Batch([template.name(index) for index in range(begin, end)], end)


def _found(
    selection: dict[str, Any], objects: ObjectStore, bucket: str, after: str, size: int,
) -> Iterator[Batch]:
    """Yield the names among those that are there; the cursor is the last one looked at."""
    numbers = NumberFilter(*selection["numbers"]) if "numbers" in selection else None
    prefix = numbers.prefix if numbers else ""
    more: str | None = after
    while more is not None:
        page = objects.list(bucket, prefix=prefix, after=more, limit=_PAGE, etags=False)
        keys = [entry.key for entry in page.entries if not numbers or numbers.picks(entry.key)]
        more = page.next_after
        for begin in range(0, len(keys), size):
            some = keys[begin:begin + size]
            yield Batch(some, some[-1])
