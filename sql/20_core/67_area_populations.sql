-- one row per area, lookup year, mid-year, vintage and span of days with the same parts known, on the set of boundaries that resolves best
select p.area_key, p.lookup_year, b.year, b.vintage, b.boundaries, p.known_from, p.known_to, p.persons, p.method, p.note,
from crime_rates_core.all_area_populations as p
join crime_rates_core.population_bases as b using (set_key)
