"""Operations on storage, erasure coding and quotas, and where blocks lie; HDFS's own documents."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from app.fs.documents import Administration, Document
from app.webhdfs import documents
from app.webhdfs.documents import answer
from app.webhdfs.given import MAX_LONG, illegal
from app.webhdfs.operation import Operation

if TYPE_CHECKING:
    from werkzeug import Response

    from app.webhdfs.call import WebHdfsCall

_TYPES = ("RAM_DISK", "SSD", "DISK", "ARCHIVE", "PROVIDED", "NVDIMM")


def of_path(kind: Document, call: WebHdfsCall) -> Response:
    """Answer a document of a path."""
    found = call.files.document(call.path, kind)
    return answer({kind.key: found} if kind.key else found)


def of_cluster(kind: Document, call: WebHdfsCall) -> Response:
    """Answer a document of the whole cluster."""
    return answer({kind.key: call.files.document_of_cluster(kind)})


def blocks(kind: Document, call: WebHdfsCall) -> Response:
    """Answer where the blocks of a part of a file lie; DataNodes themselves are out of reach."""
    offset = call.given.number("offset", least=0) or 0
    length = call.given.number("length", least=0)
    found = call.files.document(call.path, kind, offset=offset,
                                length=MAX_LONG if length is None else length)
    return answer({kind.key: found})


def set_storage_policy(call: WebHdfsCall) -> Response:
    """Set where the blocks of what is at a path shall lie."""
    policy = call.given.text("storagepolicy")
    if policy is None:
        raise illegal("Storage policy name is empty.")
    call.files.administer(call.path, Administration.SET_STORAGE_POLICY, storagepolicy=policy)
    return documents.done()


def change_path(kind: Administration, call: WebHdfsCall) -> Response:
    """Make a change that needs nothing but the path."""
    call.files.administer(call.path, kind)
    return documents.done()


def set_coding_policy(call: WebHdfsCall) -> Response:
    """Set the erasure coding of a directory."""
    call.files.administer(call.path, Administration.SET_CODING_POLICY,
                          ecpolicy=call.given.required("ecpolicy"))
    return documents.done()


def switch_coding_policy(kind: Administration, call: WebHdfsCall) -> Response:
    """Have a policy of erasure coding be one to choose from, or not."""
    call.files.administer_cluster(kind, ecpolicy=call.given.required("ecpolicy"))
    return documents.done()


def set_quota(call: WebHdfsCall) -> Response:
    """Set the quotas of names and bytes; -1 clears one, none leaves it."""
    names = call.given.number("namespacequota", least=-1)
    space = call.given.number("storagespacequota", least=-1)
    call.files.set_quota(call.path, names, space)
    return documents.done()


def set_quota_by_type(call: WebHdfsCall) -> Response:
    """Set the quota of bytes on one type of storage; -1 clears it."""
    storage_type = call.given.required("storagetype").upper()
    if storage_type not in _TYPES:
        raise illegal(f"No enum constant org.apache.hadoop.fs.StorageType.{storage_type}")
    call.files.administer(
        call.path, Administration.SET_QUOTA_BY_TYPE, storagetype=storage_type,
        storagespacequota=call.given.number("storagespacequota", least=-1))
    return documents.done()


OPERATIONS = (
    Operation("GET", "GETALLSTORAGEPOLICY", partial(of_cluster, Document.STORAGE_POLICIES)),
    Operation("GET", "GETSTORAGEPOLICY", partial(of_path, Document.STORAGE_POLICY)),
    Operation("GET", "GETECPOLICY", partial(of_path, Document.CODING_POLICY)),
    Operation("GET", "GETECPOLICIES", partial(of_cluster, Document.CODING_POLICIES)),
    Operation("GET", "GETECCODECS", partial(of_cluster, Document.CODECS)),
    Operation("GET", "GETFILEBLOCKLOCATIONS", partial(blocks, Document.BLOCKS)),
    Operation("GET", "GET_BLOCK_LOCATIONS", partial(blocks, Document.LOCATED_BLOCKS)),
    Operation("GET", "GETSERVERDEFAULTS", partial(of_cluster, Document.DEFAULTS)),
    Operation("GET", "GETSTATUS", partial(of_cluster, Document.STATUS)),
    Operation("PUT", "SETSTORAGEPOLICY", set_storage_policy),
    Operation("PUT", "SATISFYSTORAGEPOLICY",
              partial(change_path, Administration.SATISFY_STORAGE_POLICY)),
    Operation("PUT", "SETECPOLICY", set_coding_policy),
    Operation("PUT", "ENABLEECPOLICY",
              partial(switch_coding_policy, Administration.ENABLE_CODING_POLICY)),
    Operation("PUT", "DISABLEECPOLICY",
              partial(switch_coding_policy, Administration.DISABLE_CODING_POLICY)),
    Operation("PUT", "SETQUOTA", set_quota),
    Operation("PUT", "SETQUOTABYSTORAGETYPE", set_quota_by_type),
    Operation("POST", "UNSETSTORAGEPOLICY",
              partial(change_path, Administration.UNSET_STORAGE_POLICY)),
    Operation("POST", "UNSETECPOLICY", partial(change_path, Administration.UNSET_CODING_POLICY)),
)
