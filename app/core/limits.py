"""How much one user may ask of the gateway; which of several sayings counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

LEAST_RATE = 16 * 1024
"""The least bandwidth in bytes a second: with less, HDFS gives a transfer up before its end."""
_MOST = 10**15


@dataclass(frozen=True, slots=True)
class UserLimits:
    """The limits of a user; None where nothing is said, 0 where there is expressly no limit.

    requests   a second, on average
    burst      requests that may come at once; those of one second where absent or 0
    transfers  under way at the same time
    upload     bytes a second that all bodies of the user's requests bring together
    download   bytes a second that all answers to the user take together
    body       bytes of the largest body
    """

    requests: float | None = None
    burst: int | None = None
    transfers: int | None = None
    upload: int | None = None
    download: int | None = None
    body: int | None = None

    def over(self, others: UserLimits) -> UserLimits:
        """Return these limits, and those of `others` where nothing is said here."""
        return UserLimits(*(
            getattr(others, name) if getattr(self, name) is None else getattr(self, name)
            for name in NAMES))


NAMES = tuple(field.name for field in fields(UserLimits))


def most_generous(several: Iterable[UserLimits]) -> UserLimits:
    """Return the largest of each limit that is said: who has two roles may what either may."""
    given = list(several)

    def largest(name: str) -> Any:
        said = [value for one in given if (value := getattr(one, name)) is not None]
        return 0 if 0 in said else max(said, default=None)

    return UserLimits(*map(largest, NAMES))


def check_limits(given: Any) -> UserLimits:
    """Return the limits of a map as files have it. Raises ValueError with a reason."""
    if not isinstance(given, Mapping):
        raise ValueError(f"{given!r} is not a map of {', '.join(NAMES)}")  # noqa: TRY004
    for name in given:
        if name not in NAMES:
            raise ValueError(f"unknown limit {name!r}; known are {', '.join(NAMES)}")
    return UserLimits(**{name: _number(name, value) for name, value in given.items()})


def _number(name: str, value: Any) -> Any:
    fractions = name == "requests"
    if isinstance(value, bool) or not isinstance(value, int | float if fractions else int):
        kind = "number" if fractions else "whole number"
        raise ValueError(f"{name}: {value!r} is not a {kind}")  # noqa: TRY004
    if not 0 <= value <= _MOST:
        raise ValueError(f"{name}: {value!r} is not a number from 0 to {_MOST}")
    if name in ("upload", "download") and 0 < value < LEAST_RATE:
        raise ValueError(f"{name}: {value!r} is less than {LEAST_RATE} bytes a second")
    return value
