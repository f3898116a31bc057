"""The policy of a browser's form: what its signer allows it to say, and until when.

After the Amazon S3 API Reference, "POST Policy": every field must meet a condition, and every
condition must be met; the fields have their final values by then.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from app.core.object_errors import InvalidPolicyDocument
from app.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Mapping

_EXEMPT = ("policy", "signature", "x-amz-signature", "awsaccesskeyid", "file")
_IGNORED = ("x-ignore-", "x-amz-checksum-")
"""Beginnings of fields that need no condition: a checksum gives nobody more than its proof."""
_EQ, _STARTS, _LENGTH = "eq", "starts-with", "content-length-range"
_ARGUMENTS = 3
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


class Condition(NamedTuple):
    """One condition: `operator` is "eq" or "starts-with"; `field` in lower case; `text` as JSON."""

    operator: str
    field: str
    value: str
    text: str

    def holds(self, fields: Mapping[str, str]) -> bool:
        """Tell whether the fields meet it; one that is absent counts as empty.

        A Content-Type with commas is a list, and each of it must begin as the condition says.
        """
        actual = fields.get(self.field, "")
        if self.operator == _STARTS:
            listed = actual.split(",") if self.field == "content-type" else [actual]
            return actual.startswith(self.value) and all(
                one.strip().startswith(self.value) for one in listed[1:])
        return self.field in fields and actual == self.value


class Policy(NamedTuple):
    """A policy that was read; `least` and `most` are the bytes that the file may have."""

    expiration: datetime
    conditions: list[Condition]
    least: int = 0
    most: int | None = None

    def check(self, fields: Mapping[str, str], now: datetime) -> None:
        """Raise S3Error (AccessDenied) unless the fields are what the policy allows."""
        if now >= self.expiration:
            raise _violated("Policy expired.")
        for condition in self.conditions:
            if not condition.holds(fields):
                raise _violated(f"Policy Condition failed: {condition.text}")
        known = {condition.field for condition in self.conditions}
        for name in fields:
            if name not in known and name not in _EXEMPT and not name.startswith(_IGNORED):
                raise _violated(f"Extra input fields: {name}")

    def check_size(self, size: int, *, whole: bool) -> None:
        """Raise for a file of `size` bytes; while it is not `whole`, only for too many."""
        if self.most is not None and size > self.most:
            raise S3Error("EntityTooLarge", MaxSizeAllowed=str(self.most))
        if whole and size < self.least:
            raise S3Error("EntityTooSmall", ProposedSize=str(size), MinSizeAllowed=str(self.least))


def _violated(reason: str) -> S3Error:
    return S3Error("AccessDenied", f"Invalid according to Policy: {reason}")


def read(encoded: str) -> Policy:
    """Return the policy in a form's field. Raises InvalidPolicyDocument."""
    document = _document(encoded)
    for name in document:
        if name not in ("expiration", "conditions"):
            raise _invalid(f'Unexpected: "{name}"')
    expiration = _expiration(document)
    if "conditions" not in document:
        raise _invalid("Policy missing conditions.")
    given = document["conditions"]
    if not isinstance(given, list):
        raise _invalid("Invalid 'conditions' value: must be a List.")
    conditions: list[Condition] = []
    least, most = 0, None
    for one in given:
        if isinstance(one, list) and one and str(one[0]).lower() == _LENGTH:
            least, most = _range(one)
        else:
            conditions.append(_condition(one))
    return Policy(expiration, conditions, least, most)


def _document(encoded: str) -> dict[str, Any]:
    if not encoded.strip():
        raise _invalid("Expecting '{' but found End-of-Input")
    try:
        data = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _invalid("invalid Base64 encoding.") from None
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise _invalid("Invalid JSON.") from None
    if not isinstance(document, dict):
        raise _invalid("Invalid JSON.")
    return document


def _expiration(document: Mapping[str, Any]) -> datetime:
    if "expiration" not in document:
        raise _invalid("Policy missing expiration.")
    given = document["expiration"]
    if not isinstance(given, str):
        raise _invalid("Invalid JSON.")
    fault = _invalid(f"Invalid 'expiration' value: '{given[:100]}'")
    if not _MOMENT.fullmatch(given):
        raise fault
    try:
        return datetime.fromisoformat(given)
    except ValueError:
        raise fault from None


def _condition(given: Any) -> Condition:
    if isinstance(given, dict):
        if len(given) != 1:
            raise _invalid("Invalid Simple-Condition: Simple-Conditions must have exactly one"
                           " property specified.")
        (name, value), = given.items()
        if not isinstance(value, str):
            raise _invalid("Invalid Simple-Condition: value must be a string.")
        return Condition(_EQ, name.lower(), value, json.dumps([_EQ, f"${name}", value]))
    if not isinstance(given, list):
        raise _invalid("Invalid condition test: must be a List or Object.")
    if not given:
        raise _invalid("Invalid Condition: missing operation identifier.")
    operator = str(given[0]).lower()
    if operator not in (_EQ, _STARTS):
        raise _invalid(f"Invalid Condition: unknown operation '{str(given[0])[:100]}'.")
    if len(given) != _ARGUMENTS:
        raise _invalid(f"Invalid {operator}: wrong number of arguments.")
    _, field, value = given
    if not isinstance(field, str) or not isinstance(value, str):
        raise _invalid("Invalid JSON.")
    if not field.startswith("$"):
        raise _violated("Policy Condition failed: " + _json(given))
    return Condition(operator, field[1:].lower(), value, _json(given))


def _json(given: list[Any]) -> str:
    return json.dumps(given, separators=(",", ":"), ensure_ascii=False)


def _range(given: list[Any]) -> tuple[int, int]:
    if len(given) != _ARGUMENTS:
        raise _invalid(f"Invalid {_LENGTH}: wrong number of arguments.")
    try:
        least, most = (int(str(bound)) for bound in given[1:])
    except ValueError:
        raise _invalid("Invalid JSON.") from None
    if not 0 <= least <= most:
        raise _invalid(f"Invalid {_LENGTH}: the bounds are no range.")
    return least, most


def _invalid(reason: str) -> InvalidPolicyDocument:
    return InvalidPolicyDocument(f"Invalid Policy: {reason}")
