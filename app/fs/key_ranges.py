"""Where in a directory HDFS lists what S3 wants next: intervals of names, and nothing read.

HDFS compares names by signed bytes, so that at each character what is not ASCII comes first. S3
compares keys by unsigned bytes; there it comes last, a directory counts with its `/`, and escaped
characters (app.core.objects) count as what they stand for. So whatever HDFS lists between a name
`p` and the first `p` + ASCII (`p`'s *group*) has to wait until all of `p` + ASCII is through.

An `Unread` is an interval of HDFS's order with the least text it may hold; nothing that is
greater may be told before it is read. *Text* is what an entry counts as: its part of a key, and
`/` behind it for a directory.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from app.core.objects import COLON, DOT, EMPTY

_SIGNED = bytes((octet + 128) % 256 for octet in range(256))
END = b"\xff" * 1024
"""Greater than every name's order key."""
SPECIAL_TEXTS = ("", "/", ".", "./", "..", "../")
"""What the names U+F02E, twice U+F02E and U+F02F count as, files and directories."""
IN_ORDER = -1
"""The `base` of an interval whose least text does not grow as it is read."""
_MOST = "\U0010ffff"
_MOST_ASCII = "\x7f"
_NEXT = chr(ord(COLON) + 1)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


class Spot(NamedTuple):
    """A position in HDFS's order, and a name to list after so as to get there."""

    key: bytes
    seek: str | None


@dataclass(slots=True, eq=False)
class Unread:
    """The names from `low` up to, without, the order key `high`.

    Their texts are at least `least`. Characters before `base` are known to come in S3's order
    within the interval. `aside` marks one that lies before the place where reading resumed, and
    is mostly empty. `read_from` is the order key at which it was last read, if it was.
    """

    low: Spot
    high: bytes
    least: str
    base: int
    aside: bool = False
    read_from: bytes | None = None

    def read_to(self, name: str) -> None:
        """Go on after `name`, which is in the interval."""
        self.read_from, self.low = self.low.key, past(name)
        if self.base != IN_ORDER:
            self.least = max(self.least, _least_after(name, self.base))


def order_key(name: str) -> bytes:
    """Return bytes that compare as HDFS compares names."""
    return name.encode().translate(_SIGNED)


def as_name(text: str) -> str:
    """Return the beginning of the names whose texts begin with `text`."""
    return text.replace(":", COLON)


def as_text(name: str) -> str:
    """Return the beginning of the texts of names that begin with `name`."""
    return name.replace(COLON, ":")


def at(name: str) -> Spot:
    """Return the position of `name`."""
    return Spot(order_key(name), _before(name))


def past(name: str) -> Spot:
    """Return the position behind `name`, where its group begins."""
    return Spot(order_key(name) + b"\0", name or None)


def beyond(name: str) -> Spot:
    """Return the position behind all names that begin with `name`."""
    return Spot(end_of(name), name + _MOST_ASCII)


def end_of(name: str) -> bytes:
    """Return the first order key that is greater than all of names that begin with `name`."""
    key = order_key(name).rstrip(b"\xff")
    return key[:-1] + bytes((key[-1] + 1,)) if key else END


def end_of_group(name: str) -> Spot:
    """Return the position of the first name that is `name` and goes on in ASCII."""
    return Spot(order_key(name) + b"\x80", name + _MOST)


def everything(stem: str) -> Unread:
    """Return all names that begin with `stem`."""
    return Unread(at(stem), end_of(stem), as_text(stem), len(stem))


def just(name: str) -> Unread:
    """Return the one name `name`: a directory, as files of it come before."""
    return Unread(at(name), past(name).key, f"{as_text(name)}/", IN_ORDER)


def specials() -> Unread:
    """Return the names that stand for an empty part, `.` and `..`."""
    return Unread(at(DOT), end_of(EMPTY), "", IN_ORDER)


def group(name: str, *, colon: bool, special: bool) -> list[Unread]:
    """Return what is `name` and goes on otherwise than in ASCII.

    `colon` says whether to include the names that go on with an escaped colon, `special` (where
    `name` is empty) those that stand for an empty part, `.` and `..`.
    """
    text, base, escaped = as_text(name), len(name) + 1, name + COLON
    low, found = past(name), []
    if not name:
        found.append(Unread(low, order_key(DOT), "\x80", base))
        found.extend([specials()] if special else [])
        low = beyond(EMPTY)
    found.append(Unread(low, order_key(escaped), f"{text}\x80", base))
    if colon:
        found.append(Unread(at(escaped), end_of(escaped), f"{text}:", base))
    found.append(Unread(beyond(escaped), end_of_group(name).key, text + _NEXT, base))
    return found


def after(stem: str, text: str, *, special: bool) -> list[Unread]:
    """Return where names are that begin with `stem` and whose texts are greater than `text`.

    `text` begins with the text of `stem`, has a `/` at its end at most, and is well-formed.
    `special` is as in `group`.
    """
    name = as_name(text.removesuffix("/"))
    found = []
    if not text.endswith("/"):
        found.append(Unread(at(name), end_of(name), text, _base(name, stem)))
    for i in range(len(text) - 1, len(stem) - 1, -1):
        if text[i].isascii():
            _ascii_siblings(found, name[:i], text[i], stem)
            _set_aside(found, name[:i], text[i], special=special)
        else:
            found.extend(_other_siblings(name[:i], text[i]))
    return found


def _ascii_siblings(found: list[Unread], name: str, char: str, stem: str) -> None:
    """Add what is `name` and goes on with an ASCII character greater than `char`."""
    if char < _MOST_ASCII:
        following = chr(ord(char) + 1)
        low, base = at(name + following), _base(name, stem)
        inner = next((one for one in reversed(found) if not one.aside), None)
        if inner and inner.high == low.key and inner.base == base:
            inner.high = end_of(name)
        else:
            found.append(Unread(low, end_of(name), as_text(name) + following, base))


def _set_aside(found: list[Unread], name: str, char: str, *, special: bool) -> None:
    """Add what HDFS lists before `name` + `char` and S3 behind it."""
    missed = group(name, colon=char < ":", special=special)
    if name and char < "/":
        missed.append(just(name))
    for one in missed:
        one.aside = True
    found.extend(missed)


def _other_siblings(name: str, char: str) -> list[Unread]:
    """Return what is `name` and goes on with a character greater than `char`, not ASCII."""
    text, base, high = as_text(name), len(name) + 1, end_of_group(name).key
    if char == _MOST:
        return []
    least = text + chr(ord(char) + 1)
    if char > COLON:
        return [Unread(beyond(name + char), high, least, base)]
    escaped = name + COLON
    found = [Unread(beyond(name + char), order_key(escaped), least, base),
             Unread(beyond(escaped), high, text + _NEXT, base)]
    return [one for one in found if one.low.key < one.high]


def _base(name: str, stem: str) -> int:
    """Return the number of characters up to the last of `name` that is not ASCII."""
    last = max((found.end() for found in _NOT_ASCII.finditer(name)), default=0)
    return max(last, len(stem))


def _least_after(name: str, base: int) -> str:
    """Return the least text of what HDFS lists after `name`."""
    found = _NOT_ASCII.search(name, base)
    return as_text(name[:found.start()] if found else name)


def _before(name: str) -> str | None:
    """Return a name that comes closely before `name`, None before the first."""
    if not name:
        return None
    head, code = name[:-1], ord(name[-1])
    if code == ord("\x80"):
        return head or None
    if code <= 1:
        return head + _MOST
    # A name has no "/" and no ":", nor has UTF-8 surrogates.
    previous = {"/": ".", ":": "9", "\udfff": "\ud7ff"}.get(chr(code - 1), chr(code - 1))
    return head + previous + _MOST_ASCII
