"""What one download fetches: links and the names of the objects that they become.

A plan is kept as JSON with its job. Long lists are templates there too, and each object is made
from its number when its turn comes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from app.core.errors import InvalidParameter, MissingParameter
from app.core.objects import names_of_key
from app.core.templates import Template, parse
from app.downloads.links import object_name, parse_link

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from app.downloads.links import Link

_MAX_DIGITS = 18
_BREATHE = 256
"""So many links are looked at before other requests have their turn."""


class Item(NamedTuple):
    """One object: its name, and where it comes from."""

    name: str
    link: str


class Plan(NamedTuple):
    """The objects of a download by their numbers, from 0 to `total` - 1; `spec` is the plan kept.

    `item` makes one of its number; it raises InvalidLink where a link has no name in it. `link`
    tells its link alone, which is quick.
    """

    total: int
    item: Callable[[int], Item]
    spec: Mapping[str, Any]
    link: Callable[[int], str]

    def check(self, check_host: Callable[[Link], None]) -> None:
        """Raise what is wrong with an object; of a template the first and the last are looked at.

        Raises InvalidLink, SourceRefused, InvalidKey, KeyTooLong.
        """
        numbers = range(self.total) if "objects" in self.spec else {0, self.total - 1}
        for count, number in enumerate(numbers):
            item = self.item(number)
            check_host(parse_link(item.link))
            names_of_key(item.name)
            if count % _BREATHE == _BREATHE - 1:
                time.sleep(0)

    def find(self, item: Item) -> int | None:
        """Return the number of an object, None where it is none of this plan."""
        for number in range(self.total):
            if self.link(number) == item.link and self.item(number) == item:
                return number
            if number % _BREATHE == _BREATHE - 1:
                time.sleep(0)
        return None


def listed(objects: Sequence[Item]) -> Plan:
    """Return the plan of these objects.

    Raises InvalidParameter where there is none, or a name stands for two links.
    """
    if not objects:
        raise InvalidParameter("objects", "", "at least one link")
    seen: dict[str, str] = {}
    for name, link in objects:
        if seen.setdefault(name, link) != link:
            raise InvalidParameter("objects", name, "a name of its own for each object")
    return of_spec({"objects": list(map(list, seen.items()))})


def ranged(template: str, subdir: str) -> Plan:
    """Return the plan of all links that a template stands for, named by their last parts.

    Raises InvalidParameter, InvalidLink.
    """
    parsed = parse(template)
    # All ranges must show in the names, or one would stand for several links.
    path = parsed.texts[0].rpartition("://")[2]
    if "/" not in path or any(set("/?#") & set(text) for text in parsed.texts[1:-1]) or (
            set("?#") & set(path)) or "/" in parsed.texts[-1].partition("?")[0]:
        raise InvalidParameter("template", template, "ranges in the last part of the path alone,"
                               " from which the objects have their names")
    return of_spec({"template": template, "subdir": subdir.strip("/")})


def numbered(
    base: str, prefix: str, suffix: str, *, start: int, end: int, step: int, digits: int,
) -> Plan:
    """Return the plan of `base` and `prefix`, a number, `suffix`; named by all but the base.

    Raises InvalidParameter.
    """
    if not base:
        raise MissingParameter("base", "the URL that all links begin with")
    if end < start:
        raise InvalidParameter("end", str(end), f"not less than start ({start})")
    return of_spec({
        "base": base if base.endswith("/") else f"{base}/", "prefix": prefix, "suffix": suffix,
        "start": start, "end": end, "step": step, "digits": min(digits, _MAX_DIGITS)})


def of_spec(spec: Mapping[str, Any]) -> Plan:
    """Return the plan that was kept."""
    if "objects" in spec:
        objects = spec["objects"]
        return Plan(len(objects), lambda number: Item(*objects[number]), spec,
                    lambda number: str(objects[number][1]))
    if "template" in spec:
        links = parse(spec["template"])
        directory = f"{spec['subdir']}/" if spec["subdir"] else ""

        def item(number: int) -> Item:
            link = links.name(number)
            return Item(directory + object_name(link), link)

        return Plan(links.total, item, spec, links.name)
    names = Template((spec["prefix"], spec["suffix"]),
                     (range(spec["start"], spec["end"] + 1, spec["step"]),), (spec["digits"],))

    def link_of(number: int) -> str:
        return str(spec["base"]) + names.name(number)

    return Plan(names.total, lambda number: Item(names.name(number), link_of(number)), spec,
                link_of)
