"""Which paths a principal may read and write, on top of what HDFS lets its Hadoop user do.

A layer of rules allows by some globs and denies by others: a denial always wins, and where anything
is allowed by name, nothing else is. Several layers (a user's rules, the scope of the token they
came with) all have to allow. What is on the way to something allowed can be seen, and nothing
beside it.

A path is judged by all that it stands for: what lies in a snapshot (`/a/.snapshot/s1/b`) or in a
trash (`/user/alice/.Trash/Current/a/b`) by the place that it is of as well. Hidden names are the
gateway's own, and go by the directory that they are in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from app.core.errors import AccessDenied
from app.core.paths import HIDDEN_MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.core.path_globs import Glob

SNAPSHOT = ".snapshot"
TRASH = ".Trash"
RESERVED = ".reserved"
_SPECIAL = (SNAPSHOT, TRASH, RESERVED)
_CHECKPOINT = re.compile(r"Current|[0-9]{10,}(-[0-9]+)?")
"""A directory of a trash (TrashPolicyDefault): what was removed lately, or until some time."""
_ONCE_MORE = re.compile(r"(.+?)[0-9]{13}", re.DOTALL)
"""A name that the trash had already: the epoch milliseconds tell the two apart (there, too)."""


class PathForbidden(AccessDenied):
    """The principal's path rules do not allow this."""

    text = "not allowed by the path rules of this user: {path}"


class Right(IntEnum):
    """What rules are about."""

    READ = 0
    WRITE = 1


class Verdict(IntEnum):
    """What rules say of a path and a right."""

    DENIED = 0
    WAY = 1
    """The path itself is not allowed, but something below it may be."""
    ALLOWED = 2


class Tree(IntEnum):
    """What rules say of all that may be below an allowed path."""

    PARTLY = 0
    """Something is denied that has its place there."""
    UNKNOWN = 1
    """Something that may lie anywhere is denied: whether there is any has to be looked at."""
    WHOLE = 2


@dataclass(frozen=True, slots=True)
class Layer:
    """Globs by right. `closed`: only what `allow` has is allowed."""

    allow: tuple[tuple[Glob, ...], tuple[Glob, ...]] = ((), ())
    deny: tuple[tuple[Glob, ...], tuple[Glob, ...]] = ((), ())
    closed: bool = False

    def merged(self, other: Layer) -> Layer:
        """Return what allows all that either does, and denies all that either does."""
        return Layer(
            (self.allow[0] + other.allow[0], self.allow[1] + other.allow[1]),
            (self.deny[0] + other.deny[0], self.deny[1] + other.deny[1]),
            self.closed or other.closed)


@dataclass(frozen=True, slots=True)
class PathRules:
    """All layers; without any, everything is allowed."""

    layers: tuple[Layer, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there are rules at all."""
        return bool(self.layers)

    def narrowed(self, layer: Layer) -> PathRules:
        """Return the rules with one more layer that has to allow."""
        return PathRules((*self.layers, layer))

    def verdict(self, path: str, right: Right) -> Verdict:
        """Return what may be done at `path`, an absolute HDFS path."""
        if not self.layers:
            return Verdict.ALLOWED
        names, hidden = _shown(path)
        forms = _forms(names)
        found = min((_judged(layer, forms, right) for layer in self.layers),
                    default=Verdict.ALLOWED) if forms else Verdict.DENIED
        return Verdict.ALLOWED if hidden and found else found

    def sees(self, path: str) -> Verdict:
        """Return the better verdict of both rights: who may do either knows of the path."""
        return max(self.verdict(path, Right.READ), self.verdict(path, Right.WRITE))

    def tree(self, path: str, right: Right) -> Tree:
        """Return what is true of all below an allowed `path`.

        In a trash, `/user/alice/.Trash` or `/zone/.Trash/alice`, anything may have its place.
        """
        names = _shown(path)[0]
        forms = _forms(names)
        most = Tree.UNKNOWN if TRASH in names[-2:] else Tree.WHOLE
        return min((min(most, _tree(glob, form)) for layer in self.layers
                    for glob in layer.deny[right] for form in forms), default=Tree.WHOLE)

    def within(self, directory: str) -> Callable[[str], Verdict]:
        """Return `sees` for the names in a directory: it costs little for each of very many."""
        if not self.layers:
            return lambda _name: Verdict.ALLOWED
        names, hidden = _shown(directory)
        if hidden or any(name in _SPECIAL for name in names):
            return lambda name: self.sees(f"{directory.rstrip('/')}/{name}")
        spots = [_Spot(layer, right, names) for right in Right for layer in self.layers]
        half = len(self.layers)

        def sees(name: str) -> Verdict:
            if name in _SPECIAL:
                return self.sees(f"{directory.rstrip('/')}/{name}")
            verdicts = [spot.below(name) for spot in spots]
            return max(min(verdicts[:half]), min(verdicts[half:]))

        return sees


class _Spot:
    """How far the globs of a layer have matched at a directory."""

    def __init__(self, layer: Layer, right: Right, names: Sequence[str]) -> None:
        self._closed = layer.closed
        self._allow = [(glob, glob.run(names)) for glob in layer.allow[right]]
        self._deny = [(glob, glob.run(names)) for glob in layer.deny[right]]
        self._allow = [(glob, state) for glob, state in self._allow if state]
        self._deny = [(glob, state) for glob, state in self._deny if state]

    def below(self, name: str) -> Verdict:
        if any(glob.covers(glob.step(state, name)) for glob, state in self._deny):
            return Verdict.DENIED
        if not self._closed:
            return Verdict.ALLOWED
        states = [(glob, glob.step(state, name)) for glob, state in self._allow]
        return _of_states(states)


def _judged(layer: Layer, forms: Sequence[Sequence[str]], right: Right) -> Verdict:
    for form in forms:
        if any(glob.covers(glob.run(form)) for glob in layer.deny[right]):
            return Verdict.DENIED
    if not layer.closed:
        return Verdict.ALLOWED
    return _of_states([(glob, glob.run(form)) for glob in layer.allow[right] for form in forms])


def _of_states(states: Sequence[tuple[Glob, int]]) -> Verdict:
    if any(glob.covers(state) for glob, state in states):
        return Verdict.ALLOWED
    return Verdict.WAY if any(state for _, state in states) else Verdict.DENIED


def _tree(glob: Glob, form: Sequence[str]) -> Tree:
    state = glob.run(form)
    if not state:
        return Tree.WHOLE
    return Tree.UNKNOWN if not glob.covers(state) and glob.floats(state) else Tree.PARTLY


def _shown(path: str) -> tuple[list[str], bool]:
    """Return the names of a path up to the first hidden one, and whether there is one."""
    names = [name for name in path.split("/") if name]
    if HIDDEN_MARK in path:
        for place, name in enumerate(names):
            if name.startswith(HIDDEN_MARK):
                return names[:place], True
    return names, False


def _forms(names: list[str]) -> list[list[str]]:
    """Return what a path stands for, itself first; nothing where that cannot be known."""
    if not any(name in _SPECIAL for name in names):
        return [names]
    if RESERVED in names:
        return []
    forms = [names]
    while SNAPSHOT in forms[-1]:
        place = forms[-1].index(SNAPSHOT)
        forms.append(forms[-1][:place] + forms[-1][place + 2:])
    plain = forms[-1]
    while TRASH in plain:
        below = plain[plain.index(TRASH) + 1:]
        # In an encryption zone a directory of the user's own stands before the checkpoint.
        skip = next((place for place, name in enumerate(below[:2], 1)
                     if _CHECKPOINT.fullmatch(name)), 0)
        plain = below[skip:] if skip else []
        if skip:
            forms += [plain, [_before_trash(name) for name in plain]]
    return forms


def _before_trash(name: str) -> str:
    """Return how something in the trash may have been called."""
    match = _ONCE_MORE.fullmatch(name)
    return match[1] if match else name
