"""Cross-origin sharing: a bucket's rules, preflight answers, and the headers of actual answers.

A preflight is nobody's, and allowed where the rules of any bucket of that name allow it
(`app.web.preflights`). What the actual answer says comes from the bucket itself.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from app.core.errors import GatewayError, InvalidRequest
from app.core.object_errors import MalformedDocument, NoSuchAttribute
from app.s3 import documents
from app.s3.errors import S3Error
from app.s3.tagging import change_record
from app.s3.xml import answer, empty
from app.web import preflights
from app.web.preflights import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterable
    from xml.etree.ElementTree import Element

    from werkzeug import Response

    from app.s3.call import S3Call
    from app.s3.xml import Field

METHODS = ("GET", "PUT", "HEAD", "POST", "DELETE")
MAX_RULES = 100
_READING = ("GET", "HEAD")
_PRINTABLE = re.compile(r"[\x21-\x7e]*")
_LISTS = {"origins": "AllowedOrigin", "methods": "AllowedMethod", "headers": "AllowedHeader",
          "expose": "ExposeHeader"}
_VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"


class Rule(NamedTuple):
    """One rule; the fields are those of its record."""

    origins: list[str]
    methods: list[str]
    headers: list[str]
    expose: list[str]
    max_age: str = ""
    name: str = ""

    def allows(self, origin: str, method: str, headers: Iterable[str]) -> bool:
        """Tell whether a page of this origin may send such a request."""
        return (method in self.methods and any(_like(one, origin) for one in self.origins)
                and all(any(_like(one.lower(), header) for one in self.headers)
                        for header in headers))

    def answer(self, response: Response, origin: str) -> None:
        """Add the headers that every allowed answer has."""
        anybody = "*" in self.origins
        told = {"Access-Control-Allow-Origin": "*" if anybody else origin,
                "Access-Control-Allow-Methods": ", ".join(self.methods),
                "Access-Control-Expose-Headers": ", ".join(self.expose),
                "Access-Control-Max-Age": self.max_age,
                "Access-Control-Allow-Credentials": "" if anybody else "true",
                "Vary": _VARY}
        response.headers.extend({name: value for name, value in told.items() if value})


def _like(pattern: str, text: str) -> bool:
    """Tell whether `text` is the pattern, whose one `*` stands for anything."""
    before, star, after = pattern.partition("*")
    if not star:
        return pattern == text
    return (len(text) >= len(before) + len(after) and text.startswith(before)
            and text.endswith(after))


def get_bucket_cors(call: S3Call) -> Response:
    """Answer the rules; preflights go by them from now on, whatever they knew before.

    The bucket may have come to its name past the gateway, or the state store have been lost.
    """
    record = call.objects.bucket_record(call.bucket)
    rules = _rules(record)
    if not rules:
        raise NoSuchAttribute(call.bucket, RECORD)
    with suppress(GatewayError):
        _keep(call, record[RECORD])
    return answer("CORSConfiguration", [("CORSRule", _told(rule)) for rule in rules])


def put_bucket_cors(call: S3Call) -> Response:
    """Set all rules."""
    tree = documents.read(call, "CORSConfiguration")
    rules = [_read(one) for one in tree.findall("CORSRule")]
    if not 1 <= len(rules) <= MAX_RULES or len(rules) != len(tree):
        raise MalformedDocument(f"a CORSConfiguration has 1 to {MAX_RULES} CORSRules, no more")
    record = [rule._asdict() for rule in rules]
    change_record(call, RECORD, record)
    _keep(call, record)
    return empty()


def delete_bucket_cors(call: S3Call) -> Response:
    """Remove all rules."""
    change_record(call, RECORD, None)
    _keep(call, [])
    return empty(204)


def preflight(call: S3Call) -> Response:
    """Tell a browser whether a page of its Origin may send what it asks for."""
    origin = call.headers.get("origin")
    method = call.headers.get("access-control-request-method")
    if not origin:
        raise S3Error("BadRequest", "Insufficient information. Origin request header needed.")
    if method not in METHODS:
        raise S3Error("BadRequest", f"Invalid Access-Control-Request-Method: {method}")
    asked = call.headers.get("access-control-request-headers", "")
    headers = [name.strip().lower() for name in asked.split(",") if name.strip()]
    known = [rule for record in preflights.records(call.services.store, call.bucket)
             for rule in _rules(record)]
    rule = next((rule for rule in known if rule.allows(origin, method, headers)), None)
    if rule is None:
        message = "" if known else "CORSResponse: CORS is not enabled for this bucket."
        raise S3Error("AccessForbidden", message, Method=method,
                      ResourceType="OBJECT" if call.key else "BUCKET")
    response = empty()
    rule.answer(response, origin)
    if headers:
        response.headers["Access-Control-Allow-Headers"] = ", ".join(headers)
    return response


def decorate(call: S3Call, response: Response) -> None:
    """Add to the answer of an actual request what its bucket's rules say of its Origin.

    Where the rules cannot be read, nothing is allowed.
    """
    origin = call.headers.get("origin")
    if not origin or not call.bucket or "Access-Control-Allow-Origin" in response.headers:
        return
    rule = next((one for one in _own_rules(call)
                 if one.allows(origin, call.exchange.method, ())), None)
    if rule is not None:
        rule.answer(response, origin)


def check_page(call: S3Call) -> None:
    """Refuse a write for a page of a foreign origin that the bucket's own rules do not allow.

    A browser sends a password that it remembers with whatever any page asks for; a preflight has
    said no more than that some bucket of that name allows it, and simple requests have none.
    Raises S3Error (AccessForbidden).
    """
    origin, own = call.headers.get("origin", ""), call.exchange.origin
    method = call.exchange.method
    public = call.services.settings.web.public_url
    if method in _READING or origin.partition("://")[2] == own.authority or (
            public and f"{public}/".startswith(f"{origin}/")):
        return
    if not any(rule.allows(origin, method, ()) for rule in _own_rules(call)):
        raise S3Error("AccessForbidden", Method=method,
                      ResourceType="OBJECT" if call.key else "BUCKET")


def _own_rules(call: S3Call) -> list[Rule]:
    """Return the rules that lie with the bucket; none where they cannot be read."""
    with suppress(GatewayError):
        return _rules(call.objects.bucket_record(call.bucket))
    return []


def _keep(call: S3Call, rules: list[dict[str, Any]]) -> None:
    preflights.keep(call.services.store, call.bucket, call.objects.bucket_path(call.bucket), rules)


def _rules(record: Any) -> list[Rule]:
    """Return the rules of a record; none where somebody wrote into the xattr what are none."""
    try:
        rules = [Rule(**rule) for rule in record.get(RECORD, [])]
        sound = all(_PRINTABLE.fullmatch(text) for rule in rules for text in (
            *rule.origins, *rule.methods, *rule.expose, rule.max_age))
        sound = sound and all(isinstance(text, str) for rule in rules for text in rule.headers)
    except TypeError:
        return []
    return rules if sound else []


def _read(one: Element) -> Rule:
    lists = {field: [node.text or "" for node in one.findall(name)]
             for field, name in _LISTS.items()}
    age = (one.findtext("MaxAgeSeconds") or "").strip()
    rule = Rule(**lists, max_age=age, name=one.findtext("ID") or "")
    if not rule.origins or not rule.methods or (age and not re.fullmatch("[0-9]{1,9}", age)):
        raise MalformedDocument("a CORSRule has AllowedOrigins and AllowedMethods, and a whole"
                                " number as MaxAgeSeconds")
    for method in rule.methods:
        if method not in METHODS:
            raise InvalidRequest("Found unsupported HTTP method in CORS config. Unsupported"
                                 f" method is {method}")
    for name, values in (("AllowedOrigin", rule.origins), ("AllowedHeader", rule.headers)):
        if any(value.count("*") > 1 for value in values):
            raise InvalidRequest(f"{name} can not have more than one wildcard.")
    if any(not re.fullmatch(r"[\x21-\x7e]+", text) for text in (*rule.origins, *rule.expose)):
        raise InvalidRequest("AllowedOrigin and ExposeHeader are plain text without spaces.")
    return rule


def _told(rule: Rule) -> list[Field]:
    fields: list[Field] = [("ID", rule.name)] if rule.name else []
    record = rule._asdict()
    for field, name in _LISTS.items():
        fields += [(name, value) for value in record[field]]
    if rule.max_age:
        fields.append(("MaxAgeSeconds", rule.max_age))
    return fields
