"""How answers look: text, Markdown, CSV, JSON, Parquet and XLSX.

Here belong wording, columns and number formats. Nothing here asks the database what an answer should be: it is handed the answer.
"""
