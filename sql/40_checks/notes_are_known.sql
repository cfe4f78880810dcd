-- guards: every note of a release on its forces has a rule in data/reference/withdrawn_figures.csv
-- required: no
select release_id, note from crime_rates_core.unknown_notes
