"""One request to Alluxio's API as its view sees it."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import EnvironHeaders

from app.core.errors import InvalidPath, MissingParameter
from app.core.paths import ROOT, parent_of, resolve
from app.fs.entries import Entries
from app.web.body import RequestBody

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.identity import Principal
    from app.fs.stream_handles import FileStreams
    from app.fs.stream_records import OpenedFile
    from app.web.exchange import Exchange
    from app.web.query import Query
    from app.web.services import Services


@dataclass(slots=True)
class AlluxioCall:
    """One request whose caller is known.

    `given` is the path as the URL has it, decoded; `stream_id` is 0 where the URL names none.
    `options` are those of the JSON body by name, see `option_reading`.
    """

    services: Services
    exchange: Exchange
    principal: Principal
    given: str
    stream_id: int
    query: Query
    options: Mapping[str, Any]
    _files: Entries | None = field(default=None, init=False)

    @property
    def files(self) -> Entries:
        """The caller's files and directories."""
        if self._files is None:
            services, principal = self.services, self.principal
            self._files = Entries(
                principal, services.fs_of(principal), services.staging)
        return self._files

    def look_again(self) -> None:
        """Forget the mounts as they were when `files` was first asked for."""
        self._files = None

    @property
    def streams(self) -> FileStreams:
        """The caller's streams."""
        return self.services.streams_of(self.principal)

    @property
    def path(self) -> str:
        """The path in question, absolute and normalised, as the caller sees it.

        Raises InvalidPath, also for what is relative: Alluxio knows no home directories.
        """
        return normalised(self.given)

    def written(self) -> OpenedFile | None:
        """Return the file that a stream is writing at the path, where HDFS has none.

        Its directory may have been removed meanwhile, and then nothing is there.
        """
        opened = self.streams.written_at(self.path)
        if opened and not self.files.is_missing(parent_of(opened.path)):
            return opened
        return None

    @property
    def headers(self) -> EnvironHeaders:
        """The request's headers."""
        return EnvironHeaders(self.exchange.environ)

    def required(self, name: str) -> str:
        """Return a parameter of the query. Raises MissingParameter."""
        values = self.query.get(name)
        if not values or not values[0]:
            raise MissingParameter(name, "a path")
        return values[0]

    def body(self) -> RequestBody:
        """Return the body, its headers checked. Raises InvalidRequest and kin."""
        web = self.services.settings.web
        body = RequestBody(self.exchange, max_bytes=web.max_body, timeout=web.body_timeout)
        body.check()
        return body


def normalised(path: str) -> str:
    """Return an absolute path without empty, `.` and `..` names. Raises InvalidPath."""
    if not path.startswith("/"):
        raise InvalidPath(path, "")
    return resolve(path, root=ROOT, home=ROOT)


def shown(path: str) -> str:
    """Return a path for logs: doubled and trailing slashes fall away, right or wrong as it is."""
    return posixpath.normpath("/" + path.lstrip("/")) if path.startswith("/") else path
