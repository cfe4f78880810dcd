"""Readers of workbooks: ODS, XLSX, XLS and CSV files in, rows of text out.

Here belong formats and their traps. What the columns mean belongs to `offences`, `populations` and `areas`.
"""
