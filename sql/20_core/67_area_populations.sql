-- one row per area, lookup year, mid-year and vintage, on the set of boundaries that resolves best
select p.area_key, p.lookup_year, b.year, b.vintage, b.boundaries, p.persons, p.method, p.note,
from crime_rates_core.all_area_populations as p
join crime_rates_core.population_bases as b using (set_key)
