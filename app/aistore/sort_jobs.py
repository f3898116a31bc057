"""What the jobs that sort shards stand on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from app.auth.job_tokens import JobTokens
from app.downloads.reading import fetched
from app.sorting.order_files import OrderFiles
from app.sorting.sorting import Sorting

if TYPE_CHECKING:
    from app.jobs.jobs import Jobs
    from app.web.services import Services


def register(jobs: Jobs, services: Services) -> None:
    """Have sorts done; order files from elsewhere come as downloads do."""
    Sorting(
        services.settings, JobTokens(services.store, services.users), services.objects_of,
        OrderFiles(partial(fetched, services.settings.download)), services.node_id,
    ).register(jobs)
