-- one row per basis, half-year, area, offence at any level, fault and time: what keeps a rank from a count, or casts doubt on it.
-- incomplete: rows are missing; implausible: a count cannot be right; doubtful: it is ranked, with a note. The first two hold for
-- whatever the count is part of. A larger key is a graver fault, so the largest of a row is the one to name
with gone as (
    select
        m.area_key, m.quarter_key, m.offence_key, 'incomplete' as fault, null as group_name, m.valid_from, m.valid_to,
        null as note, o.offence_code as code,
        if(m.kind = 'missing', 'the release has no row', printf('the release of %s no longer has its row', r.published)) as what,
    from crime_rates_core.missing_counts as m
    join crime_rates_core.offences as o using (offence_key)
    join stage.releases as r using (release_key)
),
wrong as (
    select distinct
        n.area_key, n.quarter_key, c.offence_key, if(n.certainty = 'doubtful', 'doubtful', 'implausible') as fault, n.group_name,
        n.valid_from, n.valid_to, n.note, null as code, null as what,
    from crime_rates_core.count_anomalies as n
    join crime_rates_core.count_history as c using (area_key, quarter_key)
    join crime_rates_core.offences as o using (offence_key)
    where n.group_name is null or n.group_name = lower(o.offence_group)
),
cells as (
    from gone
    union all
    from wrong
),
rolled_up as (
    select
        m.basis, m.level, m.area_key, q.half_year_key, q.half_year, r.rollup_key, r.offence_level, r.code as offence_code,
        r.name as offence_name, c.fault, c.valid_from, c.valid_to, c.note, c.what, c.quarter_key % 4 + 1 as quarter,
        if(m.area_key = c.area_key, null, p.area_name) as part,
        list(distinct c.code order by c.code) filter (where r.offence_level <> 'code' and c.code is not null) as codes,
    from cells as c
    join crime_rates_core.offence_rollup as r using (offence_key)
    join crime_rates_core.area_members as m on m.member_key = c.area_key
    join crime_rates_core.basis_quarters as q on q.basis = m.basis and q.level = m.level and q.quarter_key = c.quarter_key
    join crime_rates_core.areas as p on p.area_key = c.area_key
    -- a doubt is one area's own, and that of a group is not that of all offences
    where c.fault <> 'doubtful' or m.level = p.level and (c.group_name is null or r.offence_level <> 'total')
    group by all
),
notes as (
    select
        * exclude (note, what, quarter, part, codes),
        coalesce(note, printf('%s for quarter %d', what, quarter) || case
            when codes is null then ''
            when len(codes) > 3 then format(' of {} offences', len(codes))
            else ' of ' || array_to_string(codes, ', ')
        end) || coalesce(' (' || part || ')', '') as note,
    from rolled_up
),
joined_notes as (
    select * exclude (note), string_agg(distinct note, '; ' order by note) as note,
    from notes
    group by all
)
select
    row_number() over (
        order by list_position(['doubtful', 'implausible', 'incomplete'], fault),
            basis, half_year_key, area_key, rollup_key, valid_from, valid_to
    )::integer as fault_key,
    *,
from joined_notes
