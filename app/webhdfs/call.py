"""One request to WebHDFS as its view sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from app.fs.hdfs_files import HdfsFiles
from app.web.body import RequestBody
from app.webhdfs.errors import PREFIX

if TYPE_CHECKING:
    from app.auth.delegation import DelegationTokens
    from app.auth.errands import Errands
    from app.core.identity import Principal
    from app.web.exchange import Exchange
    from app.web.services import Services
    from app.webhdfs.given import Given


@dataclass(slots=True)
class WebHdfsCall:
    """One request whose caller is known.

    `path` is absolute and normalised, as the caller writes it. `by_token`: the caller is known by a
    token of any kind, not by credentials.
    """

    services: Services
    tokens: DelegationTokens
    errands: Errands
    exchange: Exchange
    principal: Principal
    path: str
    given: Given
    by_token: bool
    _files: HdfsFiles | None = field(default=None, init=False)

    @property
    def files(self) -> HdfsFiles:
        """The caller's files and directories."""
        if self._files is None:
            services, principal = self.services, self.principal
            self._files = HdfsFiles(
                principal, services.fs_of(principal), services.staging)
        return self._files

    @property
    def base_url(self) -> str:
        """The gateway's URL as the caller knows it, without a slash at the end."""
        public = self.services.settings.web.public_url.rstrip("/")
        return public or self.exchange.origin.base_url

    def url(self, query: str = "") -> str:
        """Return the URL of the path in question."""
        url = f"{self.base_url}{PREFIX}{quote(self.path, safe='/=')}"
        return f"{url}?{query}" if query else url

    def body(self) -> RequestBody:
        """Return the body, its headers checked. Raises InvalidRequest and kin."""
        web = self.services.settings.web
        body = RequestBody(self.exchange, max_bytes=web.max_body, timeout=web.body_timeout)
        body.check()
        return body
