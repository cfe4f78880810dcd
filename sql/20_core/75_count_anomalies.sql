-- one row per area, quarter, offence group (null: all of them) and time in which its count is in doubt, with why.
-- certain: it cannot be right; implausible: it is not ranked; doubtful: it is ranked, and its row says so
with findings as (
    select
        release_key, area_key, quarter_key, group_name, kind, certainty, valid_from, valid_to, offences,
        case kind
            when 'nought' then printf(', and its own past and its neighbours allow no fewer than %s', format('{:,}', expected))
            when 'copied' then ', code by code those of another quarter or area'
            else printf(
                ', %s %s that the quarters around it lead to expect',
                case kind
                    when 'doubled' then 'about twice the'
                    when 'halved' then 'about half the'
                    when 'tenfold' then 'about ten times the'
                    when 'tenth' then 'about a tenth of the'
                    else 'far from the'
                end,
                format('{:,}', expected)
            )
        end as finding,
    from crime_rates_core.unlike_counts
    union all
    select
        release_key, area_key, quarter_key, null, 'moved', 'doubtful', valid_from, valid_to, offences,
        printf(
            ', code by code those that the release before gave for quarter %d of %d/%02d',
            from_quarter_key % 4 + 1, from_quarter_key // 4, (from_quarter_key // 4 + 1) % 100
        ),
    from crime_rates_core.moved_counts
    union all
    select
        u.release_key, a.area_key, u.quarter_key, null, 'unmatched', 'doubtful', u.valid_from, u.valid_to, g.offences,
        printf(
            ', and the partnerships of its force come to %s, where the force table has %s',
            format('{:,}', u.offences), format('{:,}', u.force_offences)
        ),
    from crime_rates_core.unmatched_forces as u
    join crime_rates_core.areas as a on a.level = 'csp' and a.kind = 'place' and a.force_name = u.force_name
    join stage.area_group_quarters as g
        on g.area_key = a.area_key and g.quarter_key = u.quarter_key and g.release_key = u.release_key and g.group_name is null
)
select
    a.level, f.* exclude (offences, finding), g.offence_group,
    printf(
        'quarter %d counts %s%s%s', f.quarter_key % 4 + 1, format('{:,}', f.offences),
        coalesce(' in ' || coalesce(g.offence_group, f.group_name), ' in all'), f.finding
    ) as note,
from findings as f
join crime_rates_core.areas as a using (area_key)
left join (
    select lower(offence_group) as group_name, max(offence_group) as offence_group,
    from crime_rates_core.offences
    group by all
) as g using (group_name)
