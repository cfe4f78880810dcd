-- one row per change of recording that is known: of a level and area (empty: of all), of an offence (empty: of all)
select level, area_name, offence_code, half_year, what, source,
from input.recording_breaks
