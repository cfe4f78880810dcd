-- one row per area, quarter and offence code that differs between two releases: later less earlier, where both have the quarter
with earlier as (
    from read_parquet($earlier, hive_partitioning = false)
),
later as (
    from read_parquet($later, hive_partitioning = false)
),
common_quarters as (
    select financial_year, quarter from earlier
    intersect
    select financial_year, quarter from later
),
signed as (
    select level, area_name, financial_year, quarter, offence_code, offences, 1 as sign from later
    union all
    select level, area_name, financial_year, quarter, offence_code, offences, -1 from earlier
),
differing as (
    select level, area_name, financial_year, quarter, offence_code, offences, sum(sign) as times,
    from signed
    semi join common_quarters using (financial_year, quarter)
    group by all
    having times <> 0
)
select
    (select any_value(release_id) from earlier) as from_release,
    (select any_value(release_id) from later) as to_release,
    level, area_name, financial_year, quarter, offence_code,
    sum(times)::bigint as rows,
    coalesce(sum(times) filter (where offences is not null), 0)::bigint as known_rows,
    coalesce(sum(times * offences), 0)::bigint as offences,
from differing
group by all
order by all
