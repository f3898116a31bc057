"""The errors of sorting shards; a branch of the tree in errors.py.

GatewayError
├── InvalidRequest: NoSuchJob: NoSuchSort    no sort of this user has this id, or it was forgotten
├── Unsupported: NoSpark             what sorts is not installed
└── SortFailed                       the sort was given up
"""

from __future__ import annotations

from app.core.errors import GatewayError, Unsupported, printable
from app.core.job_errors import NoSuchJob


class NoSuchSort(NoSuchJob):
    """No sort has this id, or none that the caller may see."""

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.args = (f'dSort job with id "{printable(job_id)}" has not been found',)


class NoSpark(Unsupported):
    """Sorting is not possible here, for what the message says."""


class SortFailed(GatewayError):
    """The sort was given up, for what the message says."""
