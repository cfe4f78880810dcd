-- one row per council, mid-year, vintage and set of boundaries. A file whose date is only the day on which it was fetched gives
-- the years that no dated file gives
with estimates as (
    select p.*, s.vintage::date as vintage, s.file_name,
    from input.populations as p
    join input.population_sources as s using (source_id)
    where p.area_kind = 'council'
    qualify s.vintage_source <> 'first fetched' or not bool_or(s.vintage_source <> 'first fetched') over (partition by p.year)
),
-- where a file does not say on which April's councils it stands, the newest succession that it knows tells
derived_boundaries as (
    select e.source_id, max(left(s.changed, 4)) as boundaries,
    from estimates as e
    join input.council_successions as s on s.whole_code = e.area_code
    group by all
)
select
    e.area_code as council_code, min(e.area_name) as council_name, e.year::integer as year, e.vintage,
    coalesce(e.boundaries, d.boundaries, 'as published') as boundaries,
    max(e.persons)::bigint as persons, min(e.file_name) as source_file,
    count(distinct e.persons)::integer as figures,
from estimates as e
left join derived_boundaries as d using (source_id)
group by e.area_code, e.year, e.vintage, coalesce(e.boundaries, d.boundaries, 'as published')
