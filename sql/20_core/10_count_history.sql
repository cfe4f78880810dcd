-- one row per area, quarter, offence code and value: from the day it was published until the day it was revised or dropped
create table crime_rates_core.count_history as
with touched as (
    select distinct area_key, quarter_key, offence_key from stage.count_events where seq > 1
),
states as (
    select
        area_key, quarter_key, offence_key, seq,
        sum(rows) over keys > 0 as is_there,
        if(sum(known_rows) over keys > 0, sum(offences) over keys, null)::bigint as offences,
        sum(rows) over keys = sum(known_rows) over keys as is_known,
    from stage.count_events
    semi join touched using (area_key, quarter_key, offence_key)
    window keys as (partition by area_key, quarter_key, offence_key order by seq)
),
-- a change that leaves the area's value as it was (a partnership's new name, say) begins nothing
spells as (
    select *,
    from states
    window keys as (partition by area_key, quarter_key, offence_key order by seq)
    qualify lag(seq) over keys is null
        or lag(is_there) over keys <> is_there
        or lag(offences) over keys is distinct from offences
        or lag(is_known) over keys <> is_known
),
dated as (
    select s.*, q.release_key, q.valid_from,
        lead(q.valid_from, 1, date '9999-12-31') over (
            partition by s.area_key, s.quarter_key, s.offence_key order by s.seq
        ) as valid_to,
    from spells as s
    join stage.areas as a using (area_key)
    join stage.release_quarters as q on q.level = a.level and q.quarter_key = s.quarter_key and q.seq = s.seq
)
select area_key, quarter_key, offence_key, offences, is_known, release_key, valid_from, valid_to,
from dated
where is_there
union all
select
    e.area_key, e.quarter_key, e.offence_key, e.offences, e.rows = e.known_rows, q.release_key, q.valid_from, date '9999-12-31',
from stage.count_events as e
anti join touched using (area_key, quarter_key, offence_key)
join stage.areas as a using (area_key)
join stage.release_quarters as q on q.level = a.level and q.quarter_key = e.quarter_key and q.seq = e.seq;

-- one row per area, quarter and release: that the release has figures for it, and while it stood
create table crime_rates_core.area_quarters as
select c.area_key, c.quarter_key, c.release_key, q.valid_from, q.valid_to,
from stage.area_quarters as c
join stage.release_quarters as q using (release_key, quarter_key);

-- one row per release and quarter: the days on which it was the newest for its level
create table crime_rates_core.release_quarters as
select q.level, q.quarter_key, q.valid_from, q.valid_to, r.release_key, r.release_id,
from stage.release_quarters as q
join stage.releases as r using (release_key, level);

-- one row per half-year of the calendar that any release touches
create table crime_rates_core.half_years as
select distinct
    (quarter_key // 2)::integer as half_year_key,
    (quarter_key // 4)::integer as start_year,
    (quarter_key // 2 % 2 + 1)::integer as half,
    printf('%d/%02d H%d', start_year, (start_year + 1) % 100, half) as half_year,
    make_date(start_year, if(half = 1, 4, 10), 1) as period_start,
    if(half = 1, make_date(start_year, 9, 30), make_date(start_year + 1, 3, 31)) as period_end,
from stage.release_quarters;

create table crime_rates_core.areas as select * exclude (councils) from stage.areas;

create table crime_rates_core.offences as select * from stage.offences;

create table crime_rates_core.offence_rollup as select * from stage.offence_rollup;
