"""Reads a published database with real BI clients, while another one is published.

`python -m tools.bi_compat [words of clients …]`, or `make bi`. Each client runs in a process and an environment of its own, so
that its pins never touch ours. What a client is asked is in clients/, one file a client, as its users would write it. A run of
all clients writes docs/clients.md.
"""
