-- one row per area, quarter, offence code and value of a count that some release changed, added or no longer has (not published):
-- from the day of that release until the next such day
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
)
select
    v.area_key, v.quarter_key, v.offence_key, v.offences, v.is_known, v.is_published, q.release_key, q.valid_from,
    lead(q.valid_from, 1, date '9999-12-31') over (
        partition by v.area_key, v.quarter_key, v.offence_key order by v.seq
    ) as valid_to,
from value_versions as v
join stage.areas as a using (area_key)
join stage.release_quarters as q on q.level = a.level and q.quarter_key = v.quarter_key and q.seq = v.seq
