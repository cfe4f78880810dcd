-- one row per half-year and level; has_pieces: whether areas stand in pieces then, so that harmonised figures differ
with levels as (
    select unnest(['csp', 'pfa', 'region', 'country']) as level, unnest(['csp', 'pfa', 'pfa', 'pfa']) as published_level,
),
covered as (
    select
        l.level, quarter_key // 2 as half_year_key, count(*) = 2 as complete, arg_max(release_id, quarter_key) as release_id,
    from crime_rates_core.release_quarters as q
    join levels as l on l.published_level = q.level
    where valid_to = date '9999-12-31'
    group by all
)
select
    h.half_year, h.period_start, h.period_end, c.level, c.complete, c.release_id,
    row_number() over (order by h.half_year, c.level)::integer as half_year_key,
    p.level is not null as has_pieces,
from covered as c
join crime_rates_core.half_years as h using (half_year_key)
left join crime_rates_core.pieced_half_years as p using (level, half_year_key)
