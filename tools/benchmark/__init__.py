"""How fast the pipeline is, and in how much memory: each measure against a baseline of the same run.

`python -m tools.benchmark [--only csp,…] [--write]`, or `make bench`; `python -m tools.benchmark.profile`, or `make profile`,
says where the time goes. Both need full-size workbooks; `__main__` lists the measures, `rows` defines them, `pandas_way` is the
plain script that they are compared with.

The process that measures imports nothing heavy, because a child's peak of memory starts with that of the process it came from.
"""
