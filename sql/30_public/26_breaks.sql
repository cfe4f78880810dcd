-- one row per break in what is counted, which is a step in the figures and not in crime
select
    break_key, level, area_name, force_name, offence_level, offence_code, first_quarter, half_year, kind, basis, note, source,
from crime_rates_core.all_breaks
