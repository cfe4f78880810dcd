-- one row per mid-year, vintage and set of boundaries
select row_number() over (order by year, vintage, boundaries)::integer as set_key, year, vintage, boundaries,
from (select distinct year, vintage, boundaries from crime_rates_core.council_populations)
