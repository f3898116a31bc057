"""The name of this gateway among all that share a state store, the same after a restart."""

from __future__ import annotations

import re
import secrets
import socket
from typing import TYPE_CHECKING

from app.core.errors import StorageFault

if TYPE_CHECKING:
    from pathlib import Path

_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


def node_id(data_dir: Path) -> str:
    """Return the id that lies in `data_dir`, made of the host's name where there is none yet.

    Of several workers that come first, one makes it. Raises StorageFault for a file that holds
    something else.
    """
    file = data_dir / "node-id"
    if not file.exists():
        host = re.sub("[^a-z0-9]+", "-", socket.gethostname().lower()).strip("-")[:32]
        own = file.with_name(f".node-id-{secrets.token_hex(4)}")
        own.write_text(f"{host or 'node'}-{secrets.token_hex(4)}\n")
        try:
            file.hardlink_to(own)
        except FileExistsError:
            pass
        finally:
            own.unlink()
    text = file.read_text().strip()
    if not _ID.fullmatch(text):
        raise StorageFault(f"{file} holds no node id: letters, digits and '-'")
    return text
