"""Times as S3 writes them."""

from __future__ import annotations

from datetime import UTC, datetime

_LAST_SECOND = 253402300799  # 9999-12-31: HDFS takes any later time, no date can be written for it


def iso_time(milliseconds: int, *, precise: bool = False) -> str:
    """Return the time of documents: whole seconds, as AWS has them and Last-Modified too.

    `precise` ones have their milliseconds.
    """
    seconds, rest = divmod(milliseconds, 1000)
    when = datetime.fromtimestamp(min(seconds, _LAST_SECOND), UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{rest if precise else 0:03d}Z"
