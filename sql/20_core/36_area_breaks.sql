-- one row per break of some areas, area and offence group that it holds for; an empty group: the total. A break of a force
-- holds for its partnerships. Boundaries are left out: an area has no rows from before it, or the rows of its pieces added up
with groups as (
    select distinct coalesce(offence_group, '') as offence_group,
    from crime_rates_core.offence_rollup
),
touched as (
    select b.*, a.area_key,
    from crime_rates_core.all_breaks as b
    join crime_rates_core.areas as a
        on (a.level = b.level or (a.level = 'csp' and b.level = 'pfa'))
        and a.force_name = b.force_name
        and (b.level = 'pfa' or a.area_name = coalesce(b.area_name, a.area_name))
    where a.kind <> 'unassigned' and b.kind <> 'boundary'
    union all
    select b.*, m.area_key,
    from crime_rates_core.all_breaks as b
    join crime_rates_core.areas as f on f.level = b.level and f.area_name = b.area_name
    join crime_rates_core.area_members as m on m.member_key = f.area_key and m.basis = 'published' and m.area_key <> m.member_key
    where b.level = 'pfa' and b.wholes_too
)
select distinct t.break_key, t.half_year, t.area_key, g.offence_group,
from touched as t
join groups as g
    on t.offence_level is null
    or (t.offence_level = 'group' and g.offence_group = t.offence_code)
    or (t.offence_level = 'total' and g.offence_group = '')
