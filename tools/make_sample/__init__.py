"""Writes data/sample: small releases, populations and lookups, to run on without a network. `make sample`, or

    python -m tools.make_sample PUBLISHED

PUBLISHED is a folder of published files, all under the Open Government Licence v3.0:

| file | what it is |
|---|---|
| ``home-office/prc-pfa_release-2026-04-23.parquet`` | the force table of 23 April 2026 |
| ``home-office/csp_names_2025-26.txt`` | partnership names |
| ``published/policeforceareatablesyejune25final.csv`` | ONS Table C2, offences by partnership, year ending June 2025 |
| ``ons/…`` | the mid-year estimates and lookups that `population_files` names |

`home_office` reads the force table and the partnerships, `shares` splits one over the other, `newspaper` holds what was
printed in February 2016, `releases` and `population_files` write. Running it twice gives the same bytes.
data/sample/README.md says what in the sample is real and what is simulated.
"""
