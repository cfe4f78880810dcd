-- one row per break in what is counted: those of data/reference/recording_breaks.csv, the areas that were first published in
-- pieces, and the steps that 33_force_steps.sql finds
with pieces as (
    select
        w.level, w.area_name, w.force_name, min(s.whole_from) as whole_from,
        string_agg(distinct s.part_name, ', ' order by s.part_name) as parts, min(s.source) as source,
    from input.area_successions as s
    join stage.area_names as n on n.level = s.level and n.published_name = s.whole_name
    join stage.areas as w using (area_key)
    group by all
),
boundaries as (
    select
        level, area_name, force_name, null as offence_level, null as offence_code, true as offences_within, false as wholes_too,
        left(whole_from, 4)::integer * 4 as quarter_key, 'boundary' as kind, 'stated' as basis,
        printf('published as %s before %s; harmonised tables add these up', parts, whole_from) as note, source,
    from pieces
),
steps as (
    select
        'pfa' as level, area_name, area_name as force_name, offence_level, offence_code,
        offence_level = 'group' as offences_within, false as wholes_too, quarter_key, 'detected' as kind, 'computed' as basis,
        format(
            '{} in {} step {} against all other forces: {:,} in the {} quarters from here on, {:,} in the same quarters a year '
            || 'before ({:+.0f}%), the others {:+.0f}%; a change of recording is likely, its cause is not known here',
            if(offence_level = 'total', 'offences other than fraud', offence_code), area_name, if(score > 0, 'up', 'down'),
            offences_after, quarters, offences_before,
            (offences_after / greatest(offences_before, 1) - 1) * 100, (others_ratio - 1) * 100
        ) as note,
        'computed: the counts of the newest releases, by sql/20_core/33_force_steps.sql' as source,
    from crime_rates_core.force_steps
),
breaks as (
    from crime_rates_core.recording_breaks
    union all by name
    from boundaries
    union all by name
    from steps
)
select
    row_number() over (
        order by quarter_key, level nulls first, force_name nulls first, area_name nulls first, offence_level, offence_code, kind, note
    )::integer as break_key,
    printf('%d/%02d Q%d', quarter_key // 4, (quarter_key // 4 + 1) % 100, quarter_key % 4 + 1) as first_quarter,
    printf('%d/%02d H%d', quarter_key // 4, (quarter_key // 4 + 1) % 100, quarter_key % 4 // 2 + 1) as half_year,
    * exclude (quarter_key),
from breaks
