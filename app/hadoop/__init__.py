"""Hadoop's own protocols: RPC with the NameNode, DataTransferProtocol with the DataNodes.

Written for this gateway because no client library serves it: those that exist act for one user a
process, block the event loop, or are not maintained. Here every call is made as any user, over
sockets that gevent makes cooperative, and what is read or written passes piece by piece.

    client_protocol  what is asked of a NameNode    file_reading, file_writing  a file's bytes
    ipc_pool, ipc    calls and their connections    block_*, packets            one block's bytes
    messages         the answers' meaning           protobuf                    the wire

Only clusters without Kerberos and encryption are spoken to; whoever calls sees to that.
"""
