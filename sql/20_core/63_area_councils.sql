-- one row per area, lookup year, population set and council of it that touches the area, and how many of its units lie inside
select
    a.area_key, a.lookup_year, p.set_key, p.year, p.vintage, p.council_code, p.council_name, p.persons, p.units,
    count(*) as units_inside,
from crime_rates_core.area_units as a
join crime_rates_core.council_unit_populations as p using (unit)
group by all
