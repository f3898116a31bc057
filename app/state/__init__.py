"""The gateway's own small state, shared by its workers."""
