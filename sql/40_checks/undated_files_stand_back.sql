-- guards: every file has a date; one without never outranks a dated one, and stands back where one covers the same
-- required: no
with quarters as (
    select release_id, file_name, level, published_source, published, unnest(quarters) as covers,
    from stage.releases
),
releases as (
    select u.file_name, u.published, count(*) as covered, string_agg(distinct d.file_name, ', ' order by d.file_name) as dated,
    from quarters as u
    join quarters as d on d.level = u.level and d.covers = u.covers and d.published_source <> 'first fetched'
    where u.published_source = 'first fetched'
    group by all
),
years as (
    select distinct s.file_name, s.vintage, s.vintage_source, p.year,
    from input.populations as p
    join input.population_sources as s using (source_id)
),
populations as (
    select u.file_name, u.vintage::date as fetched, count(distinct u.year) as covered,
        string_agg(distinct d.file_name, ', ' order by d.file_name) as dated,
    from years as u
    join years as d on d.year = u.year and d.vintage_source <> 'first fetched'
    where u.vintage_source = 'first fetched'
    group by all
)
select printf(
    '%s tells no date, only that it was fetched on %s; quarters taken from %s instead: %d', file_name, published, dated, covered
) as finding
from releases
union all
select printf(
    '%s tells no date, only that it was fetched on %s; years taken from %s instead: %d', file_name, fetched, dated, covered
)
from populations
