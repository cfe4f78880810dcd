"""A streaming reader of ODS spreadsheets, for sheets that are too large to hold as a document.

Here belongs OpenDocument XML only. Where a book is not plain enough the reader says so, and `calamine` reads it.
"""
