"""Requests that are more than a limit allows.

GatewayError
└── LimitReached                     more than is allowed at the moment
    ├── UserLimitReached             of one user, or of one address that proved nobody
    └── GatewayLimitReached          of all users together

BodyExpands is a BodyTooLarge: compressed it was small.
"""

from __future__ import annotations

import math

from app.core.errors import BodyTooLarge, GatewayError


class LimitReached(GatewayError):
    """More of `what` than is allowed; the same may be asked again in `retry_after` seconds."""

    text = "{what}"

    def __init__(self, what: str, seconds: float) -> None:
        self.retry_after = max(1, math.ceil(seconds))
        super().__init__(f"{self.text.format(what=what)}; try again in {self.retry_after} seconds")
        self.what = what


class UserLimitReached(LimitReached):
    """The user, or the address of somebody unknown, has used up what it may."""

    text = "too many {what}"


class GatewayLimitReached(LimitReached):
    """All users together have used up what the gateway gives."""

    text = "the gateway has too many {what} at the moment"


class BodyExpands(BodyTooLarge):
    """The body becomes more than `ratio` times as large when it is unpacked."""

    def __init__(self, ratio: int) -> None:
        super().__init__(ratio)
        told = f"the body becomes more than {ratio} times as large when it is unpacked"
        self.args = (f"{told} (limits.gzip_ratio)",)
