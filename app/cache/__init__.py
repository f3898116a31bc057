"""The read cache: parts of files on the gateway's own disks, below all dialects."""
