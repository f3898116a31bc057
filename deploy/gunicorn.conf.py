"""gunicorn, tuned for the gateway: `gunicorn --config deploy/gunicorn.conf.py 'app:create_app()'`.

This file is Python, and gunicorn reads it again on each reload (SIGHUP). What is different from
one host to the next comes from the environment:

    GATEWAY_BIND              where to listen: host:port, [::]:port, unix:/path, fd://3; several
                              with commas between (127.0.0.1:8080)
    GATEWAY_WORKERS           worker processes (one for each CPU, at least 2)
    GATEWAY_TLS_CERT          a PEM file, the server's certificate first; switches TLS on
    GATEWAY_TLS_KEY           its private key, where that is not in the same file
    GATEWAY_TLS_CLIENT_CA     a PEM file of authorities: clients are asked for their certificates
    GATEWAY_TLS_CLIENT_CERT   optional (default) or required: whether clients must have one
    GATEWAY_GRACEFUL_TIMEOUT  seconds that a stop or a reload waits for transfers under way (3600)
    GATEWAY_STALL_TIMEOUT     seconds after which a client that takes no byte is given up (300)

Options on gunicorn's command line win over this file. The figures behind the choices stand in
deploy/README.md.
"""

import os
import socket
import ssl
from collections.abc import Callable
from typing import Any

from app.web import reloading, tls
from app.web.server import pre_request as pre_request  # noqa: PLC0414 - gunicorn looks for it here


def seconds(variable: str, default: int) -> int:
    """Return a whole number of seconds from the environment."""
    given = os.environ.get(variable, str(default))
    if not given.isdecimal() or int(given) < 1:
        raise ValueError(f"{variable}={given!r} is not a whole number of seconds from 1")
    return int(given)


# --- Listening -------------------------------------------------------------------------------

# Loopback: nothing is exposed by accident. Behind a proxy on the same host this is right; to serve
# the network directly, say GATEWAY_BIND=0.0.0.0:8443 and switch TLS on.
bind = os.environ.get("GATEWAY_BIND", "127.0.0.1:8080").split(",")

# A Unix socket is for the gateway's user and group. Whoever connects to one passes for a trusted
# proxy, and can name any client's address, or certificate: give nginx's user that group.
umask = 0o007

# Connections that wait in the kernel while the workers are busy or being replaced. The kernel's
# net.core.somaxconn (4096 on Linux) is the upper limit.
backlog = 2048

# --- Workers ---------------------------------------------------------------------------------

# gevent: one process serves thousands of connections at once, a slow client costs a greenlet and
# not a thread, and short calls need less CPU than with gthread. sync serves one client at a time
# and is for nothing but trying out. See the measurements in deploy/README.md. (With gthread say
# `--threads` too: it is the number of transfers that a worker has under way at once.)
# This is gevent's worker with fewer system calls for a short answer (app/web/worker.py).
worker_class = "app.web.worker.GatewayWorker"

# One process for each CPU that this one may use: a process computes (TLS, gzip, JSON) on one CPU.
# Two at least, so that one goes on serving while the other computes or is being replaced.
CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
workers = int(os.environ.get("GATEWAY_WORKERS") or os.environ.get("WEB_CONCURRENCY")
              or max(2, CPUS))

# Connections of one worker, idle ones included; more wait in the backlog. Each needs one file
# descriptor towards the client and one towards HDFS: the limit on open files (`ulimit -n`,
# LimitNOFILE= in the unit) must be more than twice this.
worker_connections = 2000

# A worker that does not report for this long hangs, and is killed and replaced. gevent and gthread
# workers report each second, whatever their transfers do, so this never ends a transfer there. A
# sync worker reports between requests only: any transfer longer than this is cut off, so give
# `--timeout 0` with it.
timeout = 120

# After SIGTERM (stop) and SIGHUP (reload) a worker takes no new connection and finishes what it
# has; what is not done after this time is cut off, and an interrupted upload leaves the old file as
# it was. The time is for the longest transfer to wait for: 5 GiB at 12 Mbit/s are an hour. Nobody
# waits longer than there are transfers. SIGINT or SIGQUIT end everything at once. Jobs that can go
# on elsewhere are handed on at once, the others (sorting) are waited for like transfers.
# During a reload gunicorn's main process waits for the old workers and obeys other signals, SIGTERM
# included, only when they are gone.
graceful_timeout = seconds("GATEWAY_GRACEFUL_TIMEOUT", 3600)

# Seconds for which an idle connection stays open for a next request, and at the same time the time
# in which a client must have sent the whole head of a request. A proxy in front must close its own
# idle connections earlier (nginx.conf: 8 s), or it sends a request into a closing connection.
# A stop waits that long for idle connections, too.
keepalive = 10

# The application is loaded in each worker and not before the fork: gevent must have replaced the
# socket module first, the state store's connections must not cross a fork, and a reload has to read
# configuration and code again. It costs some 30 MiB for each worker.
preload_app = False

# The file by which a worker reports. In memory, so that a slow disk never looks like a dead worker.
if os.access("/dev/shm", os.W_OK):  # noqa: S108 - a mount point, and gunicorn's files have no name
    worker_tmp_dir = "/dev/shm"  # noqa: S108

# --- Requests --------------------------------------------------------------------------------

# HDFS paths have up to 8,000 bytes, three times that percent-encoded; 8190 is the most that
# gunicorn takes short of no limit at all. Longer request lines are answered with 414.
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190

# S3 clients have metadata whose names have underscores (x-amz-meta-a_b). gunicorn keeps such names
# only in this mode; the hook `pre_request` takes out all others before the application is called,
# so that none can pass for another header.
header_map = "dangerous"

# gunicorn believes no proxy. The application does, those in web.trusted_proxies (gateway.yaml), and
# needs to see what they really sent. (A client on a Unix socket counts as trusted for gunicorn,
# whatever its list says; so there is nothing to trust it with.)
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""

# --- What is written down --------------------------------------------------------------------

# The application's audit log has a line for each request, and knows the user and the outcome.
# Errors and the workers' comings and goings go to standard error.
accesslog = None
errorlog = "-"

# gunicorn's socket for `gunicornc` is one more way in, and nothing here needs it.
control_socket_disable = True

# --- TLS -------------------------------------------------------------------------------------

CERTIFICATE = os.environ.get("GATEWAY_TLS_CERT", "")
KEY = os.environ.get("GATEWAY_TLS_KEY", "")
CLIENT_CA = os.environ.get("GATEWAY_TLS_CLIENT_CA", "")
CLIENT_CERT = os.environ.get("GATEWAY_TLS_CLIENT_CERT", "optional")
for variable in ("KEY", "CLIENT_CA"):
    if os.environ.get(f"GATEWAY_TLS_{variable}") and not CERTIFICATE:
        raise ValueError(f"GATEWAY_TLS_{variable} is set, GATEWAY_TLS_CERT is not")
if CLIENT_CERT not in ("optional", "required"):
    raise ValueError(f"GATEWAY_TLS_CLIENT_CERT={CLIENT_CERT!r} is not 'optional' or 'required'")

# The files are read here, once for each start and reload (SIGHUP), and tried. What a reload finds
# and cannot use is refused and logged, and the certificate before stays (app/web/tls.py).
HELD = tls.held(CERTIFICATE, KEY, CLIENT_CA) if CERTIFICATE else None
certfile = HELD.certificate if HELD else None

# A certificate that a client has and that is not of these authorities ends the handshake. Whose it
# is, the application decides (the way `certificate` in auth.ways).
if CLIENT_CA:
    cert_reqs = ssl.CERT_REQUIRED if CLIENT_CERT == "required" else ssl.CERT_OPTIONAL


def ssl_context(config: Any, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Take TLS 1.2 and 1.3, with forward secrecy and authenticated encryption only."""
    return tls.context(config, default, HELD.client_ca if HELD else "")


def on_reload(server: Any) -> None:
    """Tell what became of the certificate, new or not."""
    if HELD:
        HELD.told(server.log)


# --- Hooks -----------------------------------------------------------------------------------

STALL_SECONDS = seconds("GATEWAY_STALL_TIMEOUT", 300)


def when_ready(server: Any) -> None:
    """Have a reload refused that would end the gateway, and the kernel end dead connections.

    With a mistake in gateway.yaml no new worker starts: at SIGHUP the old ones go on, and the log
    says what is wrong (app/web/reloading.py).

    Connections inherit from the listening socket that their dead clients are noticed. Without it a
    client that stops reading in the middle of a download, or vanishes without a word, holds its
    connection and HDFS's for ever.
    """
    reloading.guard(server)
    for listener in server.LISTENERS:
        if listener.sock.family in (socket.AF_INET, socket.AF_INET6):
            listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            listener.sock.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALL_SECONDS * 1000)  # of Linux
