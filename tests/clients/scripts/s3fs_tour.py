"""What s3fs can do, one after the other; run by a Python that has it. Argument: a bucket."""

import hashlib
import os
import sys

import s3fs

bucket = sys.argv[1]
MIB = 1 << 20
# Endpoint and keys come from the environment; the certificate too (AWS_CA_BUNDLE).
fs = s3fs.S3FileSystem()
place = f"{bucket}/dir"

assert bucket in fs.ls(""), fs.ls("")
fs.pipe_file(f"{place}/small", b"Hello Hadoop!")
assert fs.cat_file(f"{place}/small") == b"Hello Hadoop!"
assert fs.cat_file(f"{place}/small", start=6, end=12) == b"Hadoop"
assert fs.info(f"{place}/small")["size"] == 13
assert fs.info(f"{place}/small")["ETag"] == f'"{hashlib.md5(b"Hello Hadoop!").hexdigest()}"'
assert fs.isdir(place)
assert not fs.isfile(place)
assert not fs.exists(f"{place}/none")

# Blocks of 50 MiB by default: this is an upload in two parts.
block = hashlib.shake_256(b"s3fs").digest(MIB)
with fs.open(f"{place}/large", "wb") as file:
    for number in range(60):
        file.write(b"%08d" % number + block[8:])
with fs.open(f"{place}/large", "rb") as file:
    file.seek(59 * MIB)
    assert file.read(8) == b"00000059"
    file.seek(30 * MIB - 4)
    assert file.read(12) == block[-4:] + b"00000030"
whole = fs.cat_file(f"{place}/large")
assert len(whole) == 60 * MIB
assert whole[:8] == b"00000000"
fs.get(f"{place}/large", "fetched")
assert os.path.getsize("fetched") == 60 * MIB  # noqa: PTH202
ranges = fs.cat_ranges([f"{place}/large"] * 2, [0, MIB], [8, MIB + 8])
assert ranges == [b"00000000", b"00000001"], ranges

with fs.open(f"{place}/text", "w", encoding="utf-8") as file:
    file.write("ä\n")
with fs.open(f"{place}/text", "a", encoding="utf-8") as file:
    file.write("ö\n")
assert fs.cat_file(f"{place}/text").decode() == "ä\nö\n"

for name in ("1", "2/3", "2/4"):
    fs.pipe_file(f"{place}/tree/{name}", name.encode())
assert fs.find(f"{place}/tree") == [f"{place}/tree/{name}" for name in ("1", "2/3", "2/4")]
assert fs.ls(f"{place}/tree") == [f"{place}/tree/1", f"{place}/tree/2"]
assert fs.glob(f"{place}/tree/*/3") == [f"{place}/tree/2/3"]
assert fs.du(f"{place}/tree") == 7
assert [files for _, _, files in fs.walk(f"{place}/tree")] == [["1"], ["3", "4"]]
fs.copy(f"{place}/tree", f"{place}/moved", recursive=True)
assert fs.find(f"{place}/moved") == [f"{place}/moved/{name}" for name in ("1", "2/3", "2/4")]
fs.rm(f"{place}/tree", recursive=True)
assert not fs.exists(f"{place}/tree")
fs.mv(f"{place}/moved/1", f"{place}/moved/5")
assert fs.cat_file(f"{place}/moved/5") == b"1"
assert not fs.exists(f"{place}/moved/1")
fs.copy(f"{place}/large", f"{place}/copied")
assert fs.checksum(f"{place}/copied")
fs.touch(f"{place}/empty")
assert fs.info(f"{place}/empty")["size"] == 0
fs.setxattr(f"{place}/small", copy_kwargs={"ContentType": "text/plain"}, colour="blue")
assert fs.metadata(f"{place}/small")["colour"] == "blue"
fs.put_tags(f"{place}/small", {"a": "b"})
assert fs.get_tags(f"{place}/small") == {"a": "b"}
fs.pipe_file(f"{bucket}/kept/ü.csv", b"a,b\n1,2\n")
fs.rm(place, recursive=True)
fs.invalidate_cache()
assert fs.find(bucket) == [f"{bucket}/kept/ü.csv"]
fs.mkdir("bucket-of-s3fs")
fs.rmdir("bucket-of-s3fs")
assert not fs.exists("bucket-of-s3fs")
print("done")
