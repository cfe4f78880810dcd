-- one row per partnership release, force and quarter whose partnerships, with what the force leaves unassigned, do not come near
-- the force table that stood beside it. Between two releases of 2017/18 no quarter of a force moved by more than 7%
with force_counts as (
    select g.level, a.force_name, g.quarter_key, g.release_key, q.valid_from, q.valid_to, sum(g.offences) as offences,
    from stage.area_group_quarters as g
    join crime_rates_core.areas as a using (area_key)
    join stage.release_quarters as q
        on q.release_key = g.release_key and q.level = g.level and q.quarter_key = g.quarter_key
    where g.group_name is null and a.region_name is not null
    group by all
)
select
    c.release_key, c.force_name, c.quarter_key, c.offences::bigint as offences, f.offences::bigint as force_offences,
    greatest(c.valid_from, f.valid_from) as valid_from, least(c.valid_to, f.valid_to) as valid_to,
from force_counts as c
join force_counts as f
    on f.force_name = c.force_name and f.quarter_key = c.quarter_key
    and f.valid_from < c.valid_to and f.valid_to > c.valid_from
where c.level = 'csp' and f.level = 'pfa' and abs(c.offences - f.offences) > greatest(100, 0.1 * abs(f.offences))
