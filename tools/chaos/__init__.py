"""A bench that troubles the real pipeline on purpose and counts what comes of it: `python -m tools.chaos`, `make chaos`.

One module a kind of trouble; `bench` starts the pipeline, `auditor` looks at what it left, `report` prints the counts.
"""
