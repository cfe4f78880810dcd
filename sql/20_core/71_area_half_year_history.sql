-- one row per basis, area, half-year and spell of days in which no release changed it: all that is the same for every offence but
-- the population. blocking_status: what keeps a rank from the area whatever the offence, and note says why
with covered_quarters as (
    select
        m.basis, m.level, m.area_key, q.half_year_key, p.quarter_key, p.release_key, p.valid_from, p.valid_to,
        bool_or(m.member_key = m.area_key) as is_itself,
    from crime_rates_core.area_quarters as p
    join crime_rates_core.area_members as m on m.member_key = p.area_key
    join crime_rates_core.basis_quarters as q on q.basis = m.basis and q.level = m.level and q.quarter_key = p.quarter_key
    group by all
),
extent_sizes as (
    select area_key, count(*) as units,
    from crime_rates_core.area_extents
    group by all
),
-- whether what is published of an area makes up the whole of it
sums as (
    select m.basis, m.area_key, p.quarter_key, p.release_key, count(distinct e.unit) = x.units as is_whole,
    from crime_rates_core.area_quarters as p
    join crime_rates_core.area_members as m on m.member_key = p.area_key and m.member_key <> m.area_key
    join crime_rates_core.area_extents as e on e.area_key = p.area_key
    join extent_sizes as x on x.area_key = m.area_key
    group by m.basis, m.area_key, p.quarter_key, p.release_key, x.units
),
withdrawn_quarters as (
    select m.basis, m.area_key, w.quarter_key, w.release_key, string_agg(distinct w.note, '; ' order by w.note) as note,
    from crime_rates_core.withdrawals as w
    join crime_rates_core.area_members as m on m.member_key = w.area_key
    group by all
),
noted_quarters as (
    select m.basis, m.area_key, n.quarter_key, n.release_key, string_agg(distinct n.note, '; ' order by n.note) as note,
    from crime_rates_core.noted_areas as n
    join crime_rates_core.area_members as m on m.member_key = n.area_key and m.level in ('csp', 'pfa')
    group by all
),
quarters as (
    select
        c.basis, c.level, c.area_key, c.half_year_key, c.quarter_key, c.valid_from, c.valid_to, true as is_published,
        c.is_itself or coalesce(s.is_whole, false) as is_whole, w.note as withdrawn, n.note as noted, null::date as dropped_on,
    from covered_quarters as c
    left join sums as s using (basis, area_key, quarter_key, release_key)
    left join withdrawn_quarters as w using (basis, area_key, quarter_key, release_key)
    left join noted_quarters as n using (basis, area_key, quarter_key, release_key)
    union all
    -- an area that a release dropped keeps its rows, and says so
    select
        m.basis, m.level, m.area_key, q.half_year_key, d.quarter_key, d.valid_from, d.valid_to, false, true, null, null, d.published,
    from crime_rates_core.dropped_areas as d
    join crime_rates_core.area_members as m on m.member_key = d.area_key and m.level in ('csp', 'pfa')
    join crime_rates_core.basis_quarters as q on q.basis = m.basis and q.level = m.level and q.quarter_key = d.quarter_key
),
changes as (
    select level, quarter_key // 2 as half_year_key, valid_from as day from crime_rates_core.release_quarters
    union
    select level, quarter_key // 2, valid_to from crime_rates_core.release_quarters
),
days as (
    select level, half_year_key, day as valid_from,
        lead(day) over (partition by level, half_year_key order by day) as valid_to,
    from changes
    qualify valid_to is not null
),
spells as (
    select
        d.level as release_level, d.half_year_key, d.valid_from, d.valid_to, arg_max(r.release_id, r.quarter_key) as release_id,
    from days as d
    join crime_rates_core.release_quarters as r
        on r.level = d.level and r.quarter_key // 2 = d.half_year_key
        and r.valid_from <= d.valid_from and r.valid_to > d.valid_from
    group by all
),
coverage as (
    select
        q.basis, q.level, q.area_key, s.half_year_key, s.valid_from, s.valid_to, s.release_id,
        count(distinct q.quarter_key) filter (where q.is_published) as quarters,
        min(q.quarter_key % 4 + 1) filter (where q.is_published) as first_quarter,
        bool_and(q.is_whole) as is_whole, min(q.dropped_on) as dropped_on,
        min(q.withdrawn) as first_note, max(q.withdrawn) as last_note,  -- of two quarters, so these are all notes
        concat_ws('; ', min(q.noted), nullif(max(q.noted), min(q.noted))) as noted,
    from quarters as q
    join spells as s
        on s.release_level = if(q.level in ('region', 'country'), 'pfa', q.level) and s.half_year_key = q.half_year_key
        and q.valid_from <= s.valid_from and q.valid_to > s.valid_from
    group by all
)
select
    c.half_year_key, c.basis, c.area_key, c.valid_from, c.valid_to, c.level, h.half_year, h.start_year, y.lookup_year, c.release_id,
    case
        when a.kind in ('unassigned', 'not_resident') then a.kind
        when c.first_note is not null then 'withdrawn'
        when c.quarters < 2 or not c.is_whole then 'incomplete'
    end as blocking_status,
    case
        when a.kind = 'unassigned' then 'not a place: offences that are recorded under no single area'
        when a.kind = 'not_resident' then 'its residents are not its public: few live there, many work there and visit'
        when c.first_note is not null then concat_ws('; ', c.first_note, nullif(c.last_note, c.first_note))
        when c.quarters < 2 and c.dropped_on is not null then printf('the release of %s no longer has all its rows', c.dropped_on)
        when c.quarters < 2 then printf(
            'only quarter %d of quarters %d and %d is published', c.first_quarter, 2 * h.half - 1, 2 * h.half
        )
        when not c.is_whole then 'only some of its parts are published'
    end as note,
    'a note of the release speaks of it: "' || nullif(c.noted, '') || '"' as remark,  -- which keeps no rank from it
from coverage as c
join crime_rates_core.half_years as h using (half_year_key)
join crime_rates_core.year_lookups as y using (start_year)
join crime_rates_core.areas as a using (area_key)
