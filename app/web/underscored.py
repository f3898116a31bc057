"""Headers whose names have underscores: only those of S3's metadata are ever seen.

In a WSGI environment `-` and `_` are one, so a server drops such names, lest a client sends
`X_Forwarded_For` past a proxy. But `x-amz-meta-a_b` is what S3 clients call the metadata `a_b`,
and they sign it. So gunicorn is told to take these names (`header_map` in its configuration), the
hook in `app.web.server` takes them out again before the environment is made, and those of
metadata come here beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "x-amz-meta-"
_NONE: Mapping[str, str] = {}


def taken_out(request: Any) -> Mapping[str, str]:
    """Take names with underscores out of a gunicorn request's headers; return the metadata.

    By lower-case names; repeated ones are joined by commas.
    """
    if not any("_" in name for name, _ in request.headers):
        return _NONE
    found: dict[str, str] = {}
    for name, value in request.headers:
        lower = name.lower()
        if "_" in lower and lower.startswith(PREFIX):
            found[lower] = f"{found[lower]},{value}" if lower in found else value
    request.headers = [pair for pair in request.headers if "_" not in pair[0]]
    return found


def underscored(environ: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the metadata headers of a request that its WSGI environment cannot hold."""
    found: Mapping[str, str] = getattr(environ["wsgi.input"], "underscored", _NONE)
    return found
