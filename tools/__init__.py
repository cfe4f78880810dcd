"""Programs that are neither the product nor its tests: they make data, measure, and make things fail.

| program | what it is for | run it with |
|---|---|---|
| `make_sample` | writes data/sample from published files | `make sample` |
| `make_reference` | writes tables of data/reference from published files | `make reference` |
| `make_backtest_facts` | writes the printed figures of tests/backtests/facts from published files | `make facts` |
| `benchmark` | measures speed and memory against baselines of the same run | `make bench`, `make profile` |
| `fuzz` | damages workbooks, and checks that each is read or refused | `make fuzz` |
| `chaos` | kills, starves and misinforms the pipeline, and counts what is lost | `make chaos` |
| `bi_compat` | reads a published database with real BI clients | `make bi` |
| `scale` | runs the pipeline on pools, clusters, many readers and many rows | `make scale` |

Their own tests are in tests/tools.
"""
