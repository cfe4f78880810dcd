"""The public services, one client each: HTTP in, typed records out.

`govuk` finds the releases, `nomis` and `ons_files` the populations, `geoportal` the lookups of councils; `catalogue`
makes one list of them and stores what it fetches, `local_folder` stands in for them all. `http_client` is the session they share,
`download` and `partial_download` fetch a file, `content_check` judges its first bytes, `webhook` posts a message. Neither Prefect
nor any reading of what is inside a workbook belongs here.
"""
