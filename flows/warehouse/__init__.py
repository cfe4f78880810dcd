"""The published database: how it is built from the lake, checked, published, kept, exported and copied to DuckLake.

Here belongs the running of the models in `sql/`; the rules themselves stand there. Nothing here fetches or reads workbooks.
"""
