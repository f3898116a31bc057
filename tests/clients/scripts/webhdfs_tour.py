"""What people do with `hdfs`, fsspec's `webhdfs` and pandas: with user and password, or a token."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import fsspec
import hdfs
import pandas as pd
import requests

if TYPE_CHECKING:
    from collections.abc import Callable

URL, USER, PASSWORD, DIRECTORY = sys.argv[1:5]
PLACE = urlsplit(URL)
TRUSTED = os.environ.get("REQUESTS_CA_BUNDLE") or True
BIG = bytes(range(256)) * 40_000  # 10 MB: several of fsspec's blocks


def refusal(call: Callable[[], object]) -> str:
    try:
        call()
    except (hdfs.HdfsError, FileNotFoundError) as error:
        return str(error)
    raise AssertionError("it was not refused")


def with_hdfs() -> None:
    session = requests.Session()
    session.auth = (USER, PASSWORD)
    session.verify = TRUSTED
    client = hdfs.InsecureClient(URL, user=USER, session=session, root=DIRECTORY)
    client.makedirs("hdfs/deep", permission=755)
    client.write("hdfs/ü file", data=b"hello")
    with client.read("hdfs/ü file") as reader:
        assert reader.read() == b"hello"
    client.write("hdfs/ü file", data=b" world", append=True)
    assert "already exists" in refusal(lambda: client.write("hdfs/ü file", data=b"other"))
    with client.read("hdfs/ü file", offset=6, length=3) as reader:
        assert reader.read() == b"wor"
    with client.write("hdfs/streamed", encoding="utf-8") as writer:
        for number in range(1000):
            writer.write(f"line {number}\n")
    with client.read("hdfs/streamed", encoding="utf-8", delimiter="\n") as reader:
        assert sum(1 for line in reader if line) == 1000
    assert sorted(client.list("hdfs")) == ["deep", "streamed", "ü file"]
    assert client.status("hdfs/ü file")["length"] == 11
    assert client.content("hdfs")["fileCount"] == 2
    assert client.checksum("hdfs/ü file")["length"] == 28
    client.rename("hdfs/streamed", "hdfs/deep/moved")
    client.set_permission("hdfs/deep/moved", "600")
    client.set_times("hdfs/deep/moved", modification_time=1000)
    client.set_acl("hdfs/deep", "user:bob:r-x", clear=False)
    assert "user:bob:r-x" in client.acl_status("hdfs/deep")["entries"]
    assert client.status("hdfs/none", strict=False) is None
    walked = [(path, files) for path, _, files in client.walk("hdfs")]
    assert walked[-1] == (f"{DIRECTORY}/hdfs/deep", ["moved"]), walked
    assert client.delete("hdfs", recursive=True)
    assert not client.delete("hdfs")


def with_fsspec(**who: str) -> None:
    fs = fsspec.filesystem(
        "webhdfs", host=PLACE.hostname, port=PLACE.port, use_https=PLACE.scheme == "https",
        session_verify=TRUSTED, skip_instance_cache=True, **who)
    place = f"{DIRECTORY}/fsspec"
    fs.makedirs(f"{place}/deep", exist_ok=True)
    with fs.open(f"{place}/big", "wb") as file:
        file.write(BIG)
    with fs.open(f"{place}/big") as file:
        assert file.read() == BIG
        file.seek(-2, 2)
        assert file.read() == b"\xfe\xff"
    assert fs.cat_file(f"{place}/big", 0, 4) == b"\0\1\2\3"
    assert fs.info(f"{place}/big")["size"] == len(BIG)
    assert sorted(fs.ls(place, detail=False)) == [f"{place}/big", f"{place}/deep"]
    fs.mv(f"{place}/big", f"{place}/deep/big")
    assert fs.find(place) == [f"{place}/deep/big"]
    assert fs.ukey(f"{place}/deep/big")["length"] == 28
    assert fs.home_directory() == "/user/alice"
    assert refusal(lambda: fs.info(f"{place}/none")) == f"File does not exist: {place}/none"
    fs.rm(place, recursive=True)
    assert not fs.exists(place)


def with_pandas() -> None:
    options = {"user": USER, "password": PASSWORD, "session_verify": TRUSTED,
               "use_https": PLACE.scheme == "https"}
    url = f"webhdfs://{PLACE.netloc}{DIRECTORY}/table.csv"
    frame = pd.DataFrame({"a": [1, 2], "b": ["ü", "x"]})
    frame.to_csv(url, index=False, storage_options=options)
    assert pd.read_csv(url, storage_options=options).equals(frame)


def token() -> str:
    answer = requests.get(f"{URL}/webhdfs/v1/", params={"op": "GETDELEGATIONTOKEN"},
                          auth=(USER, PASSWORD), verify=TRUSTED, timeout=60)
    return answer.json()["Token"]["urlString"]


with_hdfs()
with_fsspec(user=USER, password=PASSWORD)
with_fsspec(token=token())
with_pandas()
print("done")
