"""Thousands of damaged workbooks: each has to be read right or refused in one sentence, in limited time and memory.

`python -m tools.fuzz --count 5000`, or `make fuzz`. `base` writes whole workbooks, `mutations` damages them at random,
`corpus` holds damage of known kinds, `xls` writes old Excel workbooks, `harness` reads a file as a run does and says what
came of it.
"""
