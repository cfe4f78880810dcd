"""Questions to the published database, answered as data.

Here belong SQL over the public tables and the look-up of what people type. No rate, interval, rank or population is worked out
here (that is `sql/`), and nothing is laid out for reading (that is `rendering`).
"""
