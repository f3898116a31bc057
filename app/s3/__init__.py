"""S3: buckets are directories, objects are files; every operation stands in `table.py`."""
