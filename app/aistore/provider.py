"""The words for where a bucket is from. All buckets here are AIStore's own (`ais`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import InvalidRequest, printable

if TYPE_CHECKING:
    from app.aistore.call import AIStoreCall

AIS = "ais"
OWN = ("", AIS, "local", "none", "all")
CLOUD = ("cloud", "aws", "gcp", "azure", "hdfs", "ht")
PARAMETERS = ("provider", "bprovider", "cloud_provider")


def provider_of(call: AIStoreCall) -> str:
    """Return the word that the query has, "" for none. Raises InvalidRequest for an unknown one."""
    for name in PARAMETERS:
        if word := call.param(name):
            return checked(word)
    return ""


def checked(word: str) -> str:
    """Return a word that is known. Raises InvalidRequest."""
    if word not in OWN + CLOUD:
        raise InvalidRequest(f'invalid cloud provider "{printable(word)}": must be one of'
                             f" [{', '.join(OWN[1:] + CLOUD)}]")
    return word
