"""One operation of WebHDFS."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from werkzeug import Response

    from app.webhdfs.call import WebHdfsCall

View = Callable[["WebHdfsCall"], "Response"]


class Operation(NamedTuple):
    """What serves `op=name` of a method; `secret` answers are for programs, never for pages."""

    method: str
    name: str
    view: View
    secret: bool = False

    @property
    def harmless(self) -> bool:
        """Tell whether a page of another origin may ask for it."""
        return self.method == "GET" and not self.secret
