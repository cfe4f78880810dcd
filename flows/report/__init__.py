"""The report: a half-year's tables as a static site that opens from a folder.

It selects rows, draws them and puts them into words. It computes no rate, rank or interval (those come from `sql/`), and it
answers no command on a terminal (that is `flows/rendering`).
"""
