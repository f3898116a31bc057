"""The two kinds of WebHDFS servers, as data; everything that differs between them is here.

Both as of Hadoop 3.4.2.
"""

from __future__ import annotations

from app.fs.port import Flavor

NAMENODE = Flavor(
    name="namenode",
    rename_options=True,
    file_ids=True,
    list_batches=True,
    quotas=True,
    sticky_mkdirs=True,
    one_step_writes=False,
    trims_parameters=False,
)
HTTPFS = Flavor(
    name="httpfs",
    rename_options=False,  # `renameoptions` is ignored: an existing target answers `false`
    file_ids=True,
    list_batches=False,  # LISTSTATUS_BATCH ignores `startAfter` and answers everything
    quotas=False,  # no SETQUOTA
    sticky_mkdirs=False,  # 1777 becomes 777
    one_step_writes=True,
    trims_parameters=True,  # a `/` after a path protects its end, and is dropped then
)
FLAVORS = {flavor.name: flavor for flavor in (NAMENODE, HTTPFS)}

UNKNOWN_OPERATION = "TELLFLAVOR"
"""An operation that no server has: what the answer calls it tells the servers apart."""
HTTPFS_MARK = "HttpFSFileSystem"
"""HttpFS names the class of its operations in that answer, the NameNode does not."""


def by_refusal(message: str) -> Flavor:
    """Return the flavor of the server that refused UNKNOWN_OPERATION with `message`."""
    return HTTPFS if HTTPFS_MARK in message else NAMENODE
