"""How fast the pipeline is, and in how much memory: each measure against a baseline of the same run. Outside `make test`.

The process that measures imports nothing heavy, because a child's peak of memory starts with that of the process it came from.
"""
