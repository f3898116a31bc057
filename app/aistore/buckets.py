"""Buckets as wholes: names, create, destroy, rename, copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.aistore import batches
from app.aistore.bucket_props import RECORD, Access, BucketProps, props_of, to_record
from app.aistore.call import as_json, empty
from app.aistore.operation import Operation
from app.aistore.properties import PLACE, changed
from app.aistore.provider import CLOUD, checked, provider_of
from app.core.errors import InvalidRequest, MissingParameter, RouteNotFound
from app.core.object_errors import BucketExists, InvalidBucketName, NoSuchBucket
from app.core.paths import is_inside
from app.web import preflights

if TYPE_CHECKING:
    from werkzeug import Response

    from app.aistore.call import AIStoreCall

_RULE = ("may only contain letters, numbers, dashes (-), underscores (_), and dots (.), at most 255"
         " of them")


def names(call: AIStoreCall) -> Response:
    """Tell the names of the caller's buckets: all are AIStore's own, none a cloud's."""
    if call.bucket != "*":
        raise RouteNotFound(f"buckets/{call.bucket}")
    found = [] if provider_of(call) in CLOUD else [one.name for one in call.objects.buckets()]
    return as_json({"ais": found, "local": found, "cloud": []})


def create(call: AIStoreCall) -> Response:
    """Make a bucket; properties may come as the message's value."""
    provider_of(call)
    props, objects = _wanted_props(call), call.objects
    _check_name(call.bucket)
    if not objects.create_bucket(call.bucket, any_name=True):
        raise BucketExists(objects.bucket_path(call.bucket))
    if props != BucketProps():
        objects.set_bucket_record(call.bucket, {RECORD: to_record(props)})
    return empty()


def destroy(call: AIStoreCall) -> Response:
    """Remove a bucket with its contents."""
    provider_of(call)
    _require(call, Access.DESTROY)
    call.objects.destroy_bucket(call.bucket, call.services.users.rooms())
    preflights.removed(call.services.store, call.objects, call.bucket)
    return empty()


def rename(call: AIStoreCall) -> Response:
    """Give a bucket another name, at once."""
    provider_of(call)
    _require(call, Access.MOVE_BUCKET)
    target = _target(call)
    _check_name(target)
    call.objects.rename_bucket(call.bucket, target, call.services.users.rooms())
    preflights.renamed(call.services.store, call.objects, call.bucket, target)
    return empty()


def copy(call: AIStoreCall) -> Response:
    """Copy a bucket's objects to another bucket, made where it is missing, by a job."""
    provider_of(call)
    objects, target = call.objects, _target(call)
    source = objects.bucket(call.bucket)
    _require(call, Access.GET)
    there = objects.bucket_path(target)
    if is_inside(there, source.path) or is_inside(source.path, there):
        raise InvalidRequest("a bucket cannot be copied to itself or into one of the two")
    call.principal.require_write(there)
    try:
        objects.bucket(target)
    except NoSuchBucket:
        _check_name(target)
        objects.create_bucket(target, any_name=True)
    props_of(objects, target).require(Access.PUT, there)
    return batches.copy(call, target)


def _wanted_props(call: AIStoreCall) -> BucketProps:
    value = call.fields.members("value")
    caches = call.services.cache is not None
    return changed(BucketProps(), value, caches=caches) if value else BucketProps()


def _require(call: AIStoreCall, access: Access) -> None:
    call.objects.bucket(call.bucket)
    props_of(call.objects, call.bucket).require(access, call.objects.bucket_path(call.bucket))


def _target(call: AIStoreCall) -> str:
    """Return the other bucket's name: `bto=ais/@#/name`, or the message's `name`."""
    provider, _, rest = call.param("bto").partition("/")
    name = rest.rpartition("/")[2]
    if rest:
        checked(provider)
    name = name or call.fields.text("name")
    if not name:
        raise MissingParameter("name", "the name of the other bucket")
    return name


def _check_name(name: str) -> None:
    """Raise InvalidBucketName for what AIStore calls no bucket: `a:b` is S3's word for a/b."""
    if ":" in name:
        raise InvalidBucketName(name, _RULE)


OPERATIONS = (
    Operation("bucket.names", ("GET",), PLACE, names, harmless=True),
    Operation("bucket.create", ("POST",), PLACE, create, ("createlb", "create_bck")),
    Operation("bucket.destroy", ("DELETE",), PLACE, destroy, ("destroylb", "destroy_bck")),
    Operation("bucket.rename", ("POST",), PLACE, rename, ("renamelb", "move_bck")),
    Operation("bucket.copy", ("POST",), PLACE, copy, ("copybck", "copy_bck")),
)
