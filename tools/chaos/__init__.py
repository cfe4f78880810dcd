"""Makes the real pipeline fail on purpose, and counts what comes of it.

`python -m tools.chaos [--seed N] [--only kill,disk,…] [--write]`, or `make chaos`. One module a kind of trouble: `kill`, `disk`,
`answers` (bad HTTP answers), `together` (two runs at once), `readers` and `leftovers` of runs that died. `bench` starts the
pipeline, `auditor` checks what it left, `report` prints the counts.
"""
