-- one row per population set, council of it and unit of that council
with council_sizes as (
    select council_code, count(*) as units,
    from crime_rates_core.council_units
    group by all
)
select s.set_key, s.year, s.vintage, p.council_code, p.council_name, p.persons, p.source_file, u.unit, z.units,
from crime_rates_core.council_populations as p
join crime_rates_core.population_sets as s using (year, vintage, boundaries)
join crime_rates_core.council_units as u using (council_code)
join council_sizes as z using (council_code)
