-- one row per area and unit, by the oldest lookup: whether published parts make up a whole
select area_key, unit,
from crime_rates_core.area_units
where lookup_year = (select min(lookup_year) from crime_rates_core.lookup_years)
