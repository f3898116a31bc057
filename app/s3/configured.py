"""What a bucket or object can be configured with in AWS and never is here, told as AWS tells it.

Clients ask for these before they do something else and depend on the answer for "nothing is
configured". Setting any of them is not implemented; removing what is not there is done already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.s3.errors import S3Error
from app.s3.xml import answer, empty

if TYPE_CHECKING:
    from werkzeug import Response

    from app.s3.call import S3Call
    from app.s3.table import View
    from app.s3.xml import Field


def absent(code: str) -> View:
    """Return a view that answers the error `code`, where bucket and object are there."""

    def view(call: S3Call) -> Response:
        _look(call)
        raise S3Error(code)

    return view


def unset(root: str, *fields: Field) -> View:
    """Return a view that answers a document without settings."""

    def view(call: S3Call) -> Response:
        _look(call)
        return answer(root, fields)

    return view


def removed(call: S3Call) -> Response:
    """Answer that a configuration is not there any more."""
    _look(call)
    return empty(204)


def _look(call: S3Call) -> None:
    if call.key:
        call.check_version()
        call.objects.info(call.bucket, call.key)
    else:
        call.objects.bucket(call.bucket)
