"""WebHDFS itself, with a password or a token: every operation stands in `table.py`.

Documents and exceptions are those of Hadoop 3.4's NameNode, paths are the caller's.
"""

from app.webhdfs.errors import PREFIX
from app.webhdfs.errors import WEBHDFS as DIALECT
from app.webhdfs.routing import WebHdfs

__all__ = ["DIALECT", "PREFIX", "WebHdfs"]
