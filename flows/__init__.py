"""The pipeline: from published files to a database, tables and a report that people can trust.

Each sub-package is a room; its docstring says what belongs in it and what does not. docs/architecture.md shows the whole.
"""
