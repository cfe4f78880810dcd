-- one row per count that a later release changed, added or dropped
with first_days as (
    select level, quarter_key, min(valid_from) as first_day,
    from crime_rates_core.release_quarters
    group by all
),
-- a count that came with the first release of its quarter and stands to this day was never revised
revised_keys as (
    select distinct c.area_key, c.quarter_key, c.offence_key,
    from crime_rates_core.count_history as c
    join crime_rates_core.areas as a using (area_key)
    join first_days as f on f.level = a.level and f.quarter_key = c.quarter_key
    where c.valid_to < date '9999-12-31' or c.valid_from > f.first_day
),
value_versions as (
    select c.*, a.level, a.area_code, a.area_name, o.offence_code,
        lead(c.valid_from) over keys as next_from,
        lead(c.offences) over keys as next_offences,
        lag(c.valid_to) over keys as previous_to,
    from crime_rates_core.count_history as c
    semi join revised_keys as r using (area_key, quarter_key, offence_key)
    join crime_rates_core.areas as a using (area_key)
    join crime_rates_core.offences as o using (offence_key)
    window keys as (partition by c.area_key, c.quarter_key, c.offence_key order by c.valid_from)
),
changes as (
    -- ended: revised, or dropped where the next release no longer has the row
    select *, valid_to as changed_on, offences as before, if(next_from = valid_to, next_offences, null) as after,
    from value_versions
    where valid_to < date '9999-12-31'
    union all
    -- begun without a predecessor, though an earlier release covered the quarter
    select *, valid_from, null, offences,
    from value_versions
    where previous_to is distinct from valid_from
)
select
    f.release_id as from_release, t.release_id as to_release, c.level, c.area_code, c.area_name,
    printf('%d/%02d', c.quarter_key // 4, (c.quarter_key // 4 + 1) % 100) as financial_year,
    (c.quarter_key % 4 + 1)::integer as quarter,
    c.offence_code, c.before, c.after,
from changes as c
join crime_rates_core.release_quarters as t
    on t.level = c.level and t.quarter_key = c.quarter_key and t.valid_from = c.changed_on
join crime_rates_core.release_quarters as f
    on f.level = c.level and f.quarter_key = c.quarter_key and f.valid_to = c.changed_on
