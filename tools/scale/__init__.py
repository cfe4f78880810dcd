"""The pipeline past one machine, shown on one: work pools, Dask workers, many readers, many rows. `python -m tools.scale`.

Each part is a module with a function `run(folder)` that yields lines as it goes; what a part needs and does not find is a line
that says so.
"""
