-- one row per area, quarter, offence code and value: from the day it was published until the day it was revised or dropped
with changed_keys as (
    select distinct area_key, quarter_key, offence_key
    from stage.count_events
    where seq > 1
),
-- the value after each release that gave or changed it
running_values as (
    select
        area_key, quarter_key, offence_key, seq,
        sum(rows) over keys > 0 as is_published,
        if(sum(known_rows) over keys > 0, sum(offences) over keys, null)::bigint as offences,
        sum(rows) over keys = sum(known_rows) over keys as is_known,
    from stage.count_events
    semi join changed_keys using (area_key, quarter_key, offence_key)
    window keys as (partition by area_key, quarter_key, offence_key order by seq)
),
-- a change that leaves the area's value as it was (a partnership's new name, say) begins no new version
value_versions as (
    select *,
    from running_values
    window keys as (partition by area_key, quarter_key, offence_key order by seq)
    qualify lag(seq) over keys is null
        or lag(is_published) over keys <> is_published
        or lag(offences) over keys is distinct from offences
        or lag(is_known) over keys <> is_known
),
dated_versions as (
    select v.*, q.release_key, q.valid_from,
        lead(q.valid_from, 1, date '9999-12-31') over (
            partition by v.area_key, v.quarter_key, v.offence_key order by v.seq
        ) as valid_to,
    from value_versions as v
    join stage.areas as a using (area_key)
    join stage.release_quarters as q on q.level = a.level and q.quarter_key = v.quarter_key and q.seq = v.seq
)
select area_key, quarter_key, offence_key, offences, is_known, release_key, valid_from, valid_to,
from dated_versions
where is_published
union all
select
    e.area_key, e.quarter_key, e.offence_key, e.offences, e.rows = e.known_rows, q.release_key, q.valid_from, date '9999-12-31',
from stage.count_events as e
anti join changed_keys using (area_key, quarter_key, offence_key)
join stage.areas as a using (area_key)
join stage.release_quarters as q on q.level = a.level and q.quarter_key = e.quarter_key and q.seq = e.seq
