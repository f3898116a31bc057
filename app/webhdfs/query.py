"""The query of the second step: what of the first one's is asked for again."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from app.web.query import Query

TICKET = "ticket"
"""The parameter that lets in who follows a redirect."""
_NOT_AGAIN = frozenset({"noredirect", "data", "delegation", "user.name", "doas", TICKET})


def lowered(query: Query) -> Query:
    """Return the parameters by names in lower case, as they count: for the audit line, too."""
    told: Query = {}
    for name, values in query.items():
        told.setdefault(name.lower(), []).extend(values)
    return told


def step_query(query: Query) -> str:
    """Return the query of the second step without its ticket; the same for the second step's own.

    Names are in lower case, as they count, and `data=true` says that content follows.
    """
    fields = [(name.lower(), value) for name, values in query.items() for value in values
              if name.lower() not in _NOT_AGAIN]
    return "&".join(f"{quote(name, safe='.')}={quote(value, safe='/')}"
                    for name, value in [*fields, ("data", "true")])
