-- one row per council, mid-year, vintage and set of boundaries
create table crime_rates_core.council_populations as
with stated as (
    select p.*, s.vintage::date as vintage, s.file_name,
    from input.populations as p
    join input.population_sources as s using (source_id)
    where p.area_kind = 'council'
),
-- where a file does not say on which April's councils it stands, the newest succession that it knows tells
derived as (
    select t.source_id, max(left(s.changed, 4)) as boundaries
    from stated as t
    join input.council_successions as s on s.whole_code = t.area_code
    group by all
)
select
    t.area_code as council_code, min(t.area_name) as council_name, t.year::integer as year, t.vintage,
    coalesce(t.boundaries, d.boundaries, 'as published') as boundaries,
    max(t.persons)::bigint as persons, min(t.file_name) as source_file,
    count(distinct t.persons)::integer as figures,
from stated as t
left join derived as d using (source_id)
group by t.area_code, t.year, t.vintage, coalesce(t.boundaries, d.boundaries, 'as published');

-- one row per mid-year, vintage and set of boundaries
create table crime_rates_core.population_sets as
select row_number() over (order by year, vintage, boundaries)::integer as set_key, year, vintage, boundaries,
from (select distinct year, vintage, boundaries from crime_rates_core.council_populations);
