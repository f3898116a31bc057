"""The REST API of Alluxio's proxy: paths and streams; every operation stands in `table.py`."""

from app.streams.errors import ALLUXIO as DIALECT
from app.streams.errors import PREFIX
from app.streams.routing import Streams

__all__ = ["DIALECT", "PREFIX", "Streams"]
