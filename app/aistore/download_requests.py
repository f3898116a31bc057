"""Requests for downloads, by both years' names: what is to be fetched, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.aistore.provider import checked
from app.aistore.times import seconds_of
from app.core.errors import InvalidParameter, MissingParameter, Unsupported
from app.downloads.links import object_name, parse_link
from app.downloads.orders import Orders
from app.downloads.plan import Item, Plan, listed, numbered, ranged

if TYPE_CHECKING:
    from app.aistore.fields import Fields

_NAMES = ("objname", "object_name")
_MAX_INDEX = 10**18


def bucket_of(fields: Fields) -> str:
    """Return the bucket: a name (2020), or an object with one (2021). Raises MissingParameter."""
    for name in ("provider", "bck_provider", "bprovider"):
        checked(fields.text(name))
    if not fields.is_object("bucket"):
        return fields.required("bucket")
    bucket = fields.inner("bucket")
    checked(bucket.text("provider"))
    if bucket.text("namespace"):
        raise InvalidParameter("bucket.namespace", bucket.text("namespace"), "no namespace")
    name = bucket.text("name")
    if not name:
        raise MissingParameter("bucket.name", "the name of a bucket")
    return name


def item_of(fields: Fields) -> Item:
    """Return one object by its link, and its name or that in the link.

    Raises MissingParameter, InvalidLink.
    """
    if fields.flag("from_cloud"):
        raise Unsupported("no bucket here has a cloud behind it: there is nothing to download from"
                          " but links; `prefetch` brings objects from HDFS into the cache")
    link = fields.required("link")
    return Item(fields.text(*_NAMES) or object_name(link), link)


def single(fields: Fields) -> Plan:
    """Return the plan of one object."""
    return listed([item_of(fields)])


def multi(fields: Fields) -> Plan:
    """Return the plan of a map from names to links, or of a list of links."""
    if fields.has("objects"):
        as_map = fields.is_object("objects")
        names = ("objects",)
    else:
        as_map = fields.has("object_map")
        names = ("object_map",) if as_map else ("object_list",)
    if as_map:
        return listed([Item(_named(name), _link(name, link))
                       for name, link in fields.members(*names).items()])
    return listed([Item(object_name(link), link) for link in fields.texts(*names)])


def listing(fields: Fields) -> Plan:
    """Return the plan of links that differ in a number (2020)."""
    return numbered(
        fields.required("base"), fields.text("prefix"), fields.text("suffix"),
        start=fields.integer("start", most=_MAX_INDEX), end=fields.integer("end", most=_MAX_INDEX),
        step=fields.integer("step", default=1, least=1, most=_MAX_INDEX),
        digits=fields.integer("digit_count", most=18))


def template(fields: Fields) -> Plan:
    """Return the plan of a template of links (2021)."""
    return ranged(fields.required("template"), fields.text("subdir"))


def orders_of(fields: Fields) -> Orders:
    """Return how the download is to be done. Raises InvalidParameter."""
    limits = fields.inner("limits")
    timeout = fields.text("timeout")
    seconds = seconds_of(timeout, "timeout") if timeout else 0.0
    if timeout and not seconds:
        raise InvalidParameter("timeout", timeout, "a duration that is longer than nothing")
    return Orders(seconds, limits.integer("connections"), limits.integer("bytes_per_hour"))


def description(fields: Fields, bucket: str, plan: Plan) -> str:
    """Return what the client calls the download, else what it does; queries may be secrets."""
    given = fields.text("description")
    if given:
        return given[:500]
    first = plan.item(0)
    if plan.total == 1:
        return f"{parse_link(first.link)} -> ais://{bucket}/{first.name}"[:500]
    return f"{plan.total} objects from {parse_link(first.link).authority} -> ais://{bucket}"


def _named(name: str) -> str:
    if not name:
        raise InvalidParameter("object_map", name, "names that are not empty")
    return name


def _link(name: str, link: Any) -> str:
    if not isinstance(link, str):
        raise InvalidParameter(f"object_map.{name}", str(link), "a URL")
    return link
