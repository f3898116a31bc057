"""The errors of the read cache: what an admin asks of its directories, and that there is none.

GatewayError
├── Unsupported
│   └── CacheDisabled                no mountpath is configured
├── StorageFault
│   └── NotCached                    the disks do not take it
└── InvalidRequest
    ├── NoSuchMountpath              the cache has no such directory
    ├── MountpathExists              it has it already
    ├── MountpathUnchanged           it is enabled, or disabled, already
    └── MountpathUnusable            it cannot be written, or is somebody else's
"""

from __future__ import annotations

from app.core.errors import InvalidRequest, StorageFault, Unsupported, printable


class CacheDisabled(Unsupported):
    """Something needs the read cache, and it is off."""

    def __init__(self) -> None:
        super().__init__("the read cache is off; set cache.mountpaths to directories for it")


class NotCached(StorageFault):
    """A file was to be brought into the cache, and its disks do not take it."""


class MountpathRefused(InvalidRequest):
    """What was asked of the mountpath `path` cannot be done."""

    text = "mountpath {path} is refused"

    def __init__(self, path: str, detail: str = "") -> None:
        text = self.text.format(path=printable(path))
        super().__init__(f"{text}: {detail}" if detail else text)
        self.path = path


class NoSuchMountpath(MountpathRefused):
    """The cache has no such mountpath."""

    text = "mountpath {path} does not exist"


class MountpathExists(MountpathRefused):
    """The cache has this mountpath already."""

    text = "mountpath {path} already exists"


class MountpathUnchanged(MountpathRefused):
    """The mountpath is already as it is to be."""

    text = "mountpath {path} is so already"


class MountpathUnusable(MountpathRefused):
    """The directory cannot hold cached parts of files."""

    text = "mountpath {path} cannot be used"
