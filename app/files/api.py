"""The file API's operations register here; parameters that several share are declared here."""

from __future__ import annotations

from app.web.operations import Api
from app.web.params import AnyText, FlagText, OctalMode, Param, PathText, WholeNumber

api = Api("files", "/f")

PATH: Param[str] = Param("path", PathText(), "The file or directory.", "", required=True)
PATH_OR_HOME: Param[str] = Param(
    "path", PathText(), "The file or directory; empty is the home directory.", "",
    required=True, empty_ok=True)
RECURSIVE: Param[bool] = Param(
    "recursive", FlagText(), "Remove a directory with all it holds.", False)
SKIP_TRASH: Param[bool] = Param(
    "skip-trash", FlagText(), "Remove for good; false moves to the user's trash.", True)
OVERWRITE: Param[bool] = Param("overwrite", FlagText(), "Replace the file where one exists.", False)
PERMISSION: Param[str | None] = Param("permission", OctalMode(), "The octal mode.", None)
NEW_MODE: Param[str] = Param("permission", OctalMode(), "The octal mode to set.", "", required=True)
REPLICATION: Param[int | None] = Param(
    "replication", WholeNumber(0), "The replication factor; absent, the cluster's default.", None)
NEW_REPLICATION: Param[int] = Param(
    "replication", WholeNumber(0), "The replication factor to set.", 0, required=True)
OFFSET: Param[int | None] = Param("offset", WholeNumber(0), "The position of the first byte.", None)
LENGTH: Param[int | None] = Param("length", WholeNumber(0), "How many bytes at most.", None)
DESTINATION: Param[str] = Param(
    "destination", PathText(), "The new path, or a directory to move into.", "", required=True)
LIMIT: Param[int | None] = Param("limit", WholeNumber(1), "How many entries at most.", None)
START_AFTER: Param[str | None] = Param(
    "start-after", AnyText("a name"), "List what follows this name in HDFS's order.", None)

STATUS_SCHEMA = {
    "type": "object",
    "required": ["type", "pathSuffix", "permission", "length", "blockSize", "accessTime",
                 "modificationTime", "owner", "group", "replication"],
    "properties": {
        "type": {"enum": ["FILE", "DIRECTORY", "SYMLINK"]},
        "pathSuffix": {"type": "string", "description": "The name below the listed path."},
        "permission": {"type": "string", "description": "The octal mode, e.g. 644."},
        "length": {"type": "integer", "description": "Bytes; 0 for a directory."},
        "blockSize": {"type": "integer", "description": "Bytes."},
        "accessTime": {"type": "integer", "description": "Milliseconds since the epoch."},
        "modificationTime": {"type": "integer", "description": "Milliseconds since the epoch."},
        "owner": {"type": "string"},
        "group": {"type": "string"},
        "replication": {"type": "integer", "description": "0 for a directory."},
    },
}
