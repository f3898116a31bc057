"""Where the gateway keeps its own: the data directory and the state store."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from app.core.errors import StorageFault
from app.state import open_store, shown
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from app.checks.report import Report
    from app.settings import Settings

DATA, STATE = "data_dir", "state store"
MAGIC = b"SQLite format 3\0"
_NO_TABLE = ("42P01", "3F000")
"""PostgreSQL's codes for a table and a schema that are not there."""


def check_storage(settings: Settings, report: Report) -> None:
    """Look whether both can be used, without making anything."""
    check_directory(settings.data_dir, DATA, report)
    for mountpath in map(type(settings.data_dir), settings.cache.mountpaths):
        check_directory(mountpath, "cache", report)
    _check_store(settings, report)


def check_directory(directory: Path, about: str, report: Report) -> None:
    """Look whether a directory is there and can be written to, or can be made."""
    try:
        found = _nearest(directory)
    except OSError as error:
        report.wrong(about, f"{directory} cannot be looked at: {error.strerror}",
                     f"let {_who()} go into the directories above it")
        return
    if not found.is_dir():
        report.wrong(about, f"{directory}: {found} is no directory", "name another directory")
    elif not _may_write(found):
        report.wrong(about, f"{directory}: {_who()} may not write to {found}",
                     f"chown it, or run this as the gateway's user: mkdir -p {directory} &&"
                     f" chown httpfs-proxy {directory}")
    elif found == directory:
        report.right(about, f"{directory} can be written to by {_who()}")
    else:
        report.right(about, f"{directory} is not there yet: the gateway makes it")


def _check_store(settings: Settings, report: Report) -> None:
    url = settings.state_url
    if url == "sqlite:" or url.startswith("sqlite:///"):
        name = url.removeprefix("sqlite:").removeprefix("//")
        _check_file(type(settings.data_dir)(name) if name else settings.data_dir / "state.db",
                    report)
        return
    try:
        open_store(url, settings.data_dir, makes=False).get("ready", "probe")
    except ConfigError as error:
        report.wrong(STATE, str(error), "see the setting state_url")
    except StorageFault as fault:
        if any(code in str(fault) for code in _NO_TABLE):
            report.right(STATE, f"{shown(url)} answers; its table is not there yet: the gateway"
                         " makes it")
        else:
            report.wrong(STATE, f"{shown(url)} cannot be used: {fault}",
                         "start the server, or mend its address, user or password in state_url")
    else:
        report.right(STATE, f"{shown(url)} answers")


def _check_file(file: Path, report: Report) -> None:
    if not file.exists():
        check_directory(file.parent, STATE, report)
        return
    try:
        with file.open("rb") as stream:
            begins = stream.read(len(MAGIC))
    except OSError as error:
        report.wrong(STATE, f"{file} cannot be read: {error.strerror}", f"give it to {_who()}")
        return
    if begins not in (b"", MAGIC):
        report.wrong(STATE, f"{file} is no database of SQLite",
                     "name another file in state_url, or move this one away")
    elif not _may_write(file) or not _may_write(file.parent):
        report.wrong(STATE, f"{_who()} may not write to {file} and its directory",
                     f"chown httpfs-proxy {file} {file.parent}")
    else:
        report.right(STATE, f"{file} can be read and written")


def _nearest(directory: Path) -> Path:
    """Return the directory, or what there is above it."""
    current = directory.absolute()
    while not current.exists():
        current = current.parent
    return directory if current == directory.absolute() else current


def _may_write(place: Path) -> bool:
    needed = os.R_OK | os.W_OK | (os.X_OK if place.is_dir() else 0)
    return os.access(place, needed, effective_ids=True)


def _who() -> str:
    return f"the user with the id {os.geteuid()}, who runs this,"
