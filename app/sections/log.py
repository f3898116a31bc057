"""What can be set of what is written down."""

from __future__ import annotations

from dataclasses import dataclass

from app.sections.declaring import setting
from app.setting_types import Choice, Text

LOG_LEVEL = Choice("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is written down."""

    level: str = setting("INFO", LOG_LEVEL, (
        "Log level. AIStore's set-config changes it at run time as `log.level`."))
    audit: str = setting("-", Text(), (
        "Where the audit lines go, one JSON object a request: `-` is standard output, `` is"
        " nowhere, else a file that is appended to and reopened when it was moved away."))
