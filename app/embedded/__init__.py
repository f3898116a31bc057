"""A WebHDFS server over a local directory: the gateway's default backend.

It answers what a NameNode and a DataNode of Hadoop 3.4 answer, in the same process, and knows
nothing of the gateway: it may import the standard library, google_crc32c and its own modules.
"""

from app.embedded.server import create_server

__all__ = ["create_server"]
