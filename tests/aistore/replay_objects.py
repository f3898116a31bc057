"""The stories of buckets and objects, as the clients of 2020 and of 2021 tell them.

A proxy of AIStore's answers requests about objects with a redirect to a target, which answers them;
a gateway node is both, and answers at once. So it is in each case here that says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgpack
from xxhash import xxh64_hexdigest

from tests.aistore.replay import (
    ANY,
    DIGITS,
    DONE,
    NUMBER,
    TASK,
    TASK_TEXT,
    TEXT,
    Answer,
    Case,
    Words,
    refused,
    saying,
    told,
)
from tests.streams.replay import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

AT_ONCE = "AIStore's proxy redirects to a target, which answers so"
OTHER_YEAR = "this year's server knows another name of the action; both are taken in both"
SET = "the description says PUT, AIStore's server of the year does not take it so"
ALL_OURS = "AIStore does so with clouds' buckets only; HDFS is the gateway's cloud"
NEWER = "the words are those of 2021"
BINARY = bytes((0, 1, 255)) * 100
OBJECTS = {"dir1/CCCCCCC": BINARY, "dir2/DDDDDDD": b"vv", "o1": b"object content here",
           "o4": b"vvvv", "o5": b"vvvvv"}


class Year(NamedTuple):
    """What a year calls things."""

    create: str
    destroy: str
    rename: str
    set: str
    reset: str
    list: str
    evict: str
    provider: str
    says: str


Y2020 = Year("createlb", "destroylb", "rename", "setprops", "resetprops", "listobjects",
             "evictobjects", "bprovider=local", NEWER)
Y2021 = Year("create_bck", "destroy_bck", "renameobj", "setbprops", "resetbprops", "listobj",
             "evictobj", "provider=ais", "")


def on(label: str, method: str, action: str, answer: Answer, value: Any = None, *,
       name: str = "", bucket: str = "mybucket", differs: str = "", **more: Any) -> Case:
    """Return a request with a message about a bucket."""
    message = {"action": action, **({"name": name} if name else {}),
               **({"value": value} if value is not None else {})}
    return Case(label, f"{method} buckets/{bucket}", answer, message, differs=differs, **more)


def at(label: str, request: str, answer: Answer, **more: Any) -> Case:
    """Return a request about an object of `mybucket`."""
    method, _, target = request.partition(" ")
    return Case(label, f"{method} objects/mybucket/{target}", answer, differs=AT_ONCE, **more)


def no_bucket(name: str) -> Answer:
    """Return how a bucket is told to be missing."""
    return refused(404, Words(f"p[{{node}}]: bucket ais://{name} does not exist"))


NO_OBJECT = refused(404, saying("nope"))
BUCKET_HEADERS = {
    "Cloud_provider": "ais", "Provider": "ais", "Aattrs": "18446744073709551615",
    "Access": "18446744073709551615", "Cksum.type": "xxhash", "Checksum.type": "xxhash",
    "Cksum.validate_cold_get": "true", "Checksum.validate_warm_get": "false",
    "Cksum.enable_read_range": "false", "Cksum.validate_obj_move": "false",
    "Bid": DIGITS, "Created": DIGITS, "Ec.enabled": "false", "Ec.data_slices": "1",
    "Ec.parity_slices": "1", "Ec.objsize_limit": "262144", "Ec.compression": "never",
    "Lru.lowwm": "75", "Lru.highwm": "90", "Lru.out_of_space": "95",
    "Lru.dont_evict_time": "120m", "Lru.capacity_upd_time": "10m", "Mirror.enabled": "false",
    "Mirror.copies": "2", "Mirror.burst_buffer": "512", "Mirror.util_thresh": "20",
    "Mirror.optimize_put": "false", "Versioning.validate_warm_get": "false",
    "Backend_bck.name": "", "Backend_bck.provider": "", "Md_write": "", "Bucket_props": saying(
        '"provider":"ais"', '"checksum":{"type":"xxhash"', '"Renamed":""'),
    # Otherwise than AIStore's: nothing is versioned, and the cache is off here.
    "Versioning.enabled": "false", "Lru.enabled": "false"}
TRUE_HERE = "nothing is versioned, the cache is off, and both years' names are told"


def buckets(year: Year) -> list[Case]:
    """Return the life of a bucket up to its objects."""
    return [
        Case("no bucket", f"GET buckets/*?{year.provider}", told(
            {"ais": [], "local": [], "cloud": []}),
            differs="2020's models say local, its server ais; 2021's server answers null or a list"
                    " of objects, which its models cannot read"),
        Case("no bucket of any provider", "GET buckets/*", told(
            {"ais": [], "local": [], "cloud": []}), differs="as above"),
        Case("no bucket of a cloud", "GET buckets/*?provider=cloud", told(
            {"ais": [], "local": [], "cloud": []}),
            differs="2021's server does not know the word that its description has"),
        on("create", "POST", year.create, DONE),
        on("create again", "POST", year.create, refused(
            409, Words("p[{node}]: bucket ais://mybucket already exists")), differs=year.says),
        on("create with a bad name", "POST", year.create, refused(
            400, 'bucket name "bad!name" is invalid: may only contain letters, numbers, dashes'
                 " (-), underscores (_), and dots (.)"), bucket="bad%21name", differs=year.says),
        Case("head", "HEAD buckets/mybucket", Answer(200, None, b"", BUCKET_HEADERS),
             differs=TRUE_HERE),
        Case("head of no bucket", "HEAD buckets/nobucket", no_bucket("nobucket"),
             differs=year.says),
        on("set", "PUT", year.set, DONE, {"checksum": {"type": "md5"}}, differs=SET),
        Case("it is set", "HEAD buckets/mybucket", Answer(200, None, b"", {
            "Checksum.type": "md5", "Cksum.type": "md5"})),
        on("set by PATCH", "PATCH", "setbprops", DONE, {"checksum": {"type": "xxhash"}},
           differs=OTHER_YEAR if year is Y2020 else ""),
        on("reset", "PUT", "resetbprops", DONE, differs=SET),
        on("an unknown action", "POST", "frobnicate", refused(
            400, "unexpected action message <- JSON [{frobnicate  <nil>}]"),
           differs="2021's server writes & before the message" if year is Y2021 else ""),
    ]


def objects(year: Year) -> list[Case]:
    """Return what is done with objects."""
    put = [at(f"put {name}", f"PUT {name.replace('/', '%2F')}", DONE, data=data)
           for name, data in {**OBJECTS, "o2": b"vv", "o3": b"vvv"}.items()
           if not name.startswith("dir2")]
    octets = "application/octet-stream"
    summed = {"Objsize": "19", "Objcksumtype": "xxhash",
              "Objcksumval": xxh64_hexdigest(OBJECTS["o1"]), "Size": "19",
              "Checksum.type": "xxhash", "Checksum.value": xxh64_hexdigest(OBJECTS["o1"])}
    renaming = {"action": year.rename, "name": "dir2/DDDDDDD"}
    return [
        *put,
        Case("put into no bucket", "PUT objects/nobucket/o1", no_bucket("nobucket"), data=b"x",
             differs=year.says),
        at("get", "GET o1", Answer(200, octets, OBJECTS["o1"])),
        at("get a range", "GET o1?offset=7&length=7", Answer(200, octets, b"content")),
        at("get beyond the end", "GET o1?offset=700&length=7", Answer(200, octets, b"")),
        at("get binary content", "GET dir1%2FCCCCCCC", Answer(200, octets, BINARY)),
        at("get of nothing", "GET nope", NO_OBJECT),
        Case("get from no bucket", "GET objects/nobucket/nope", no_bucket("nobucket"),
             differs=year.says),
        at("head of an object", "HEAD o1", Answer(200, octets, b"", summed)),
        at("is it cached", "HEAD o1?check_cached=True", refused(404, saying("o1"))),
        at("head of nothing", "HEAD nope", NO_OBJECT),
        at("is nothing cached", "HEAD nope?check_cached=True", NO_OBJECT),
        at("rename", "POST o2", DONE, message=renaming),
        at("rename of nothing", "POST nope", NO_OBJECT,
           message={"action": year.rename, "name": "dir2/x"}),
        at("get what was renamed", "GET dir2%2FDDDDDDD", Answer(200, octets, b"vv")),
        at("evict", "DELETE o3", DONE, message={"action": year.evict}),
        at("delete", "DELETE o3", DONE),
        at("delete again", "DELETE o3", refused(404, saying("o3"))),
    ]


def entry(name: str, **more: Any) -> dict[str, Any]:
    """Return an entry of a listing.

    Without `flags`: AIStore's 64 says that the object is in the cache, and that is off here.
    """
    return {"name": name, "size": str(len(OBJECTS[name])), **more}


def page(names: Sequence[str], token: str = "", **more: Any) -> dict[str, Any]:
    """Return a listing of 2021."""
    return {"uuid": TASK_TEXT, "entries": [entry(name, **more) for name in names],
            "continuation_token": token}


def summed(names: Sequence[str], **more: Any) -> dict[str, Any]:
    """Return a listing of 2021 with checksums."""
    return {**page([]), "entries": [
        entry(name, checksum=xxh64_hexdigest(OBJECTS[name]), **more) for name in names]}


def is_packed(body: bytes) -> bool:
    """Tell whether a body is the listing in msgpack, with AIStore's short names."""
    found = msgpack.unpackb(body)
    return set(found) == {"UUID", "Entries", "ContinuationToken"} and found["Entries"] == [
        {"n": name, "s": len(data)} for name, data in OBJECTS.items()]


NAMES = list(OBJECTS)
TIME = Kind("a time as RFC 822 writes it", lambda text: text.endswith(" UTC"))
LISTINGS_2021 = [
    on("list", "POST", "listobj", told(page(NAMES)), {"props": "size"}),
    on("list more", "POST", "listobj", told(summed(NAMES, atime=TIME)),
       {"props": "size,checksum,version,atime"}, differs="there are no versions to tell"),
    on("list a prefix", "POST", "listobj", told(page(NAMES[:2])),
       {"prefix": "dir", "props": "name,size"}),
    on("list a page", "POST", "listobj", told(page(NAMES[:2], NAMES[1])),
       {"props": "size", "pagesize": 2}),
    on("list the next page", "POST", "listobj", told(page(NAMES[2:4], NAMES[3])),
       {"props": "size", "pagesize": 2, "continuation_token": NAMES[1]}),
    on("list no bucket", "POST", "listobj", no_bucket("nobucket"), {"props": "size"},
       bucket="nobucket"),
    on("list with checksums", "POST", "listobj", told(summed(NAMES)), {"props": "size,checksum"}),
    on("list of a provider", "POST", "listobj", told(page(NAMES[:2], NAMES[1])),
       {"props": "size", "pagesize": 2}, bucket="mybucket?provider=ais"),
    on("list in msgpack", "POST", "listobj", Answer(
        200, "application/msgpack", Kind("the listing in msgpack", is_packed)),
       {"props": "size"}, headers={"Accept": "application/msgpack"}),
]
LISTINGS_2020 = [
    on("list", "POST", "listobjects", Answer(202, TEXT, TASK), {"props": "size"}, keeps="task"),
    on("list a task", "POST", "listobjects", told(
        {"entries": [entry(name, copies=NUMBER) for name in NAMES], "pagemarker": ""}),
       {"props": "size", "taskid": Words("{task}")},
       differs="the copies are HDFS's replicas"),
    on("list a task again", "POST", "listobjects", told(
        {"entries": [entry(name, copies=NUMBER) for name in NAMES], "pagemarker": ""}),
       {"props": "size", "taskid": Words("{task}")}),
    on("list a page", "POST", "listobjects", Answer(202, TEXT, TASK),
       {"props": "size,checksum", "pagesize": 2}, keeps="paged"),
    on("list a page's task", "POST", "listobjects", told({
        "entries": [entry(name, checksum=xxh64_hexdigest(OBJECTS[name]), copies=NUMBER)
                    for name in NAMES[:2]],
        "pagemarker": NAMES[1]}),
       {"props": "size,checksum", "pagesize": 2, "taskid": Words("{paged}")}),
    on("list an unknown task", "POST", "listobjects", refused(404, ANY),
       {"props": "size", "taskid": "nosuchtask"}),
    on("list no bucket", "POST", "listobjects", no_bucket("nobucket"), {"props": "size"},
       bucket="nobucket", differs=NEWER),
]


def ends(year: Year) -> list[Case]:
    """Return what is done with many objects, and the end of the bucket."""
    off = refused(501, saying("cache.mountpaths"))
    job = Answer(200, TEXT, TASK)
    listed = "2020's server knows the list by another name than its own models: objnames"
    return [
        on("summary", "POST", "summarybck", Answer(202, TEXT, TASK), {"fast": False}),
        on("prefetch a list", "POST", "prefetch", off, {"objnames": ["o1", "o4"]},
           differs=ALL_OURS),
        on("prefetch a range", "POST", "prefetch", off, {"template": "o{1..3}"},
           differs=ALL_OURS),
        on("evict a list", "DELETE", year.evict, DONE, {"objnames": ["o1"]},
           differs=f"{ALL_OURS}; with the cache off there is nothing to do, and no job"),
        on("delete a list", "DELETE", "delete", job, {"objnames": ["o4"], "wait": True},
           differs=listed if year is Y2020 else ""),
        on("delete a range", "DELETE", "delete", job, {"template": "o{5..9}", "wait": True},
           differs="only 2021's server knows templates" if year is Y2020 else ""),
        at("get after the range was deleted", "GET o5", refused(404, saying("o5"))),
        on("evict the bucket", "DELETE", "evictcb", DONE, differs=ALL_OURS),
        on("rename by the description's name", "POST", "renamelb", DONE, name="newname",
           differs=OTHER_YEAR if year is Y2021 else ""),
        on("rename by the server's name", "POST", "move_bck", DONE, bucket=(
            "newname?bto=ais/@%23/other"), name="other", differs=OTHER_YEAR),
        Case("the names", f"GET buckets/*?{year.provider}", told(
            {"ais": ["other"], "local": ["other"], "cloud": []}), differs="as above"),
        on("destroy", "DELETE", year.destroy, DONE, bucket="other"),
        on("destroy what was renamed", "DELETE", year.destroy, no_bucket("mybucket"),
           differs=year.says),
        on("destroy no bucket", "DELETE", year.destroy, no_bucket("nobucket"), bucket="nobucket",
           differs=year.says),
    ]


STORY_2020 = [*buckets(Y2020), *objects(Y2020), *LISTINGS_2020, *ends(Y2020)]
STORY_2021 = [*buckets(Y2021), *objects(Y2021), *LISTINGS_2021, *ends(Y2021)]
EDGES = [
    Case("nothing", "GET ", refused(400, "invalid request")),
    Case("an unknown kind", "GET nosuch", refused(400, "invalid request")),
    Case("buckets without a name", "GET buckets", refused(
        400, "path is too short: got 2 items, but expected 3"),
        differs="AIStore adds a place in its sources"),
    Case("buckets with an empty name", "GET buckets/", refused(
        400, "path is too short: got 2 items, but expected 3"), differs="as above"),
    Case("an object without its name", "GET objects/x", refused(
        400, "path is too short: got 3 items, but expected 4"), differs="as above"),
    Case("a message that is none", "POST objects/x/y", refused(400, saying("{")),
         message={}, differs="AIStore looks for the bucket before it reads the message"),
    Case("a method that is none", "PATCH objects/x/y", refused(
        400, "invalid method for /objects path")),
    Case("health", "GET health", DONE),
]
