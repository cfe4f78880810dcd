-- one row per area, quarter, offence code and time in which the release that stands has no row for it, though it should:
-- dropped: an earlier release had one; missing: the release lists other places with their noughts, so no row does not mean nought
with
-- a later release that no longer has the row. Where it has the code in no quarter of that year it has recoded the offence,
-- and where it has the whole of which the area was a piece the area has new boundaries: neither is lost
dropped as (
    select v.area_key, a.level, v.quarter_key, v.offence_key, v.release_key, v.valid_from, v.valid_to,
    from stage.count_versions as v
    join stage.areas as a using (area_key)
    where not v.is_published
        and exists (
            from stage.release_codes as c
            where c.release_key = v.release_key and c.level = a.level and c.offence_key = v.offence_key
                and c.quarter_key // 4 = v.quarter_key // 4
        )
        and not exists (
            from crime_rates_core.area_members as m
            join stage.area_quarters as w on w.area_key = m.area_key and w.release_key = v.release_key
            where m.basis = 'harmonised' and m.member_key = v.area_key and m.area_key <> v.area_key
                and w.quarter_key = v.quarter_key
        )
),
places as (
    select g.release_key, g.level, g.area_key, g.quarter_key, g.codes,
    from stage.area_group_quarters as g
    join stage.areas as a using (area_key)
    where g.group_name is null and a.kind <> 'unassigned'
),
place_quarters as (
    select release_key, level, quarter_key, count(*) as places, max(codes) as most_codes,
    from places
    group by all
),
-- a code that at least half of the places have is one that every place should have
general_codes as (
    select c.release_key, c.level, c.quarter_key, c.offence_key,
    from stage.release_codes as c
    join place_quarters as q using (release_key, level, quarter_key)
    where c.areas * 2 >= q.places
),
-- of a release that leaves out noughts fewer than nine cells in ten are there; the fuller quarter of a half-year tells
filled_quarters as (
    select release_key, level, quarter_key, sum(least(c.areas, q.places)) / sum(q.places) as filled,
    from stage.release_codes as c
    join place_quarters as q using (release_key, level, quarter_key)
    group by all
),
listing_half_years as (
    select release_key, level, quarter_key // 2 as half_year_key,
    from filled_quarters
    group by all
    having max(filled) >= 0.9
),
-- a code that every place lacks in a quarter between others of one year
skipped_codes as (
    select q.release_key, q.level, q.quarter_key, c.offence_key,
    from place_quarters as q
    join (
        select release_key, level, offence_key, quarter_key // 4 as start_year,
            min(quarter_key) as first_key, max(quarter_key) as last_key, list(quarter_key) as quarter_keys,
        from general_codes
        group by all
    ) as c on c.release_key = q.release_key and c.level = q.level and q.quarter_key // 4 = c.start_year
    left join (
        select release_key, level, offence_key, min(quarter_key) as first_key, max(quarter_key) as last_key,
        from general_codes
        group by all
    ) as l on l.release_key = q.release_key and l.level = q.level and l.offence_key = c.offence_key
    where not list_contains(c.quarter_keys, q.quarter_key) and q.quarter_key between l.first_key and l.last_key
),
expected as (
    select p.release_key, p.level, p.area_key, p.quarter_key, c.offence_key,
    from places as p
    join place_quarters as q using (release_key, level, quarter_key)
    join general_codes as c using (release_key, level, quarter_key)
    where p.codes < q.most_codes
    union
    select p.release_key, p.level, p.area_key, p.quarter_key, c.offence_key,
    from places as p
    join skipped_codes as c using (release_key, level, quarter_key)
),
missing as (
    select e.area_key, e.level, e.quarter_key, e.offence_key, e.release_key, q.valid_from, q.valid_to,
    from expected as e
    join listing_half_years as h
        on h.release_key = e.release_key and h.level = e.level and h.half_year_key = e.quarter_key // 2
    join stage.release_quarters as q
        on q.release_key = e.release_key and q.level = e.level and q.quarter_key = e.quarter_key
    anti join crime_rates_core.count_history as c
        on c.area_key = e.area_key and c.quarter_key = e.quarter_key and c.offence_key = e.offence_key
        and c.valid_from <= q.valid_from and c.valid_to > q.valid_from
    anti join dropped as d
        on d.area_key = e.area_key and d.quarter_key = e.quarter_key and d.offence_key = e.offence_key
        and d.valid_from <= q.valid_from and d.valid_to > q.valid_from
)
select 'dropped' as kind, *,
from dropped
union all
select 'missing', *,
from missing
