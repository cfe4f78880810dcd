"""Where files lie: the data folder, raw files, the lake, the run log, locks, and their copy in an object store.

Here belong paths, manifests and who may write. What is in the files belongs to `transforms`, what readers see to `warehouse`.
"""
