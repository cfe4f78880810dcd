-- one row per basis, level and quarter for which that basis has figures, with the half-year that it belongs to
with levels as (
    select unnest(['csp', 'pfa', 'region', 'country']) as level,
)
select b.basis, l.level, q.quarter_key, q.half_year_key, q.half_year,
from crime_rates_core.quarters as q
cross join levels as l
cross join (select unnest(['published', 'harmonised']) as basis) as b
union all
select 'pieced', p.level, q.quarter_key, q.half_year_key, q.half_year,
from crime_rates_core.quarters as q
join crime_rates_core.pieced_half_years as p using (half_year_key)
