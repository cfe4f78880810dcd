"""A streaming reader of ODS spreadsheets, for sheets that are too large to hold in memory as a document.

Here belongs OpenDocument XML only. A file with features that this reader does not support is left to `calamine`.
"""
