-- one row per level, area, mid-year, vintage and set of boundaries
select
    'council' as level, council_code as area_code, council_name as area_name, year, vintage, boundaries, persons,
    'published' as method, source_file,
from crime_rates_core.council_populations
union all
select
    a.level, a.area_code, a.area_name, s.year, s.vintage, s.boundaries, p.persons, p.method,
    f.source_file,
from crime_rates_core.all_area_populations as p
join crime_rates_core.areas as a using (area_key)
join crime_rates_core.population_sets as s using (set_key)
join (
    select year, vintage, boundaries, string_agg(distinct source_file, '; ' order by source_file) as source_file,
    from crime_rates_core.council_populations
    group by all
) as f using (year, vintage, boundaries)
join crime_rates_core.year_lookups as l
    on l.start_year = s.year + 1 and l.lookup_year = p.lookup_year  -- composed as for the year that this estimate divides
where p.persons is not null and p.known_to = date '9999-12-31'
