"""The errors of downloads from http and https sources; a branch of the tree in errors.py.

GatewayError
├── Unsupported: DownloadsDisabled   no host may be downloaded from
├── InvalidRequest
│   ├── InvalidLink                  a link that cannot be used, or could be read in two ways
│   └── SourceRefused                a host or address that may not be downloaded from
├── SourceFault                      the source failed, lied or took too long
│   └── SourceAway                   it may be better at another time
└── DownloadStopped                  somebody wants no more of it
"""

from __future__ import annotations

from app.core.errors import GatewayError, InvalidRequest, Unsupported, printable


class DownloadsDisabled(Unsupported):
    """The settings name no host that may be downloaded from."""

    def __init__(self, _detail: str = "") -> None:
        super().__init__("downloads are off; the setting download.hosts names the hosts that may"
                         " be downloaded from")


class InvalidLink(InvalidRequest):
    """`link` is no URL that can be downloaded from, for `reason`."""

    def __init__(self, link: str, reason: str = "") -> None:
        super().__init__(f"the link '{printable(link)}' cannot be used: {reason}")


class SourceRefused(InvalidRequest):
    """The gateway's settings do not let this host, port or address be downloaded from."""


class SourceFault(GatewayError):
    """The source failed, lied about its content or took too long."""


class SourceAway(SourceFault):
    """The source cannot be reached, broke off or is overloaded: another try may succeed."""


class DownloadStopped(GatewayError):
    """The download was aborted, or has no more time."""
