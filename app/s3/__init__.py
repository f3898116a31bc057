"""S3: buckets are directories, objects are files; every operation stands in `table.py`."""

from app.s3.errors import PREFIX
from app.s3.errors import S3 as DIALECT
from app.s3.routing import S3

__all__ = ["DIALECT", "PREFIX", "S3"]
