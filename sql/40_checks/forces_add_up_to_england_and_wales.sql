-- guards: for each mid-year and vintage the forces hold everybody in England and Wales, once
-- required: yes
with forces as (
    select p.year, p.vintage, p.lookup_year, sum(p.persons) as forces, count(p.persons) as known, count(*) as all_forces,
    from crime_rates_core.area_populations as p
    join crime_rates_core.areas as a using (area_key)
    where a.level = 'pfa' and p.known_to = date '9999-12-31'
    group by all
),
councils as (
    select b.year, b.vintage, sum(p.persons) as councils,
    from crime_rates_core.population_bases as b
    join crime_rates_core.council_populations as p using (year, vintage, boundaries)
    group by all
),
printed as (
    select p.year::integer as year, s.vintage::date as vintage, max(p.persons) as printed,
    from input.populations as p
    join input.population_sources as s using (source_id)
    where p.area_kind = 'total'
    group by all
)
select f.year, f.vintage, f.lookup_year, f.forces, c.councils, p.printed, f.all_forces - f.known as forces_without,
from forces as f
join councils as c using (year, vintage)
left join printed as p using (year, vintage)
where f.forces is distinct from c.councils or f.forces <> p.printed
