-- one row per half-year and level
create table half_years as
with levels as (
    select unnest(['csp', 'pfa', 'region', 'country']) as level, unnest(['csp', 'pfa', 'pfa', 'pfa']) as published_level
),
covered as (
    select
        l.level, quarter_key // 2 as half_year_key, count(*) = 2 as complete, arg_max(release_id, quarter_key) as release_id,
    from crime_rates_core.release_quarters as q
    join levels as l on l.published_level = q.level
    where valid_to = date '9999-12-31'
    group by all
)
select h.half_year, h.period_start, h.period_end, c.level, c.complete, c.release_id,
from covered as c
join crime_rates_core.half_years as h using (half_year_key);

-- one row per level and area that any release has figures for
create table areas as
with seen as (
    select m.area_key, min(half_year) as first_half_year, max(half_year) as last_half_year,
    from crime_rates_core.area_quarters as q
    join crime_rates_core.area_members as m on m.member_key = q.area_key and m.basis = 'published'
    join crime_rates_core.half_years on half_year_key = quarter_key // 2
    group by all
)
select
    a.level, a.area_code, a.area_name, a.force_name, a.region_name, s.first_half_year, s.last_half_year,
    a.kind <> 'unassigned' as is_place,
from crime_rates_core.areas as a
join seen as s using (area_key);

-- one row per offence level and offence
create table offences as
with seen as (
    select offence_key, min(half_year) as first_half_year, max(half_year) as last_half_year,
    from (select distinct offence_key, quarter_key // 2 as half_year_key from crime_rates_core.count_history)
    join crime_rates_core.half_years using (half_year_key)
    group by all
)
select
    r.offence_level, r.code as offence_code, r.name as offence_name,
    min(r.subgroup) as subgroup,
    min(r.offence_group) as offence_group,
    min(s.first_half_year) as first_half_year, max(s.last_half_year) as last_half_year,
from crime_rates_core.offence_rollup as r
join seen as s using (offence_key)
group by all;

-- one row per level, area, mid-year, vintage and set of boundaries
create table populations as
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
where p.persons is not null;

-- one row per release
create table releases as
select
    release_id, file_name, sha256, level as table_kind, published, published_source,
    list_min(quarters) as first_quarter, list_max(quarters) as last_quarter, rows, simulated, source_url, note,
from stage.releases;
