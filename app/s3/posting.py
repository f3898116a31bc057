"""PostObject: an upload by a browser's form, signed by its policy."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from app.s3 import policy as policies
from app.s3 import tagging
from app.s3.checksums import DEFAULT, FULL_OBJECT, Tally, promised
from app.s3.description import described
from app.s3.errors import S3Error, invalid_argument
from app.s3.form import location
from app.s3.forms import Form, boundary_of
from app.s3.writing import written
from app.s3.xml import document, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from werkzeug import Response

    from app.core.objects import ObjectInfo, ObjectMeta
    from app.s3.call import S3Call
    from app.s3.policy import Policy

FILENAME = "${filename}"
_STATUSES = {"200": 200, "201": 201}
_NOT_HEADERS = ("key", "tagging", "policy", "x-amz-tagging")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def post_object(call: S3Call) -> Response:
    """Make the form's file an object, if the policy that it brings along allows it."""
    boundary = boundary_of(call.exchange.environ.get("CONTENT_TYPE", ""))
    form = Form(call.sent(), boundary)
    policy = _admit(call, form.fields)
    fields = _final(form)
    policy.check(fields | {"bucket": call.bucket}, datetime.now(UTC))
    call.key = fields["key"]
    call.exchange.path = call.resource
    meta = _described(fields)
    file = _FormFile(form, fields, policy)
    info = call.objects.put(call.bucket, call.key, file.pieces(),
                            lambda: file.described(meta))
    return _answer(call, fields, info)


def _admit(call: S3Call, fields: Mapping[str, str]) -> Policy:
    """Find out who signed the policy, act as they, and return what it says."""
    if "policy" not in fields:
        signed = [name for name in fields if name in ("signature", "awsaccesskeyid")
                  or name.startswith(("x-amz-signature", "x-amz-algorithm", "x-amz-cred"))]
        if signed:
            raise _missing("policy")
        raise S3Error("AccessDenied")
    principal = call.services.s3.check_policy_signature(fields, fields["policy"])
    call.act_as(principal)
    return policies.read(fields["policy"])


def _final(form: Form) -> dict[str, str]:
    """Return the fields with the file's name put in where they ask for it."""
    if not form.fields.get("key"):
        raise _missing("key")
    return {name: value.replace(FILENAME, form.filename) for name, value in form.fields.items()}


def _missing(name: str) -> S3Error:
    return invalid_argument(name, "", f"Bucket POST must contain a field named '{name}'.  If it is"
                                      " specified, please check the order of the fields.")


def _described(fields: Mapping[str, str]) -> ObjectMeta:
    """Return what the fields say of the object; those that are headers elsewhere are so here."""
    meta = described(_headers(fields))
    if not fields.get("tagging"):
        return meta
    tree = parse(fields["tagging"].encode(), "Tagging")
    return replace(meta, tags=tagging.tags_in(tree, tagging.MAX_OBJECT_TAGS))


def _headers(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the fields as headers: text of ISO 8859-1 that stands for UTF-8, without controls."""
    found = {}
    for name, value in fields.items():
        if name in _NOT_HEADERS:
            continue
        if _CONTROL.search(value):
            raise invalid_argument(name, value, f"the field '{name}' has control characters")
        found["x-amz-acl" if name == "acl" else name] = value.encode().decode("latin-1")
    return found


class _FormFile:
    """The content of a form's file: measured, bounded, compared with its checksum."""

    def __init__(self, form: Form, fields: Mapping[str, str], policy: Policy) -> None:
        self._form = form
        self._policy = policy
        self._promise = promised(_headers(fields), "")
        self._tally = Tally([self._promise.kind or DEFAULT])

    def pieces(self) -> Iterator[bytes]:
        """Yield the file. Raises BodyTooLarge, S3Error where it is not what was promised."""
        for piece in self._form.content():
            self._tally.update(piece)
            self._policy.check_size(self._tally.size, whole=False)
            yield piece
        self._policy.check_size(self._tally.size, whole=True)
        self._tally.keep(self._promise, {})

    def described(self, meta: ObjectMeta) -> ObjectMeta:
        """Return `meta` with ETag and checksum of the file."""
        return replace(meta, etag=self._tally.etag, checksums=self._tally.checksums,
                       checksum_type=FULL_OBJECT)


def _answer(call: S3Call, fields: Mapping[str, str], info: ObjectInfo) -> Response:
    """Return what the form asks for: 204, 200, 201 with a document, or a redirect."""
    response = written(info)
    response.headers["Location"] = location(call)
    redirect = fields.get("success_action_redirect") or fields.get("redirect", "")
    if redirect.startswith(("http://", "https://")):
        told = urlencode({"bucket": call.bucket, "key": call.key, "etag": f'"{info.meta.etag}"'})
        joint = "&" if "?" in redirect else "?"
        response.status_code = 303
        response.headers["Location"] = quote(redirect, safe="/:?#[]@!$&'()*+,;=%") + joint + told
        return response
    response.status_code = _STATUSES.get(fields.get("success_action_status", ""), 204)
    if response.status_code == _STATUSES["201"]:
        response.data = document("PostResponse", [
            ("Location", location(call)), ("Bucket", call.bucket), ("Key", call.key),
            ("ETag", f'"{info.meta.etag}"')], "")
        response.content_type = "application/xml"
    return response
