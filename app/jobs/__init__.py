"""Work that goes on after the answer, in whichever worker of the gateways lives.

A job is a record in the state store from before its beginning until a while after its end. It knows
nothing of what the work is: kinds of jobs are registered as functions. No Flask here.
"""

from __future__ import annotations

EXTENSION = "httpfs_proxy.jobs"
"""Under which name the application keeps its jobs for the server that runs it."""
