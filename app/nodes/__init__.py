"""The gateways that share a state store: who lives, who is the primary one, who is withdrawn."""
