"""How a setting is declared."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.setting_types import Kind


def setting(default: Any, kind: Kind, help_text: str) -> Any:
    """Declare one setting: its default, the values it takes, and what it is for."""
    return field(default=default, metadata={"kind": kind, "help": help_text})
