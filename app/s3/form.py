"""The two forms of a document: AWS's, and the one of Alluxio's REST API for `plain` callers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from werkzeug import Response

from app.s3.errors import PREFIX
from app.s3.xml import DECLARATION, XML_TYPE, answer
from app.web.roots import ROOTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.s3.call import S3Call
    from app.s3.xml import Field

_INDENT = "  "
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})


def document(call: S3Call, root: str, fields: Sequence[Field]) -> Response:
    """Return an answer with a document, in the form that the caller knows."""
    if not call.plain:
        return answer(root, fields)
    lines = [f'<{root} xmlns="">', *_lines(fields, _INDENT), f"</{root}>"]
    return Response((DECLARATION + "\n".join(lines)).encode("utf-8", "backslashreplace"),
                    content_type=XML_TYPE)


def _lines(fields: Sequence[Field], indent: str) -> list[str]:
    """Return each element on a line of its own, as Alluxio 1.x writes what is not a listing."""
    lines = []
    for name, content in fields:
        if isinstance(content, list | tuple):
            lines += [f"{indent}<{name}>", *_lines(content, indent + _INDENT),
                      f"{indent}</{name}>"]
        else:
            text = str(content).lower() if isinstance(content, bool) else str(content or "")
            lines.append(f"{indent}<{name}>{text.translate(_ESCAPES)}</{name}>")
    return lines


def location(call: S3Call) -> str:
    """Return where the object is: its URL, or for `plain` callers bucket and key."""
    if call.plain:
        return call.resource
    base = call.services.settings.web.public_url.rstrip("/") or call.exchange.origin.base_url
    below = "" if call.rooted else PREFIX
    # Where the host's name begins with the bucket's, the path has the key alone.
    bucket = "" if call.exchange.environ.get(ROOTED) else f"/{quote(call.bucket)}"
    return f"{base}{below}{bucket}/{quote(call.key, safe='/-._~')}"
