"""Each method of Alluxio's Python client with each of its options, one after the other.

Arguments: host, port, the user's name in HDFS. The user is an admin and a superuser of HDFS.
"""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import alluxio
from alluxio import option, wire

host, port, me = sys.argv[1:]
client = alluxio.Client(host, int(port), timeout=120)
PRIVATE = wire.Mode(wire.BITS_READ_WRITE, wire.BITS_READ, wire.BITS_NONE)
CLOSED = wire.Mode(wire.BITS_ALL, wire.BITS_READ_EXECUTE, wire.BITS_NONE)
WRITE_TYPES = (wire.WRITE_TYPE_MUST_CACHE, wire.WRITE_TYPE_CACHE_THROUGH, wire.WRITE_TYPE_THROUGH,
               wire.WRITE_TYPE_ASYNC_THROUGH)
READ_TYPES = (wire.READ_TYPE_NO_CACHE, wire.READ_TYPE_CACHE, wire.READ_TYPE_CACHE_PROMOTE)
LOADING = (wire.LOAD_METADATA_TYPE_NEVER, wire.LOAD_METADATA_TYPE_ONCE,
           wire.LOAD_METADATA_TYPE_ALWAYS)
POLICY = "alluxio.client.file.policy.RoundRobinPolicy"
HOUR = 3_600_000


def check(got: Any, wanted: Any) -> None:
    """Stop where `got` is not what it should be."""
    assert got == wanted, f"{got!r} is not {wanted!r}"


def put(path: str, data: bytes, **options: Any) -> None:
    """Write a new file."""
    with client.open(path, "w", option.CreateFile(**options) if options else None) as out:
        check(out.write(data), len(data))


def get(path: str, **options: Any) -> bytes:
    """Read a whole file."""
    with client.open(path, "r", option.OpenFile(**options) if options else None) as into:
        content: bytes = into.read()
    return content


def directories() -> None:
    """create_directory and its options."""
    client.create_directory("/tour")
    client.create_directory("/tour/a/b", option.CreateDirectory(recursive=True))
    client.create_directory("/tour/a", option.CreateDirectory(allow_exists=True))
    client.create_directory("/tour/closed", option.CreateDirectory(mode=CLOSED))
    for kind in WRITE_TYPES:
        client.create_directory(
            f"/tour/{kind.name}", option.CreateDirectory(write_type=kind, allow_exists=False))
    client.create_directory("/tour/all/of/them", option.CreateDirectory(
        allow_exists=True, mode=CLOSED, recursive=True, write_type=wire.WRITE_TYPE_CACHE_THROUGH))
    check(client.get_status("/tour/a").mode, 0o755)
    check(client.get_status("/tour/closed").mode, 0o750)
    check(client.get_status("/tour/all/of/them").mode, 0o750)
    info = client.get_status("/tour/a")
    check((info.name, info.path, info.folder, info.completed), ("a", "/tour/a", True, True))
    check((info.length, info.block_ids, info.file_block_infos), (1, [], []))
    check((info.owner, info.pinned, info.mount_point, info.ttl), (me, False, False, -1))


def files() -> None:
    """create_file and its options, get_status."""
    put("/tour/plain", b"plain")
    put("/tour/blocks", b"z" * 1_500_000, block_size_bytes=1_048_576)
    put("/tour/policy", b"x", location_policy_class=POLICY)
    put("/tour/private", b"x", mode=PRIVATE)
    put("/tour/made/for/it", b"x", recursive=True)
    put("/tour/hour", b"x", ttl=HOUR)
    put("/tour/freed", b"x", ttl=HOUR, ttl_action=wire.TTL_ACTION_FREE)
    put("/tour/deleted", b"x", ttl=HOUR, ttl_action=wire.TTL_ACTION_DELETE)
    put("/tour/action", b"x", ttl_action=wire.TTL_ACTION_DELETE)
    for kind in WRITE_TYPES:
        put(f"/tour/file_{kind.name}", b"x", write_type=kind)
        check(client.get_status(f"/tour/file_{kind.name}").persistence_state.name, "PERSISTED")
    put("/tour/copies", b"x", replication_durable=1, replication_max=2, replication_min=1)
    put("/tour/everything", b"x", block_size_bytes=1_048_576, location_policy_class=POLICY,
        mode=PRIVATE, recursive=True, ttl=HOUR, ttl_action=wire.TTL_ACTION_DELETE,
        write_type=wire.WRITE_TYPE_CACHE_THROUGH, replication_durable=1, replication_max=1,
        replication_min=1)
    blocks = client.get_status("/tour/blocks")
    check((blocks.length, blocks.block_size_bytes, blocks.mode), (1_500_000, 1_048_576, 0o644))
    check([each.offset for each in blocks.file_block_infos], [0, 1_048_576])
    check([each.block_info.length for each in blocks.file_block_infos], [1_048_576, 451_424])
    check([each.block_info.block_id for each in blocks.file_block_infos], blocks.block_ids)
    assert all(each.ufs_locations for each in blocks.file_block_infos), blocks
    for name, mode, ttl, action in (
            ("private", 0o640, -1, "FREE"), ("hour", 0o644, HOUR, "DELETE"),
            ("freed", 0o644, HOUR, "FREE"), ("deleted", 0o644, HOUR, "DELETE"),
            ("everything", 0o640, HOUR, "DELETE")):
        info = client.get_status(f"/tour/{name}")
        check((info.mode, info.ttl, info.ttl_action.name), (mode, ttl, action))
    check(client.get_status("/tour/action").ttl, -1)


def streams() -> None:
    """create_file, write, close, open_file and read by themselves; reader and writer."""
    stream = client.create_file("/tour/stream")
    writer = client.write(stream)
    check(writer.write("text "), 5)
    check(writer.write(b"bytes "), 6)
    check(writer.write(io.BytesIO(b"file ")), 5)
    check(writer.write(iter((b"by ", b"pieces"))), 9)
    check(writer.write(b""), 0)
    writer.close()
    unfinished = client.get_status("/tour/stream")
    check((unfinished.completed, unfinished.length), (False, 0))
    assert "stream" in client.ls("/tour")
    client.close(stream)
    finished = client.get_status("/tour/stream")
    check((finished.completed, finished.length), (True, 25))

    stream = client.open_file("/tour/stream")
    reader = client.read(stream)
    check(reader.read(5), b"text ")
    check(reader.read(6), b"bytes ")
    check(reader.read(1000), b"file by pieces")
    check(reader.read(1), b"")
    reader.close()
    client.close(stream)
    with client.open("/tour/blocks", "r") as into:
        pieces = list(into)
    check({len(piece) for piece in pieces[:-1]}, {4096})
    check(b"".join(pieces), b"z" * 1_500_000)
    with client.open("/tour/empty", "w"):
        pass
    check(get("/tour/empty"), b"")


def opening() -> None:
    """open_file's options."""
    for kind in READ_TYPES:
        check(get("/tour/plain", read_type=kind), b"plain")
    check(get("/tour/plain", cache_location_policy_class=POLICY), b"plain")
    check(get("/tour/plain", max_ufs_read_concurrency=4), b"plain")
    check(get("/tour/plain", ufs_read_location_policy_class=POLICY), b"plain")
    check(get("/tour/plain", cache_location_policy_class=POLICY, max_ufs_read_concurrency=4,
              read_type=wire.READ_TYPE_CACHE, ufs_read_location_policy_class=POLICY), b"plain")


def looking() -> None:
    """exists, get_status, list_status, ls and their options."""
    check(client.exists("/tour/plain"), True)
    check(client.exists("/tour/plain", option.Exists()), True)
    check(client.exists("/tour/none"), False)
    for loading in LOADING:
        check(client.get_status(
            "/tour/plain", option.GetStatus(load_metadata_type=loading)).length, 5)
        check(client.ls("/tour/a", option.ListStatus(load_metadata_type=loading)), ["b"])
    listed = client.list_status("/tour/made", option.ListStatus(recursive=True))
    check([(info.path, info.folder) for info in listed],
          [("/tour/made/for", True), ("/tour/made/for/it", False)])
    check([info.path for info in client.list_status(
        "/tour/made", option.ListStatus(recursive=False))], ["/tour/made/for"])
    check(client.ls("/tour/made/for/it"), ["it"])
    check(client.list_status("/tour/a/b"), [])
    for info in client.list_status("/tour"):
        check(info.json(), client.get_status(info.path).json())
        check(wire.FileInfo.from_json(info.json()).json(), info.json())
        json.dumps(info.json())
    check(client.get_status("/").name, "")


def changing() -> None:
    """rename, set_attribute, free, delete and their options."""
    client.rename("/tour/plain", "/tour/renamed")
    client.rename("/tour/renamed", "/tour/plain", option.Rename())
    check(get("/tour/plain"), b"plain")
    client.set_attribute("/tour/plain")
    client.set_attribute("/tour/plain", option.SetAttribute(mode=PRIVATE))
    client.set_attribute("/tour/plain", option.SetAttribute(owner="alice"))
    client.set_attribute("/tour/plain", option.SetAttribute(group="staff"))
    client.set_attribute("/tour/plain", option.SetAttribute(pinned=True))
    client.set_attribute("/tour/plain", option.SetAttribute(ttl=HOUR))
    info = client.get_status("/tour/plain")
    check((info.mode, info.owner, info.group), (0o640, "alice", "staff"))
    check((info.pinned, info.ttl, info.ttl_action.name), (True, HOUR, "DELETE"))
    client.set_attribute("/tour/plain", option.SetAttribute(
        ttl=2 * HOUR, ttl_action=wire.TTL_ACTION_FREE))
    client.set_attribute("/tour/plain", option.SetAttribute(pinned=False))
    info = client.get_status("/tour/plain")
    check((info.pinned, info.ttl, info.ttl_action.name), (False, 2 * HOUR, "FREE"))
    client.set_attribute("/tour/plain", option.SetAttribute(ttl=-1))
    check(client.get_status("/tour/plain").ttl, -1)
    client.set_attribute("/tour/made", option.SetAttribute(
        owner="bob", group="staff", mode=CLOSED, pinned=True, recursive=True, ttl=HOUR,
        ttl_action=wire.TTL_ACTION_DELETE))
    for path in ("/tour/made", "/tour/made/for", "/tour/made/for/it"):
        info = client.get_status(path)
        check((info.owner, info.group, info.mode), ("bob", "staff", 0o750))
        check((info.pinned, info.ttl, info.ttl_action.name), (True, HOUR, "DELETE"))
    client.set_attribute("/tour/made", option.SetAttribute(pinned=False, recursive=True))
    client.free("/tour/plain")
    client.free("/tour/made", option.Free(recursive=True))
    client.free("/tour/a/b", option.Free(recursive=False))
    client.delete("/tour/stream")
    client.delete("/tour/closed", option.Delete())
    client.delete("/tour/a", option.Delete(recursive=True))
    for name in ("stream", "closed", "a", "a/b"):
        check(client.exists(f"/tour/{name}"), False)


def mounting() -> None:
    """mount, unmount and their options."""
    client.create_directory("/source")
    put("/source/file", b"there")
    client.mount("/tour/mounted", "/source")
    info = client.get_status("/tour/mounted")
    check((info.folder, info.mount_point), (True, True))
    check(client.ls("/tour/mounted"), ["file"])
    check(get("/tour/mounted/file"), b"there")
    put("/tour/mounted/more", b"more")
    check(get("/source/more"), b"more")
    client.unmount("/tour/mounted")
    check(client.exists("/tour/mounted"), False)
    client.mount("/tour/mounted", "/source", option.Mount(
        properties={"a": "b"}, read_only=True, shared=True))
    check(get("/tour/mounted/file"), b"there")
    listed = {info.name: info.mount_point for info in client.list_status("/tour")}
    check((listed["mounted"], listed["all"]), (True, False))
    client.unmount("/tour/mounted", option.Unmount())
    client.delete("/source", option.Delete(recursive=True))


for part in (directories, files, streams, opening, looking, changing, mounting):
    part()
    print(part.__name__)
client.delete("/tour", option.Delete(recursive=True))
check(client.ls("/"), [])
