"""What `httpfs-proxy check` looks at: each module at one subject, and none changes anything.

What is right and what is wrong is told to a `Report`, in words for who runs the gateway and never
with a secret in them. `checking.check` asks them all.
"""
