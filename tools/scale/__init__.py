"""The pipeline past one machine, tried on one: work pools, Dask workers, hosts apart, many readers, many rows.

`python -m tools.scale [--only PART,PART] [--write]`, or `make scale`. Each part is a module with a function `run(folder, write)`
that yields lines as it goes; where something that a part needs is missing, the line says so.
"""
