"""What is wrong with a cluster's Kerberos settings, in sentences for the one who made them."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from requests import exceptions

from app.fs.authentication import login
from app.fs.kerberos_faults import KerberosFault
from app.fs.negotiation import Negotiation
from app.fs.pool import Limits
from app.fs.transport import UpstreamSession
from app.fs.trust import upstream_context
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from app.settings import BackendSettings

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def problems(settings: BackendSettings) -> list[str]:
    """Return one sentence for each problem, none where all is well or Kerberos is not used.

    The keytab is looked at, a ticket is got from the KDC, and each server is negotiated with; it
    takes as long as these take. Nothing secret is in the sentences.
    """
    if not settings.principal and not settings.keytab:
        return []
    try:
        asking = login(settings)
        session = UpstreamSession(
            Limits(settings.connect_timeout, settings.read_timeout), upstream_context(settings))
    except ConfigError as error:
        return [str(error)]
    found = _exposed(Path(settings.keytab))
    try:
        asking.credentials()
    except KerberosFault as fault:
        whose = f"backend.keytab '{settings.keytab}', principal {settings.principal}"
        return [*found, f"{whose}: {_sentence(fault)}"]
    for server in settings.url:
        try:
            Negotiation(asking, session, settings.read_timeout).run(server, lambda: None)
        except exceptions.RequestException as error:
            found.append(f"{server}: {_sentence(error)}")
    session.close()
    return found


def _exposed(keytab: Path) -> list[str]:
    try:
        mode = keytab.stat().st_mode
    except OSError:
        return []
    if not mode & OTHERS:
        return []
    shown = f"{stat.S_IMODE(mode):04o}"
    return [f"backend.keytab '{keytab}' is open to others than its owner ({shown}): chmod 600 it"]


def _sentence(error: exceptions.RequestException) -> str:
    detail = error.detail if isinstance(error, KerberosFault) else ""
    return f"{error} ({detail})" if detail else str(error)
