"""The gateways that share a state store: who lives, who is the primary one, who is withdrawn."""

EXTENSION = "httpfs_proxy.nodes"
"""Where the application keeps them for the server that runs it."""
