"""Downloads of http and https sources into buckets, and what keeps them out of the inside.

A link is read strictly (`links`), its host must be allowed and every address that it has must be
one that the settings let through (`guard`), and the connection goes to the very address that was
looked at (`fetching`). The job around that is in `work`; what is to be fetched, in `plan`.
"""
