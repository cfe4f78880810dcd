"""Writes five tables of data/reference from published files: areas, area_successions, council_successions, offence_codes and
england_and_wales.

`make reference`, or

    python -m tools.make_reference PUBLISHED

PUBLISHED holds ``home-office/recrime-geo-pfa.csv`` (Home Office geographical reference table),
``home-office/csp_names_2025-26.txt`` (partnership names of 2025/26),
``home-office/offence_codes_2012-13_to_2025-26.csv`` (codes and descriptions) and ``ons/LAD*_CSP*_PFA*_EW_LU*.csv`` (ONS
lookups). All are Open Government Licence v3.0. Facts are carried over into our own columns, and the reference table's gaps
are mended here, each with its reason, so that nothing is guessed from a likeness of names when the pipeline runs.
"""
