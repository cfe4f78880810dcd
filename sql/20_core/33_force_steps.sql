-- one row per force, offence group (or all but fraud) and quarter at which its count steps against that of all other forces.
-- Compared are the four quarters from there on with the same quarters a year before: season and national movement cancel.
-- A step is large (a fifth or more), unusual (3.5 times what the year-on-year changes of the group, and chance, come to), sudden
-- (half of it within two quarters; of a steady trend, less) and the largest of its surroundings. docs/methodology.md has what it found
with counts as (
    select a.area_key, a.area_name, r.offence_level, r.code as offence_code, c.quarter_key, sum(c.offences)::double as offences,
    from crime_rates_core.count_history as c
    join crime_rates_core.areas as a using (area_key)
    join crime_rates_core.offences as o using (offence_key)
    join crime_rates_core.offence_rollup as r using (offence_key)
    where a.level = 'pfa' and a.kind = 'place' and c.valid_to = date '9999-12-31'
        and r.offence_level in ('group', 'total') and o.offence_group not ilike 'fraud%'
    group by all
),
beside_others as (
    select *, sum(offences) over nation - offences as others, max(quarter_key) over () as last_quarter,
    from counts
    window nation as (partition by offence_level, offence_code, quarter_key)
    qualify count(*) over nation >= 10
),
beside_last_year as (
    select *,
        sum(offences) over year_before as offences_then,
        sum(others) over year_before as others_then,
        sum(offences) over quarters_from / nullif(greatest(sum(offences) over quarters_before, 0), 0) as jump,
        sum(others) over quarters_from / nullif(greatest(sum(others) over quarters_before, 0), 0) as others_jump,
    from beside_others
    window
        year_before as (partition by area_key, offence_code order by quarter_key range between 4 preceding and 4 preceding),
        quarters_before as (partition by area_key, offence_code order by quarter_key range between 2 preceding and 1 preceding),
        quarters_from as (partition by area_key, offence_code order by quarter_key range between current row and 1 following)
),
-- the last quarters have fewer than four to look at; below two there is nothing to tell
windows as (
    select
        area_key, area_name, offence_level, offence_code, quarter_key, jump, others_jump,
        count(offences_then) over year_from as quarters,
        greatest(sum(offences) over year_from, 0) as offences_after,
        greatest(sum(offences_then) over year_from, 0) as offences_before,
        greatest(sum(others) over year_from, 0) as others_after,
        greatest(sum(others_then) over year_from, 0) as others_before,
    from beside_last_year
    window year_from as (partition by area_key, offence_code order by quarter_key range between current row and 3 following)
    qualify quarters = least(4, last_quarter - quarter_key + 1) and quarters >= 2 and others_before > 0 and others_after > 0
),
steps as (
    select *,
        ln((offences_after + 0.5) / (offences_before + 0.5)) - ln(others_after / others_before) as step,
        ln(jump / others_jump) as sudden_step,
        1 / (offences_after + 0.5) + 1 / (offences_before + 0.5) as chance,
    from windows
),
usual as (
    select offence_level, offence_code, quarters, 1.4826 * median(abs(step)) as spread,
    from steps
    group by all
),
scored as (
    select s.*, step / sqrt(pow(greatest(u.spread, coalesce(y.spread, 0)), 2) + chance) as score,
    from steps as s
    join usual as u using (offence_level, offence_code, quarters)
    left join usual as y on y.offence_level = s.offence_level and y.offence_code = s.offence_code and y.quarters = 4
)
select
    area_key, area_name, offence_level, offence_code, quarter_key::integer as quarter_key, quarters::integer as quarters,
    offences_before::bigint as offences_before, offences_after::bigint as offences_after,
    others_after / others_before as others_ratio, score,
from scored
qualify abs(score) = max(abs(score)) over (
        partition by area_key, offence_code order by quarter_key range between 3 preceding and 3 following
    )
    and abs(score) >= 3.5 and abs(step) >= ln(1.2) and coalesce(sudden_step / step, 1) >= 0.5
