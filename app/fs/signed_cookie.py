"""The cookie by which a Hadoop server knows again whom it has authenticated (AuthenticatedURL)."""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.fs.answer import Answer

NAME = "hadoop.auth"
RENEWED_AFTER = 0.8
"""The part of its life after which a cookie is replaced,"""
TRUSTED_FOR = 0.98
"""and that after which it is not shown any more."""
_VALUE = re.compile(r'"[!#-+\--:<-\[\]-~]+"|[!#-+\--:<-\[\]-~]+')
_EXPIRY = re.compile(r"(?:^\"?|&)e=(\d{1,18})(?:&|\"?$)")


class SignedCookie:
    """A secret. `headers` shows it; the times are of the monotonic clock.

    `proven` is when the server was last known to take it: restarted, it may not.
    """

    __slots__ = ("ends", "headers", "proven", "renew_at")

    def __init__(self, value: str, life: float, now: float) -> None:
        self.headers: Mapping[str, str] = {"Cookie": f"{NAME}={value}"}
        self.renew_at = now + life * RENEWED_AFTER
        self.ends = now + life * TRUSTED_FOR
        self.proven = now


def signed_cookie(answer: Answer, now: float) -> SignedCookie | None:
    """Return the cookie that an answer sets, None where it sets none or an empty one."""
    for field in answer.values("set-cookie"):
        name, _, value = field.partition(";")[0].partition("=")
        if name.strip() == NAME and _VALUE.fullmatch(value.strip()):
            return SignedCookie(value.strip(), _life(value.strip(), answer), now)
    return None


def _life(value: str, answer: Answer) -> float:
    """Return for how many seconds the server will take it, by the server's own clock."""
    expiry = _EXPIRY.search(value)
    if expiry is None or expiry[1] == "0":
        return float("inf")
    try:
        said = parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError):
        said = time.time()
    return max(0.0, int(expiry[1]) / 1000 - said)
