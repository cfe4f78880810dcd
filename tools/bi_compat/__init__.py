"""Real clients against a published database, while another is published. `python -m tools.bi_compat`, or `make bi`.

Each client runs in a process and an environment of its own, so that its pins never touch ours. What a client is asked
stands in clients/, one file a client, as its users would write it. What came of it is written into docs/clients.md.
"""
