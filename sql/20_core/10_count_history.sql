-- one row per area, quarter, offence code and value: from the day it was published until the day it was revised or dropped
create table crime_rates_core.count_history as
with published as (
    select c.*, q.seq, q.releases, q.valid_from, q.valid_to,
    from stage.counts as c
    join stage.release_quarters as q using (release_key, quarter_key)
),
changes as (
    select
        *,
        (
            lag(seq) over keys is distinct from seq - 1
            or lag(offences) over keys is distinct from offences
            or lag(is_known) over keys is distinct from is_known
        )::integer as is_change,
    from published
    where releases > 1
    window keys as (partition by area_key, quarter_key, offence_key order by seq)
),
spells as (
    select *, sum(is_change) over (partition by area_key, quarter_key, offence_key order by seq) as spell,
    from changes
)
select area_key, quarter_key, offence_key, offences, is_known, release_key, valid_from, valid_to,
from published
where releases = 1
union all
select
    area_key, quarter_key, offence_key, min(offences), bool_and(is_known), min(release_key),
    min(valid_from), max(valid_to),
from spells
group by area_key, quarter_key, offence_key, spell;

-- one row per area, quarter and release: that the release has figures for it, and while it stood
create table crime_rates_core.area_quarters as
select distinct c.area_key, c.quarter_key, c.release_key, q.valid_from, q.valid_to,
from stage.counts as c
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
