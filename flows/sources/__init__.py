"""The public services, one client each: HTTP in, typed records out.

`govuk` finds the releases, `nomis` and `ons_files` the populations, `geoportal` the lookups of councils; `http` holds
the session they share, `download` fetches a file (`part` is one still coming), `files` judges names and first bytes,
`errors` says what went wrong. What does not belong here: Prefect, settings, the raw store, and any reading of what is
inside a workbook.
"""
