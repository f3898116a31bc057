"""Settings of the limits on what users and strangers may ask, alone and together."""

from __future__ import annotations

from dataclasses import dataclass

from app.sections.declaring import setting
from app.setting_types import AtLeast, PerSecond, Rate


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """How much may be asked; 0 is no limit. All worker processes of a gateway count together."""

    requests: float = setting(0.0, PerSecond(), (
        "Requests a second of all users and strangers together; more are answered 503 with a"
        " Retry-After. `/healthz` and `/readyz` do not count."))
    burst: int = setting(0, AtLeast(0), (
        "So many requests may come at once; 0: those of one second."))
    transfers: int = setting(0, AtLeast(0), (
        "Transfers under way at the same time: requests whose body, or whose answer, has more than"
        " 64 KiB or an unknown length."))
    upload: int = setting(0, Rate(), (
        "Bytes a second of all request bodies together. What is more is not refused, but waits."))
    download: int = setting(0, Rate(), "Bytes a second of all answers together, likewise.")
    user_requests: float = setting(0.0, PerSecond(), (
        "Requests a second of each user; more are answered 429. Of this and the five that follow, a"
        " user's `limits` in the users file say otherwise."))
    user_burst: int = setting(0, AtLeast(0), "Like `burst`, of each user.")
    user_transfers: int = setting(0, AtLeast(0), "Like `transfers`, of each user.")
    user_upload: int = setting(0, Rate(), "Like `upload`, of each user.")
    user_download: int = setting(0, Rate(), "Like `download`, of each user.")
    user_body: int = setting(0, AtLeast(0), (
        "Bytes of each user's largest request body, as stored; `web.max_body` is above it."))
    address_requests: float = setting(0.0, PerSecond(), (
        "Requests a second, from one client address (of IPv6: one /64 network), that prove nobody:"
        " without credentials or with wrong ones. More are answered 429."))
    address_burst: int = setting(0, AtLeast(0), "Like `burst`, of each such address.")
    slowest_upload: int = setting(64, AtLeast(0), (
        "Bytes a second that a client must send of a body, on average over the time that it was"
        " waited for, after `web.body_timeout`; who is slower is given up. 0: however slow."))
    gzip_ratio: int = setting(200, AtLeast(0, 1100), (
        "A gzip body that has more than 64 MiB and more than so many times its size unpacked is"
        " refused with 413. 0: whatever it becomes."))
